//! Control tokens in a rendered prompt, and what the text around them costs.

use crate::{Tokenizer, pieces::Matcher};

/// The spellings of control tokens.
pub(super) struct Specials {
    matcher: Matcher,
    names: Vec<String>,
    /// Which bytes begin one: hardly any place of a text does.
    begins: [bool; 256],
}

impl Specials {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self::of_names(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    fn of_names(names: Vec<String>) -> Self {
        let mut begins = [false; 256];
        names.iter().filter_map(|name| name.bytes().next()).for_each(|byte| begins[usize::from(byte)] = true);
        let numbered = names.iter().enumerate().map(|(idx, name)| (idx as u32, name.as_bytes()));
        Self { matcher: Matcher::new(numbered), names, begins }
    }

    /// These and the tokenizer's own.
    pub(super) fn with(&self, tokenizer: Tokenizer) -> Self {
        Self::of_names(self.names.iter().cloned().chain(tokenizer.special_names().map(str::to_owned)).collect())
    }

    /// The first control token at or behind `from`.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let mut places = (from..bytes.len()).filter(|at| self.begins[usize::from(bytes[*at])]);
        places.find_map(|at| self.matcher.longest(bytes, at).map(|(_, end)| (at, end)))
    }

    /// The tokens of `text`; `breaker` is a character that only keeps texts from spelling a control token.
    pub(super) fn count(&self, tokenizer: Tokenizer, text: &str, breaker: Option<char>) -> usize {
        let ordinary = |text: &str| match breaker {
            Some(breaker) if text.contains(breaker) => tokenizer.count(&text.replace(breaker, "")),
            _ => tokenizer.count(text),
        };
        let (mut total, mut at) = (0, 0);
        while let Some((start, end)) = self.find(text, at) {
            total += ordinary(&text[at..start]) + 1;
            at = end;
        }
        total + ordinary(&text[at..])
    }

    /// `text` with `breaker` inside every spelling of a control token.
    pub(super) fn broken(&self, text: &str, breaker: char) -> String {
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        while let Some((start, _)) = self.find(text, at) {
            let inside = start + text[start..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&text[at..inside]);
            out.push(breaker);
            at = inside;
        }
        out + &text[at..]
    }
}
