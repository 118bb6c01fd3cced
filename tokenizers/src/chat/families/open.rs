//! Open models: by their chat template where it is known, else by what most templates do, tools as JSON. The latter is a
//! first guess, to be corrected by what the provider charges.

use serde_json::json;

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Format, Message, Request, Tool, ToolChoice},
        template::{RenderOptions, TemplateEntry},
        tools::ToolCounts,
    },
};

/// What most templates write around a message, before the answer, around tools, and around a call.
const MESSAGE: i64 = 4;
const ANSWER: i64 = 3;
const TOOLS: i64 = 100;
const CALL: i64 = 20;

pub(super) fn count(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    templated(tokenizer, request).unwrap_or_else(|| guessed(tokenizer, request))
}

/// By the template of the model that the request names; `None` where it has none, or refuses the request.
fn templated(tokenizer: Tokenizer, request: &Request) -> Option<RequestCount> {
    let entry = TemplateEntry::of_model(request.model.as_deref()?)?;
    let mut options = RenderOptions::any_day();
    if entry.name == "deepseek-v4" && request.format == Format::OpenaiResponses {
        // There it thinks, and hard, unless the request says otherwise; recorded requests show it.
        options.variables.insert("enable_thinking".to_owned(), true.into());
        options.variables.insert("reasoning_effort".to_owned(), "high".into());
    }
    match &request.tool_choice {
        // Servers begin the call that they demand; formats of ours that know how look at this.
        ToolChoice::Required => options.variables.insert("must_call".to_owned(), true.into()),
        ToolChoice::Named(name) => options.variables.insert("must_call".to_owned(), name.as_str().into()),
        ToolChoice::Auto | ToolChoice::None => None,
    };
    entry.template().ok()?.count(tokenizer, request, &options).ok()
}

fn guessed(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        ledger.add(What::Message(idx), message(tokenizer, each));
    }
    let each = |it: &Tool| openai::text(tokenizer, &json_of(it));
    request.tools.counted("open", tokenizer, |tools| ToolCounts::of(tools, each, 0)).note(&mut ledger);
    openai::images(openai::image_rule(request), request, &mut ledger);
    ledger.add(What::Frame, ANSWER + if request.tools.is_empty() { 0 } else { TOOLS });
    RequestCount::new(Kind::Calibrated, ledger, Slack { tokens: 60, permille: 300 }, request)
}

fn message(tokenizer: Tokenizer, message: &Message) -> i64 {
    let of = |content: &Content| match content {
        Content::Text(text) => openai::text(tokenizer, text),
        Content::Call(it) => CALL + openai::text(tokenizer, &it.name) + openai::text(tokenizer, &it.arguments),
        Content::Result(it) => openai::text(tokenizer, &it.text),
        Content::Image(_) => 0,
    };
    MESSAGE + message.content.iter().map(of).sum::<i64>()
}

fn json_of(tool: &Tool) -> String {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    json!({"type": "function", "function": function}).to_string()
}
