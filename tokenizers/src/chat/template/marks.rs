//! Which part of a rendered prompt comes from which part of the request: texts are rendered with marks inside.

use std::cell::RefCell;

use serde_json::Value;

use crate::chat::{
    count::What,
    request::{Content, Message, Request, Tool},
};

/// Characters of a private use area, which hardly any text has.
const PRIVATE: std::ops::RangeInclusive<char> = '\u{f0000}'..='\u{ffffd}';

/// What is put into texts before they are rendered.
pub(super) struct Marks<'a> {
    /// Keeps texts from spelling control tokens.
    breaker: Option<(char, &'a super::special::Specials)>,
    mark: Option<char>,
    /// The parts whose marks these are, in the order in which they were made; a mark is followed by its number.
    parts: RefCell<Vec<What>>,
}

/// A mark in the rendered text.
pub(super) struct Found {
    pub at: usize,
    pub what: What,
}

impl<'a> Marks<'a> {
    pub(super) const fn none() -> Self {
        Self { breaker: None, mark: None, parts: RefCell::new(Vec::new()) }
    }

    pub(super) const fn breaking(breaker: char, specials: &'a super::special::Specials) -> Self {
        Self { breaker: Some((breaker, specials)), mark: None, parts: RefCell::new(Vec::new()) }
    }

    /// The same with a mark in every text.
    pub(super) fn marking(self, mark: char) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// Whether texts stay as they are.
    pub(super) const fn are_none(&self) -> bool {
        self.breaker.is_none() && self.mark.is_none()
    }

    /// `text` of `what`, marked behind its first character and before its last, where no template trims it away.
    pub(super) fn text(&self, what: &What, text: &str) -> String {
        let text = match &self.breaker {
            Some((breaker, specials)) => specials.broken(text, *breaker),
            None => text.to_owned(),
        };
        let (Some(mark), false) = (self.mark, text.trim().is_empty()) else { return text };
        let mut parts = self.parts.borrow_mut();
        let number = parts.len();
        parts.push(what.clone());
        let start = text.len() - text.trim_start().len();
        let end = text.trim_end().len();
        let mark = format!("{mark}{number}{mark}");
        format!("{}{mark}{}{mark}{}", &text[..start], &text[start..end], &text[end..])
    }

    /// The rendered text without marks, and where they stood.
    pub(super) fn found(&self, rendered: &str) -> (String, Vec<Found>) {
        let Some(mark) = self.mark else { return (rendered.to_owned(), Vec::new()) };
        let (mut text, mut found) = (String::with_capacity(rendered.len()), Vec::new());
        let parts = self.parts.borrow();
        for (idx, piece) in rendered.split(mark).enumerate() {
            let what =
                (idx % 2 == 1).then(|| piece.parse::<usize>().ok().and_then(|number| parts.get(number))).flatten();
            match what {
                Some(what) => found.push(Found { at: text.len(), what: what.clone() }),
                None => text.push_str(piece),
            }
        }
        (text, found)
    }
}

/// Two characters that the request does not have.
pub(super) fn unused(request: &Request) -> Option<(char, char)> {
    let texts: Vec<&str> = request.messages.iter().flat_map(texts).collect();
    let is_free = |char: &char| {
        let of_tool = |tool: &Tool| has(&tool.name, *char) || has(&tool.description, *char);
        let schemas = || request.tools.iter().any(|tool| of_tool(tool) || is_within(&tool.parameters, *char));
        !texts.iter().any(|text| has(text, *char)) && !schemas()
    };
    let mut free = PRIVATE.filter(is_free);
    Some((free.next()?, free.next()?))
}

fn has(text: &str, char: char) -> bool {
    text.contains(char)
}

/// Whether a text or a name within a schema has the character.
fn is_within(schema: &Value, char: char) -> bool {
    match schema {
        Value::String(text) => has(text, char),
        Value::Array(items) => items.iter().any(|item| is_within(item, char)),
        Value::Object(fields) => fields.iter().any(|(name, value)| has(name, char) || is_within(value, char)),
        _ => false,
    }
}

fn texts(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().flat_map(words).chain([message.reasoning.as_str()])
}

fn words(content: &Content) -> [&str; 2] {
    match content {
        Content::Text(text) => [text, ""],
        Content::Call(call) => [&call.name, &call.arguments],
        Content::Result(result) => [&result.text, ""],
        Content::Image(_) => ["", ""],
    }
}
