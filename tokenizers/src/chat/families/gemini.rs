//! Gemini: text costs its own tokens and nothing around it; tools are written as Gemma's published template for function
//! calls writes them (<https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices>).
//!
//! That hosted models use that form is a guess, which recordings bear out within a few tokens a tool.

use serde_json::{Map, Value};

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        images::ImageRule,
        request::{Content, Message, Request, Tool},
        tools::ToolCounts,
    },
};

/// What one generation of models charges, as fitted.
struct Generation {
    name: &'static str,
    /// Around a tool, and whether its schema is written where it has no properties.
    tool: i64,
    empty_schema: bool,
    /// Around a call: from 2.5 on with the thought that led to it.
    call: i64,
}

const GEMINI_2: Generation = Generation { name: "gemini-2", tool: -2, empty_schema: true, call: 20 };
const GEMINI_3: Generation = Generation { name: "gemini-3", tool: 3, empty_schema: false, call: 150 };

/// Schemas from a caller may be nested as deep as they like.
const MAX_DEPTH: usize = 64;

/// Keywords that the API does not pass on.
const DROPPED: &[&str] = &["additionalProperties", "title", "strict", "$schema"];

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
    let each = |it: &Tool| tool(rule, tokenizer, it);
    request.tools.counted(rule.name, tokenizer, |tools| ToolCounts::of(tools, each, 0)).note(&mut ledger);
    openai::images(ImageRule::Gemini, request, &mut ledger);
    let permille = match (request.has_calls(), request.tools.is_empty()) {
        (true, _) => 600,
        (false, false) => 400,
        (false, true) => 60,
    };
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
    let mut writer = Writer { tokenizer, tokens: rule.tool, open: String::new() };
    writer.plain(&format!("declaration:{}{{description:", tool.name));
    writer.quoted(&tool.description);
    let has_properties =
        tool.parameters.get("properties").is_some_and(|it| it.as_object().is_some_and(|it| !it.is_empty()));
    if has_properties || (rule.empty_schema && tool.parameters.is_object()) {
        writer.plain(",parameters:");
        writer.value(&tool.parameters, Place::Schema, 0);
    }
    writer.plain("}");
    writer.closed()
}

/// What a value stands for: a schema has keywords, of which some are dropped; a list of properties has names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Schema,
    Properties,
    Other,
}

/// Counts as it writes: texts stand between control tokens, and tokens never reach across one.
struct Writer {
    tokenizer: Tokenizer,
    tokens: i64,
    open: String,
}

impl Writer {
    fn plain(&mut self, text: &str) {
        self.open.push_str(text);
    }

    fn quoted(&mut self, text: &str) {
        let before = std::mem::take(&mut self.open);
        self.tokens += 2 + openai::text(self.tokenizer, &before) + openai::text(self.tokenizer, text);
    }

    fn closed(self) -> i64 {
        self.tokens + openai::text(self.tokenizer, &self.open)
    }

    fn value(&mut self, value: &Value, place: Place, depth: usize) {
        match value {
            _ if depth >= MAX_DEPTH => self.plain("null"),
            Value::Object(fields) => self.object(fields, place, depth),
            Value::Array(items) => {
                self.plain("[");
                for (idx, item) in items.iter().enumerate() {
                    self.plain(if idx == 0 { "" } else { "," });
                    self.value(item, if item.is_object() { Place::Schema } else { Place::Other }, depth + 1);
                }
                self.plain("]");
            }
            Value::String(text) => self.quoted(text),
            _ => self.plain(&value.to_string()),
        }
    }

    /// Names in order of the alphabet; types in capitals.
    fn object(&mut self, fields: &Map<String, Value>, place: Place, depth: usize) {
        let dropped =
            |name: &str, value: &Value| place == Place::Schema && DROPPED.contains(&name) && !value.is_object();
        let mut kept: Vec<_> = fields.iter().filter(|(name, value)| !dropped(name, value)).collect();
        kept.sort_by_key(|(name, _)| name.as_str());
        self.plain("{");
        for (idx, (name, value)) in kept.into_iter().enumerate() {
            self.plain(if idx == 0 { "" } else { "," });
            self.plain(&format!("{name}:"));
            match (place, name.as_str(), value) {
                (Place::Schema, "type", Value::String(word)) => self.quoted(&word.to_ascii_uppercase()),
                (Place::Schema, "properties", _) => self.value(value, Place::Properties, depth + 1),
                (Place::Other, ..) => self.value(value, Place::Other, depth + 1),
                _ => self.value(value, Place::Schema, depth + 1),
            }
        }
        self.plain("}");
    }
}
