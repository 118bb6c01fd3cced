//! The o-series and gpt-5: messages as gpt-4o's less one token, tools in a section of their own.
//!
//! The constants were told from recorded requests. No recording shows the o-series with tools: there gpt-5's rule stands
//! in, and the bound says so.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Format, Message, Request, Role},
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

/// What stands above the tools. Users of hosted models found these lines in prompts that the models repeated.
const TOOLS: &str = "## Namespace: functions\n\n### Target channel: commentary\n\n### Tool definitions\n";

/// The heading above that and a paragraph on how tools are grouped and called, in tokens.
const MANUAL: i64 = 78;

/// What chat writes around a message of its own.
const MESSAGE_OF_TOOLS: i64 = 4;

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
        ledger.add(What::ResponseSchema, openai::text(tokenizer, &schema::section(response)));
    }
    openai::images(openai::image_rule(request), request, &mut ledger);
    ledger.add(What::Frame, ANSWER);
    RequestCount::new(Kind::ExactRule, ledger, slack(request, channel == 0), request)
}

fn slack(request: &Request, o_series: bool) -> Slack {
    let tools = if o_series { MANUAL + MESSAGE_OF_TOOLS } else { 2 };
    let tools = if request.tools.is_empty() { 0 } else { tools.unsigned_abs() as usize };
    let sections = tools + 5 * usize::from(request.response.is_some());
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
    let counts = request.tools.counted("reasoning", tokenizer, |tools| {
        openai::declared(tokenizer, tools, &typescript::HOSTED, |all| format!("{TOOLS}{}", all.trim_end()))
    });
    let parts = counts.note(ledger);
    ledger.add(What::Frame, counts.all - parts + around(request));
}

/// Chat always sends the manual, Responses only where calls must come one by one.
const fn around(request: &Request) -> i64 {
    match (request.format, request.parallel_calls) {
        (Format::OpenaiResponses, true) => 0,
        (Format::OpenaiResponses, false) => MANUAL,
        _ => MANUAL + MESSAGE_OF_TOOLS,
    }
}
