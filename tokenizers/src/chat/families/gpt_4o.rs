//! gpt-4o and gpt-4.1. Plain messages follow OpenAI's cookbook; the rest was told from recorded requests.
//!
//! Tools and the response schema are a text after the first system message, or a message of their own without one.

use serde_json::{Value, json};

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Format, Message, Request, ToolCall, ToolChoice},
        schema, typescript,
    },
};

/// `<|im_start|>assistant<|im_sep|>`, with which the answer begins.
const ANSWER: i64 = 3;

/// Control tokens and words around a call: ` to=functions.`, the channel, the end.
const CALL: i64 = 6;
/// The same around several calls at once, which are one call of `multi_tool_use.parallel`.
const PARALLEL: i64 = 5;
/// The same around a result.
const RESULT: i64 = 7;

/// What naming the function to call costs besides the name.
const NAMED: i64 = 7;

/// What is around tools, and around a schema.
const TOOLS_FIT: i64 = -3;
const SCHEMA_FIT: i64 = 1;

/// What the provider writes above tools.
const TOOLS: &str = "# Tools\n\n## functions\n\n";

pub(super) fn count(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        ledger.add(What::Message(idx), message(tokenizer, each, request.format));
    }
    sections(tokenizer, request, &mut ledger);
    openai::images(openai::image_rule(request), request, &mut ledger);
    ledger.add(What::Frame, ANSWER + choice(tokenizer, request));
    RequestCount::new(Kind::ExactRule, ledger, slack(request), request)
}

/// Plain requests are exact; what else there is adds its doubt.
fn slack(request: &Request) -> Slack {
    let sections = usize::from(!request.tools.is_empty()) + 5 * usize::from(request.response.is_some());
    Slack { tokens: sections + 3 * usize::from(request.has_calls()), permille: 5 * usize::from(request.has_calls()) }
}

fn message(tokenizer: Tokenizer, message: &Message, format: Format) -> i64 {
    let results = message.content.iter().filter_map(|content| match content {
        Content::Result(it) => {
            let name_and_text = openai::text(tokenizer, &it.name) + openai::text(tokenizer, &it.text);
            Some(RESULT + i64::from(format == Format::OpenaiResponses) + name_and_text)
        }
        _ => None,
    });
    let calls: Vec<&ToolCall> = message.calls().collect();
    match (calls.as_slice(), results.sum()) {
        ([], 0) => openai::plain(tokenizer, message),
        ([], results) => results,
        (calls, results) => results + openai::text(tokenizer, &message.text()) + call(tokenizer, calls),
    }
}

fn call(tokenizer: Tokenizer, calls: &[&ToolCall]) -> i64 {
    if let [only] = calls {
        let arguments = openai::text(tokenizer, &openai::compact(&only.arguments));
        return CALL + openai::text(tokenizer, &only.name) + arguments;
    }
    let uses = calls.iter().map(|call| {
        let parameters: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        json!({"recipient_name": format!("functions.{}", call.name), "parameters": parameters})
    });
    PARALLEL + openai::text(tokenizer, &json!({"tool_uses": uses.collect::<Vec<_>>()}).to_string())
}

/// Tools and schema. What they cost together is split: each gets its own text, the frame what is around.
///
/// No token reaches into the namespace or out of it, since a line ends before its first letter and after its last.
fn sections(tokenizer: Tokenizer, request: &Request, ledger: &mut Ledger) {
    let schema = request.response.as_ref().map(schema::section);
    let tools = (!request.tools.is_empty()).then(|| {
        request.tools.counted("gpt-4o", tokenizer, |tools| {
            openai::declared(tokenizer, tools, &typescript::HOSTED, typescript::namespace)
        })
    });
    let (opening, rest) = match (&tools, &schema) {
        (None, None) => return,
        (Some(tools), None) => (TOOLS, tools.all),
        (Some(tools), Some(schema)) => (TOOLS, tools.all + openai::text(tokenizer, &format!("\n\n{schema}"))),
        (None, Some(schema)) => (schema.as_str(), 0),
    };
    let system = request.messages.first().filter(|message| message.role.instructs()).map(Message::text);
    let opening = match &system {
        Some(system) => openai::joined(tokenizer, system, opening),
        None => openai::text(tokenizer, opening),
    };
    let of_schema = schema.as_ref().map_or(0, |schema| openai::text(tokenizer, schema));
    let parts = of_schema + tools.map_or(0, |tools| tools.note(ledger));
    ledger.add(What::ResponseSchema, of_schema);
    ledger.add(What::Frame, opening + rest - parts + around(tokenizer, request, system.is_some()));
}

/// What sections cost besides their text. Chat writes two tokens more than Responses does and, where no system message
/// can hold the sections, four for a message of their own; and it names a schema that stands alone a second time.
fn around(tokenizer: Tokenizer, request: &Request, after_system: bool) -> i64 {
    let chat = request.format != Format::OpenaiResponses;
    let message = match (chat, after_system) {
        (false, _) => 0,
        (true, true) => 2,
        (true, false) => 6,
    };
    message
        + match (&request.response, request.tools.is_empty()) {
            (None, _) => TOOLS_FIT,
            (Some(_), false) => TOOLS_FIT + SCHEMA_FIT - 1,
            (Some(response), true) if chat => SCHEMA_FIT + openai::text(tokenizer, &response.name) - 1,
            (Some(_), true) => SCHEMA_FIT,
        }
}

/// Over Responses, the one tool that is required counts as named.
fn choice(tokenizer: Tokenizer, request: &Request) -> i64 {
    let named = |name: &str| NAMED + openai::text(tokenizer, name);
    match (&request.tool_choice, &*request.tools) {
        (ToolChoice::Named(name), _) => named(name),
        (ToolChoice::Required, [only]) if request.format == Format::OpenaiResponses => named(&only.name),
        _ => 0,
    }
}
