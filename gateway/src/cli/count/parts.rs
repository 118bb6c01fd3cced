//! The parts of a request: what they are called, how they begin, and what each costs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::requests::Bill;
use crate::cli::table::clean;
use tollgate_tokenizers::chat::{Content, Message, Request, RequestCount, What};

/// How much of a text is looked at for its first words.
const MOST_CHARS: usize = 300;

/// How many of them stand in JSON.
const SHOWN_CHARS: usize = 80;

/// A part of a request.
pub struct Label {
    /// Its place among the parts.
    key: Key,
    /// What it is: `user 2`, `tool look`.
    pub name: String,
    /// Its first words.
    pub begins: String,
    /// The same for programs.
    fields: Value,
}

/// Parts in their order: messages, pictures, tools, the schema, the frame.
type Key = (u8, usize);

const fn key(what: &What) -> Key {
    match what {
        What::Message(idx) => (0, *idx),
        What::Image(idx) => (1, *idx),
        What::Tool(idx) => (2, *idx),
        What::ResponseSchema => (3, 0),
        What::Frame => (4, 0),
    }
}

/// A part and what it costs in each bill; nothing where a family has no such part.
pub struct Line<'a> {
    pub label: &'a Label,
    pub tokens: Vec<i64>,
}

/// Names for all parts that a count can have.
pub fn labels(request: &Request) -> Vec<Label> {
    let messages = request.messages.iter().enumerate().map(|(idx, it)| message(idx, it));
    let images = request.messages.iter().enumerate().filter_map(|(idx, it)| images(idx, it));
    let tools = request.tools.iter().enumerate().map(|(idx, tool)| Label {
        key: key(&What::Tool(idx)),
        name: clean(&format!("tool {}", tool.name)),
        begins: begins(&tool.description),
        fields: json!({"what": "tool", "index": idx, "name": tool.name}),
    });
    let response = request.response.as_ref().map(|response| Label {
        key: key(&What::ResponseSchema),
        name: "response schema".into(),
        begins: begins(&response.name),
        fields: json!({"what": "response_schema", "name": response.name}),
    });
    let frame = Label {
        key: key(&What::Frame),
        name: "frame".into(),
        begins: "what the provider writes around the rest".into(),
        fields: json!({"what": "frame"}),
    };
    messages.chain(images).chain(tools).chain(response).chain([frame]).collect()
}

fn message(idx: usize, message: &Message) -> Label {
    let role = message.role.word();
    let begins = first_words(message);
    let fields = json!({"what": "message", "index": idx, "role": role, "begins": shortened(&begins)});
    Label { key: key(&What::Message(idx)), name: format!("{role} {}", idx + 1), begins, fields }
}

fn images(idx: usize, message: &Message) -> Option<Label> {
    let sizes: Vec<String> = message.content.iter().filter_map(size).collect();
    (!sizes.is_empty()).then(|| Label {
        key: key(&What::Image(idx)),
        name: format!("images of {} {}", message.role.word(), idx + 1),
        begins: sizes.join(", "),
        fields: json!({"what": "images", "index": idx, "sizes": sizes}),
    })
}

fn size(content: &Content) -> Option<String> {
    let Content::Image(image) = content else { return None };
    let size = image.size.map(|(width, height)| format!("{width} x {height}"));
    Some(size.unwrap_or_else(|| "of unknown size, taken for 1024 x 1024".into()))
}

/// What is said; where nothing is, what is called or answered.
fn first_words(message: &Message) -> String {
    let words = message.content.iter().find_map(|content| match content {
        Content::Text(text) if !text.trim().is_empty() => Some(begins(text)),
        Content::Call(call) => Some(begins(&format!("calls {} {:.300}", call.name, call.arguments))),
        Content::Result(result) => Some(begins(&format!("{} answered: {:.300}", result.name, result.text))),
        _ => None,
    });
    words.unwrap_or_default()
}

/// The beginning of a text on one line.
fn begins(text: &str) -> String {
    clean(&text.trim_start().chars().take(MOST_CHARS).collect::<String>())
}

fn shortened(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

/// What the parts cost, bill by bill.
pub fn lines<'a>(labels: &'a [Label], bills: &[Bill]) -> Vec<Line<'a>> {
    let sums: Vec<_> = bills.iter().map(|bill| sums(&bill.count)).collect();
    let line = |label: &'a Label| {
        let tokens = sums.iter().map(|sums| sums.get(&label.key).copied().unwrap_or(0)).collect();
        Line { label, tokens }
    };
    labels.iter().map(line).filter(|line| line.tokens.iter().any(|it| *it != 0)).collect()
}

/// A picture each is a part of its own; what a message's pictures cost is shown together.
fn sums(count: &RequestCount) -> BTreeMap<Key, i64> {
    let mut sums = BTreeMap::new();
    for part in &count.parts {
        *sums.entry(key(&part.what)).or_default() += part.tokens;
    }
    sums
}

/// The parts of one bill for programs.
pub fn as_json(labels: &[Label], bill: &Bill) -> Value {
    let total = bill.count.total;
    let part = |line: Line<'_>| {
        let tokens = line.tokens.first().copied().unwrap_or(0);
        let mut fields = line.label.fields.clone();
        fields["tokens"] = tokens.into();
        fields["share"] = share(tokens, total).into();
        fields
    };
    lines(labels, std::slice::from_ref(bill)).into_iter().map(part).collect()
}

/// Of the total, 0 to 1; a frame can be below.
pub fn share(tokens: i64, total: usize) -> Option<f64> {
    (total > 0).then(|| tokens as f64 / total as f64)
}
