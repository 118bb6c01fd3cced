//! Which part of a rendered prompt comes from which part of the request: texts are rendered with marks inside.

use std::cell::RefCell;

use crate::chat::{
    count::What,
    request::{Content, Message, Request},
};

/// Characters of a private use area, which hardly any text has.
const PRIVATE: std::ops::RangeInclusive<char> = '\u{f0000}'..='\u{ffffd}';

/// What is put into texts before they are rendered.
pub(super) struct Marks {
    /// Keeps texts from spelling control tokens.
    breaker: Option<(char, super::special::Specials)>,
    mark: Option<char>,
    /// The parts whose marks these are, in the order in which they were made; a mark is followed by its number.
    parts: RefCell<Vec<What>>,
}

/// A mark in the rendered text.
pub(super) struct Found {
    pub at: usize,
    pub what: What,
}

impl Marks {
    pub(super) const fn none() -> Self {
        Self { breaker: None, mark: None, parts: RefCell::new(Vec::new()) }
    }

    pub(super) const fn breaking(breaker: char, specials: super::special::Specials) -> Self {
        Self { breaker: Some((breaker, specials)), mark: None, parts: RefCell::new(Vec::new()) }
    }

    /// The same with a mark in every text.
    pub(super) fn marking(self, mark: char) -> Self {
        Self { mark: Some(mark), ..self }
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
    let tools = request.tools.iter().map(|tool| format!("{}{}{}", tool.name, tool.description, tool.parameters));
    let texts: Vec<String> = request.messages.iter().flat_map(texts).map(str::to_owned).chain(tools).collect();
    let mut free = PRIVATE.filter(|char| !texts.iter().any(|text| text.contains(*char)));
    Some((free.next()?, free.next()?))
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
