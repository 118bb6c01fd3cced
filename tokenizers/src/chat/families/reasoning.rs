//! The o-series and gpt-5: messages as gpt-4o's less one token, tools as `openai/harmony` renders them.
//!
//! The constants were told from recorded requests.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Format, Message, Request, Role, ToolChoice},
        schema, typescript,
    },
};

/// `<|start|>assistant`, with which the answer begins.
const ANSWER: i64 = 2;

/// `<|channel|>final` before what the model said earlier.
const CHANNEL: i64 = 2;

/// Control tokens and words around a call and around a result.
const CALL: i64 = 9;
const RESULT: i64 = 10;

/// What the provider writes around tools: over chat also how to call them.
const TOOLS_CHAT: i64 = 84;
const TOOLS_RESPONSES: i64 = 3;

/// What it writes around a schema.
const SCHEMA: i64 = -5;

const TOOLS: &str = "# Tools\n\n## functions\n\n";

/// The o-series.
pub(super) fn count_o(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(tokenizer, request, 0)
}

/// gpt-5 and later.
pub(super) fn count_5(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(tokenizer, request, CHANNEL)
}

fn count(tokenizer: Tokenizer, request: &Request, channel: i64) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        let said = each.role == Role::Assistant && each.calls().next().is_none();
        let channel = if said { channel } else { 0 };
        ledger.add(What::Message(idx), message(tokenizer, each, request.format) + channel);
    }
    tools(tokenizer, request, &mut ledger);
    if let Some(response) = &request.response {
        ledger.add(What::ResponseSchema, openai::text(tokenizer, &schema::section(response)) + SCHEMA);
    }
    openai::images(openai::image_rule(request), request, &mut ledger);
    ledger.add(What::Frame, ANSWER);
    RequestCount::new(Kind::ExactRule, ledger, slack(request), request)
}

fn slack(request: &Request) -> Slack {
    let sections = 2 * usize::from(!request.tools.is_empty()) + 5 * usize::from(request.response.is_some());
    let calls = request.contents().filter(|content| matches!(content, Content::Result(_))).count();
    Slack { tokens: sections + 3 * calls, permille: 0 }
}

fn message(tokenizer: Tokenizer, message: &Message, format: Format) -> i64 {
    let of = |content: &Content| match content {
        Content::Call(it) => {
            let arguments = openai::text(tokenizer, &openai::compact(&it.arguments));
            CALL + openai::text(tokenizer, &it.name) + arguments
        }
        Content::Result(it) => {
            let name_and_text = openai::text(tokenizer, &it.name) + openai::text(tokenizer, &it.text);
            RESULT + i64::from(format == Format::OpenaiResponses) + name_and_text
        }
        Content::Text(_) | Content::Image(_) => 0,
    };
    let others: i64 = message.content.iter().map(of).sum();
    match others {
        0 => openai::plain(tokenizer, message),
        _ => others + openai::text(tokenizer, &message.text()),
    }
}

fn tools(tokenizer: Tokenizer, request: &Request, ledger: &mut Ledger) {
    if request.tools.is_empty() {
        return;
    }
    let style = &typescript::HARMONY;
    let all = openai::text(tokenizer, &format!("{TOOLS}{}", typescript::namespace(&request.tools, style)));
    let mut parts = 0;
    for (idx, tool) in request.tools.iter().enumerate() {
        let tokens = openai::text(tokenizer, &typescript::declaration(tool, style));
        ledger.add(What::Tool(idx), tokens);
        parts += tokens;
    }
    ledger.add(What::Frame, all - parts + around(request));
}

/// Responses charges one token less where the first tool says nothing, and for a choice that leaves none.
fn around(request: &Request) -> i64 {
    let named = i64::from(matches!(request.tool_choice, ToolChoice::Named(_)));
    if request.format != Format::OpenaiResponses {
        return TOOLS_CHAT - named;
    }
    let silent = request.tools.first().is_some_and(|tool| tool.description.is_empty());
    let required = i64::from(request.tool_choice == ToolChoice::Required);
    TOOLS_RESPONSES - i64::from(silent) - required - 2 * named
}
