//! Gemini: text costs its own tokens and nothing around it; what tools cost was fitted on recorded requests.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        images::ImageRule,
        request::{Content, Message, Request, Tool},
    },
};

/// What one generation of models charges.
struct Generation {
    /// For a token of a tool's schema, and around a tool; its name and description cost their own tokens.
    schema_token: f64,
    tool: i64,
    /// Around a call: from 2.5 on with the thought that led to it.
    call: i64,
}

const GEMINI_2: Generation = Generation { schema_token: 0.6, tool: 10, call: 20 };
const GEMINI_3: Generation = Generation { schema_token: 0.6, tool: 0, call: 150 };

pub(super) fn count_2(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&GEMINI_2, tokenizer, request)
}

pub(super) fn count_3(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&GEMINI_3, tokenizer, request)
}

fn count(rule: &Generation, tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        ledger.add(What::Message(idx), message(rule, tokenizer, each));
    }
    for (idx, each) in request.tools.iter().enumerate() {
        ledger.add(What::Tool(idx), tool(rule, tokenizer, each));
    }
    openai::images(ImageRule::Gemini, request, &mut ledger);
    let permille = if request.tools.is_empty() { 60 } else { 400 };
    RequestCount::new(Kind::Calibrated, ledger, Slack { tokens: 3, permille }, request)
}

fn message(rule: &Generation, tokenizer: Tokenizer, message: &Message) -> i64 {
    let of = |content: &Content| match content {
        Content::Text(text) => openai::text(tokenizer, text),
        Content::Call(call) => {
            let tokens = openai::text(tokenizer, &call.name) + openai::text(tokenizer, &call.arguments);
            tokens + rule.call
        }
        Content::Result(result) => openai::text(tokenizer, &result.name) + openai::text(tokenizer, &result.text),
        Content::Image(_) => 0,
    };
    message.content.iter().map(of).sum()
}

fn tool(rule: &Generation, tokenizer: Tokenizer, tool: &Tool) -> i64 {
    let described = openai::text(tokenizer, &tool.name) + openai::text(tokenizer, &tool.description);
    let schema = rule.schema_token * tokenizer.count(&tool.parameters.to_string()) as f64;
    rule.tool + described + schema.round() as i64
}
