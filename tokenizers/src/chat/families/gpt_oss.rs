//! gpt-oss, whose prompt format is published: `openai/harmony`, `docs/format.md` and `src/encoding.rs`.
//!
//! Hosts fill in the date, and some add words of their own.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        request::{Content, Message, Request, Role, Tool},
        schema,
        tools::ToolCounts,
        typescript,
    },
};

/// The system message of the chat template; every date is as long as this one.
const SYSTEM: &str = "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n\
    Current date: 2025-01-01\n\nReasoning: medium\n\n\
    # Valid channels: analysis, commentary, final. Channel must be included for every message.";

/// What follows it where there are functions.
const COMMENTARY: &str = "\nCalls to these tools must go to the commentary channel: 'functions'.";

/// `<|start|>assistant`.
const ANSWER: i64 = 2;

/// `<|channel|>` and its name.
const CHANNEL: i64 = 2;

/// `<|start|>`, the role, `<|message|>` and `<|end|>`.
const FRAME: i64 = 4;

pub(super) fn count(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    let instructions = instructions(request);
    for (idx, each) in request.messages.iter().enumerate().skip(usize::from(instructions.is_some())) {
        ledger.add(What::Message(idx), message(tokenizer, each));
    }
    developer(tokenizer, request, instructions.as_deref(), &mut ledger);
    let commentary = if request.tools.is_empty() { 0 } else { openai::text(tokenizer, COMMENTARY) };
    ledger.add(What::Frame, FRAME + openai::text(tokenizer, SYSTEM) + commentary + ANSWER);
    RequestCount::new(Kind::Template, ledger, Slack { tokens: 6, permille: 30 }, request)
}

fn instructions(request: &Request) -> Option<String> {
    request.messages.first().filter(|message| message.role.instructs()).map(Message::text)
}

/// The developer message: instructions, functions, the schema of the answer.
fn developer(tokenizer: Tokenizer, request: &Request, instructions: Option<&str>, ledger: &mut Ledger) {
    let mut sections = Vec::new();
    if let Some(text) = instructions {
        let text = format!("# Instructions\n\n{text}");
        ledger.add(What::Message(0), openai::text(tokenizer, &text));
        sections.push(text);
    }
    if !request.tools.is_empty() {
        let namespace = typescript::namespace(&typescript::declarations(&request.tools, &typescript::HARMONY));
        sections.push(format!("# Tools\n\n## functions\n\n{namespace}"));
    }
    sections.extend(request.response.as_ref().map(schema::section));
    if sections.is_empty() {
        return;
    }
    let mut parts = instructions.map_or(0, |_| sections.first().map_or(0, |text| openai::text(tokenizer, text)));
    let declared = |tool: &Tool| openai::text(tokenizer, &typescript::declaration(tool, &typescript::HARMONY));
    parts += request.tools.counted("gpt-oss", tokenizer, |tools| ToolCounts::of(tools, declared, 0)).note(ledger);
    ledger.add(What::Frame, FRAME + openai::text(tokenizer, &sections.join("\n\n")) - parts);
}

fn message(tokenizer: Tokenizer, message: &Message) -> i64 {
    let said = message.text();
    let channel = if message.role == Role::Assistant { CHANNEL } else { 0 };
    let mut tokens = match said.is_empty() && message.content.iter().any(is_call) {
        true => 0,
        false => openai::plain(tokenizer, message) + channel,
    };
    for content in &message.content {
        tokens += match content {
            Content::Call(it) => {
                wrapped(tokenizer, &format!("assistant to=functions.{}commentary json", it.name), &it.arguments)
            }
            Content::Result(it) => {
                wrapped(tokenizer, &format!("functions.{} to=assistantcommentary", it.name), &it.text)
            }
            Content::Text(_) | Content::Image(_) => 0,
        };
    }
    tokens
}

const fn is_call(content: &Content) -> bool {
    matches!(content, Content::Call(_) | Content::Result(_))
}

/// A header of words, `<|start|>`, `<|channel|>`, `<|constrain|>` or its space, `<|message|>` and the end.
fn wrapped(tokenizer: Tokenizer, header: &str, body: &str) -> i64 {
    openai::text(tokenizer, header) + openai::text(tokenizer, body) + 5
}
