//! A text in parts that no merge goes across: tokens that are taken as they are, and what lies between, cut wherever no
//! token holds the two bytes side by side.

use super::matcher::Matcher;
use crate::cuts::Cuts;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A token.
    Token(u32),
    /// Text to be merged, from its start to its end.
    Plain(usize, usize),
}

/// Goes through a text.
pub(super) struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
    matcher: &'a Matcher,
    cuts: &'a Cuts,
}

impl<'a> Parts<'a> {
    pub(super) fn new(text: &'a str, matcher: &'a Matcher, cuts: &'a Cuts) -> Self {
        Self { bytes: text.as_bytes(), at: 0, matcher, cuts }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    #[inline]
    fn next(&mut self) -> Option<Part> {
        let (start, bytes) = (self.at, self.bytes);
        if start == bytes.len() {
            return None;
        }
        if let Some((id, end)) = self.matcher.longest(bytes, start) {
            self.at = end;
            return Some(Part::Token(id));
        }
        let mut at = start + 1;
        while at < bytes.len()
            && self.cuts.may_join(bytes[at - 1], bytes[at])
            && self.matcher.longest(bytes, at).is_none()
        {
            at += 1;
        }
        self.at = at;
        Some(Part::Plain(start, at))
    }
}
