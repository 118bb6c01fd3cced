//! gpt-3.5-turbo and gpt-4, after `hmarr/openai-chat-tokens` (MIT), whose author checked every rule with the provider.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Message, Request, ToolChoice},
        typescript,
    },
};

/// `<|im_start|>assistant<|im_sep|>`, with which the answer begins.
const ANSWER: i64 = 3;

/// What the functions cost around their namespace, and what a system message saves with them.
const TOOLS: i64 = 9;
const TOOLS_AFTER_SYSTEM: i64 = -4;

/// What a call costs besides its name and arguments, and a result beside its name and text.
const CALL: i64 = 3;
const RESULT: i64 = -2;

/// What naming the function to call costs besides the name.
const NAMED: i64 = 4;

pub(super) fn count(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        ledger.add(What::Message(idx), message(tokenizer, each));
    }
    if !request.tools.is_empty() {
        tools(tokenizer, request, &mut ledger);
    }
    openai::images(openai::image_rule(request), request, &mut ledger);
    ledger.add(What::Frame, ANSWER + choice(tokenizer, &request.tool_choice));
    let slack = Slack { tokens: if request.has_calls() { 6 } else { 1 }, permille: 0 };
    RequestCount::new(Kind::ExactRule, ledger, slack, request)
}

fn message(tokenizer: Tokenizer, message: &Message) -> i64 {
    let of = |content: &Content| match content {
        Content::Call(call) => openai::text(tokenizer, &call.name) + openai::text(tokenizer, &call.arguments) + CALL,
        Content::Result(result) => {
            openai::text(tokenizer, &result.name) + openai::text(tokenizer, &result.text) + 1 + RESULT
        }
        Content::Text(_) | Content::Image(_) => 0,
    };
    openai::plain(tokenizer, message) + message.content.iter().map(of).sum::<i64>()
}

fn tools(tokenizer: Tokenizer, request: &Request, ledger: &mut Ledger) {
    let counts = request.tools.counted("legacy", tokenizer, |tools| {
        openai::declared(tokenizer, tools, &typescript::LEGACY, typescript::namespace)
    });
    let parts = counts.note(ledger);
    ledger.add(What::Frame, counts.all - parts + TOOLS + after_system(tokenizer, request));
}

/// A line break goes between the first system message and the functions.
fn after_system(tokenizer: Tokenizer, request: &Request) -> i64 {
    let Some(system) = request.messages.iter().find(|message| message.role.instructs()) else { return 0 };
    let text = system.text();
    TOOLS_AFTER_SYSTEM + openai::text(tokenizer, &format!("{text}\n")) - openai::text(tokenizer, &text)
}

fn choice(tokenizer: Tokenizer, choice: &ToolChoice) -> i64 {
    match choice {
        ToolChoice::None => 1,
        ToolChoice::Named(name) => openai::text(tokenizer, name) + NAMED,
        ToolChoice::Auto | ToolChoice::Required => 0,
    }
}
