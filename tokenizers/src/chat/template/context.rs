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
    marks: &Marks<'_>,
) -> Context {
    let mut messages = Vec::new();
    for (idx, each) in request.messages.iter().enumerate() {
        let mark = Mark { marks, what: What::Message(idx) };
        match split(each) {
            Some(parts) => messages.extend(parts.iter().map(|part| message(part, takes_parts, &mark))),
            None => messages.push(message(each, takes_parts, &mark)),
        }
    }
    let tools = match offers_tools(request) {
        true => {
            let tool = |(idx, each)| tool(each, &Mark { marks, what: What::Tool(idx) });
            request.tools.iter().enumerate().map(tool).collect::<Value>()
        }
        false => Value::from(()),
    };
    let mut fields: Map<String, Json> = tokens.clone();
    fields.insert("documents".to_owned(), Json::Null);
    fields.insert("add_generation_prompt".to_owned(), Json::Bool(true));
    fields.extend(options.variables.clone());
    fields.extend(request.template_options.clone());
    let bytes = size_of(request) + fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>();
    let set = |name: &str| !fields.contains_key(name);
    let of_request = [("messages", Value::from(messages)), ("tools", tools)];
    let of_request = of_request.into_iter().filter(|(name, _)| set(name));
    let others = fields.iter().map(|(name, value)| (name.as_str(), plain(value)));
    Context { value: Value::from_pairs(others.chain(of_request)), bytes }
}

/// Marks of one part.
struct Mark<'a> {
    marks: &'a Marks<'a>,
    what: What,
}

impl Mark<'_> {
    fn text(&self, text: &str) -> Value {
        if self.marks.are_none() { Value::from(text) } else { Value::from(self.marks.text(&self.what, text)) }
    }
}

/// Templates know one result a message: results that travel together become messages of their own, as on the servers
/// that take such formats.
fn split(message: &Message) -> Option<Vec<Message>> {
    let is_result = |content: &&Content| matches!(content, Content::Result(_));
    if !message.content.iter().any(|content| is_result(&content)) {
        return None;
    }
    let results = message.content.iter().filter(is_result);
    let mut messages: Vec<_> = results.map(|it| Message::new(Role::Tool, vec![it.clone()])).collect();
    let rest: Vec<_> = message.content.iter().filter(|content| !is_result(content)).cloned().collect();
    if !rest.is_empty() {
        messages.push(Message { content: rest, ..message.clone() });
    }
    Some(messages)
}

fn message(message: &Message, takes_parts: bool, mark: &Mark<'_>) -> Value {
    let mut fields = vec![("role", Value::from(message.role.word()))];
    if let Some(Content::Result(result)) = message.content.first() {
        fields.push(("content", mark.text(&result.text)));
        fields.push(("name", Value::from(result.name.as_str())));
        fields.push(("tool_call_id", Value::from(result.id.as_str())));
        return Value::from_pairs(fields);
    }
    fields.push(("content", content(message, takes_parts, mark)));
    if let Some(name) = &message.name {
        fields.push(("name", Value::from(name.as_str())));
    }
    if !message.reasoning.is_empty() {
        fields.push(("reasoning_content", mark.text(&message.reasoning)));
    }
    let calls: Vec<Value> = message.calls().map(|each| call(each, mark)).collect();
    if !calls.is_empty() {
        fields.push(("tool_calls", Value::from(calls)));
    }
    Value::from_pairs(fields)
}

/// Text alone is a string, its parts a line each, as vLLM joins them; with pictures it is a list of parts.
fn content(message: &Message, takes_parts: bool, mark: &Mark<'_>) -> Value {
    let is_image = |content: &Content| matches!(content, Content::Image(_));
    if !(takes_parts && message.content.iter().any(is_image)) {
        let mut texts = message.content.iter().filter_map(text).map(|text| mark.text(text));
        let first = texts.next().unwrap_or_else(|| Value::from(""));
        return texts.fold(first, |said, text| Value::from(format!("{said}\n{text}")));
    }
    let part = |content: &Content| match content {
        Content::Text(text) => Some(Value::from_pairs([("type", Value::from("text")), ("text", mark.text(text))])),
        Content::Image(_) => Some(Value::from_pairs([("type", Value::from("image"))])),
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
fn call(call: &ToolCall, mark: &Mark<'_>) -> Value {
    let arguments = serde_json::from_str::<Json>(&call.arguments).ok().filter(Json::is_object);
    // A call's texts are marked wherever they stand, other texts as they are.
    let arguments = match arguments {
        Some(object) => convert(&object, &|_, text| mark.text(text), ""),
        None => Value::from(call.arguments.as_str()),
    };
    function([("id", Value::from(call.id.as_str()))], [("name", mark.text(&call.name)), ("arguments", arguments)])
}

fn tool(tool: &Tool, mark: &Mark<'_>) -> Value {
    // Only descriptions are marked: templates compare the other texts of a schema.
    let described = |name: &str, text: &str| if name == "description" { mark.text(text) } else { Value::from(text) };
    let fields = [
        ("name", mark.text(&tool.name)),
        ("description", mark.text(&tool.description)),
        ("parameters", convert(&tool.parameters, &described, "")),
    ];
    let fields = fields.into_iter().filter(|(name, _)| !tool.rest.contains_key(*name));
    function([], fields.chain(tool.rest.iter().map(|(name, value)| (name.as_str(), plain(value)))))
}

/// A function as OpenAI wraps it, `before` in front.
fn function<'a>(
    before: impl IntoIterator<Item = (&'a str, Value)>,
    fields: impl IntoIterator<Item = (&'a str, Value)>,
) -> Value {
    let wrapped = [("type", Value::from("function")), ("function", Value::from_pairs(fields))];
    Value::from_pairs(before.into_iter().chain(wrapped))
}

/// About how long the request is, in bytes.
fn size_of(request: &Request) -> usize {
    let content = |content: &Content| match content {
        Content::Text(text) => text.len(),
        Content::Call(call) => call.id.len() + call.name.len() + call.arguments.len(),
        Content::Result(result) => result.id.len() + result.name.len() + result.text.len(),
        Content::Image(_) => 0,
    };
    let contents: usize = request.contents().map(|it| content(it) + 32).sum();
    let thoughts: usize = request.messages.iter().map(|it| it.reasoning.len() + 32).sum();
    let tool = |tool: &Tool| tool.name.len() + tool.description.len() + size(&tool.parameters) + 64;
    contents + thoughts + request.tools.iter().map(tool).sum::<usize>()
}

fn size(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| size(item) + 2).sum(),
        Json::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value) + 4).sum(),
        _ => 8,
    }
}

fn plain(value: &Json) -> Value {
    convert(value, &|_, text| Value::from(text), "")
}

/// A JSON value as the template's, number by number, because `arbitrary_precision` hides them from serde. `text` makes
/// the texts, told the name of the field that they stand in.
fn convert(value: &Json, text: &dyn Fn(&str, &str) -> Value, field: &str) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(it) => Value::from(*it),
        Json::Number(it) => number(it),
        Json::String(it) => text(field, it),
        Json::Array(items) => items.iter().map(|item| convert(item, text, "")).collect::<Value>(),
        Json::Object(fields) => {
            Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), convert(value, text, name))))
        }
    }
}

fn number(number: &serde_json::Number) -> Value {
    let text = number.as_str();
    let whole = text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<i128>().map(Value::from));
    whole.unwrap_or_else(|_| number.as_f64().map_or_else(|| Value::from(text), Value::from))
}
