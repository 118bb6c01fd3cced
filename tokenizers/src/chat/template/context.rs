//! A request as the variables that `transformers` passes to a chat template.

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::{RenderOptions, marks::Marks};
use crate::chat::{
    count::What,
    request::{Content, Message, Request, Role, Tool, ToolCall, ToolChoice},
};

/// The variables, and the size of what the caller put into them.
pub(super) struct Context {
    pub value: Value,
    pub bytes: usize,
}

/// Whether a template goes through content part by part, by the same sign that vLLM looks for.
pub(super) fn takes_parts(template: &str) -> bool {
    ["'type'] ==", "\"type\"] ==", ".type =="].iter().any(|sign| template.contains(sign))
        && ["'image", "\"image"].iter().any(|sign| template.contains(sign))
}

/// Whether the model is shown the tools: SGLang and TGI leave them out where none may be called.
pub(super) fn offers_tools(request: &Request) -> bool {
    !request.tools.is_empty() && request.tool_choice != ToolChoice::None
}

pub(super) fn context(
    request: &Request,
    options: &RenderOptions,
    tokens: &Map<String, Json>,
    takes_parts: bool,
    marks: &Marks,
) -> Context {
    let mut messages = Vec::new();
    for (idx, each) in request.messages.iter().enumerate() {
        messages.extend(
            split(each).iter().map(|part| message(part, takes_parts, &Mark { marks, what: What::Message(idx) })),
        );
    }
    let tools = match offers_tools(request) {
        true => {
            let tool = |(idx, each)| tool(each, &Mark { marks, what: What::Tool(idx) });
            Json::Array(request.tools.iter().enumerate().map(tool).collect())
        }
        false => Json::Null,
    };
    let mut fields = tokens.clone();
    fields.extend([("messages".to_owned(), Json::Array(messages)), ("tools".to_owned(), tools)]);
    fields.insert("documents".to_owned(), Json::Null);
    fields.insert("add_generation_prompt".to_owned(), Json::Bool(true));
    fields.extend(options.variables.clone());
    fields.extend(request.template_options.clone());
    let bytes = fields.iter().map(|(name, value)| name.len() + size(value)).sum();
    Context { value: Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), convert(value)))), bytes }
}

/// Marks of one part.
struct Mark<'a> {
    marks: &'a Marks,
    what: What,
}

impl Mark<'_> {
    fn text(&self, text: &str) -> String {
        self.marks.text(&self.what, text)
    }

    /// A JSON value with its texts marked.
    fn json(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(text)),
            Json::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.json(value))).collect(),
            _ => value.clone(),
        }
    }
}

/// Templates know one result a message: results that travel together become messages of their own, as on the servers
/// that take such formats.
fn split(message: &Message) -> Vec<Message> {
    let is_result = |content: &&Content| matches!(content, Content::Result(_));
    if !message.content.iter().any(|content| is_result(&content)) {
        return vec![message.clone()];
    }
    let results = message.content.iter().filter(is_result);
    let mut messages: Vec<_> = results.map(|it| Message::new(Role::Tool, vec![it.clone()])).collect();
    let rest: Vec<_> = message.content.iter().filter(|content| !is_result(content)).cloned().collect();
    if !rest.is_empty() {
        messages.push(Message { content: rest, ..message.clone() });
    }
    messages
}

fn message(message: &Message, takes_parts: bool, mark: &Mark<'_>) -> Json {
    let mut fields = Map::new();
    fields.insert("role".to_owned(), message.role.word().into());
    if let Some(Content::Result(result)) = message.content.first() {
        fields.insert("content".to_owned(), mark.text(&result.text).into());
        fields.insert("name".to_owned(), result.name.as_str().into());
        fields.insert("tool_call_id".to_owned(), result.id.as_str().into());
        return Json::Object(fields);
    }
    fields.insert("content".to_owned(), content(message, takes_parts, mark));
    if let Some(name) = &message.name {
        fields.insert("name".to_owned(), name.as_str().into());
    }
    if !message.reasoning.is_empty() {
        fields.insert("reasoning_content".to_owned(), mark.text(&message.reasoning).into());
    }
    let calls: Vec<_> = message.calls().map(|each| call(each, mark)).collect();
    if !calls.is_empty() {
        fields.insert("tool_calls".to_owned(), Json::Array(calls));
    }
    Json::Object(fields)
}

/// Text alone is a string, its parts a line each, as vLLM joins them; with pictures it is a list of parts.
fn content(message: &Message, takes_parts: bool, mark: &Mark<'_>) -> Json {
    let texts: Vec<_> = message.content.iter().filter_map(text).map(|text| mark.text(text)).collect();
    let is_image = |content: &Content| matches!(content, Content::Image(_));
    if !(takes_parts && message.content.iter().any(is_image)) {
        return texts.join("\n").into();
    }
    let part = |content: &Content| match content {
        Content::Text(text) => Some(serde_json::json!({"type": "text", "text": mark.text(text)})),
        Content::Image(_) => Some(serde_json::json!({"type": "image"})),
        _ => None,
    };
    message.content.iter().filter_map(part).collect()
}

fn text(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

/// Arguments go in as an object: templates write it in their own way.
fn call(call: &ToolCall, mark: &Mark<'_>) -> Json {
    let arguments = serde_json::from_str::<Json>(&call.arguments).ok().filter(Json::is_object);
    let arguments = arguments.unwrap_or_else(|| call.arguments.as_str().into());
    let function = serde_json::json!({"name": mark.text(&call.name), "arguments": mark.json(&arguments)});
    serde_json::json!({"id": call.id, "type": "function", "function": function})
}

fn tool(tool: &Tool, mark: &Mark<'_>) -> Json {
    let mut function = Map::new();
    function.insert("name".to_owned(), mark.text(&tool.name).into());
    function.insert("description".to_owned(), mark.text(&tool.description).into());
    function.insert("parameters".to_owned(), described(&tool.parameters, mark, 0));
    function.extend(tool.rest.clone());
    serde_json::json!({"type": "function", "function": function})
}

/// Only descriptions are marked: templates compare the other texts of a schema.
fn described(schema: &Json, mark: &Mark<'_>, depth: usize) -> Json {
    const MAX_DEPTH: usize = 64;
    match schema {
        _ if depth > MAX_DEPTH => schema.clone(),
        Json::Array(items) => items.iter().map(|item| described(item, mark, depth + 1)).collect(),
        Json::Object(fields) => {
            let field = |(name, value): (&String, &Json)| match value {
                Json::String(text) if name == "description" => (name.clone(), mark.text(text).into()),
                _ => (name.clone(), described(value, mark, depth + 1)),
            };
            fields.iter().map(field).collect()
        }
        _ => schema.clone(),
    }
}

fn size(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| size(item) + 2).sum(),
        Json::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value) + 4).sum(),
        _ => 8,
    }
}

/// Number by number, because `arbitrary_precision` hides them from serde.
fn convert(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(it) => Value::from(*it),
        Json::Number(it) => number(it),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(convert).collect::<Value>(),
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), convert(value)))),
    }
}

fn number(number: &serde_json::Number) -> Value {
    let text = number.to_string();
    let whole = text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<i128>().map(Value::from));
    whole.unwrap_or_else(|_| number.as_f64().map_or_else(|| Value::from(text), Value::from))
}
