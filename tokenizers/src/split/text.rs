//! The text under a pre-tokenizer: what stands where, and how far a run goes.

use super::classes::{ASCII, CLASSES, Classes, Flags};

/// A text with the table of its characters; cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    text: &'a str,
    bytes: &'a [u8],
    classes: &'static Classes,
}

impl<'a> Text<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), classes: &CLASSES }
    }

    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    pub(crate) fn byte(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    #[inline(always)]
    pub(crate) fn flags_at(self, at: usize) -> Option<(Flags, usize)> {
        let byte = self.byte(at)?;
        Some(if byte < 0x80 { (ASCII[byte as usize], 1) } else { self.wide_flags(at) })
    }

    /// Flags and length in bytes of the character at `at`; none and 0 behind the end.
    #[inline(always)]
    pub(crate) fn flags(self, at: usize) -> (Flags, usize) {
        self.flags_at(at).unwrap_or_default()
    }

    fn wide_flags(self, at: usize) -> (Flags, usize) {
        let c = self.text[at..].chars().next().unwrap_or_default();
        (self.classes.of(c), c.len_utf8())
    }

    /// The end of the run of characters from `at` that have one of the flags.
    #[inline(always)]
    pub(crate) fn run(self, at: usize, wanted: Flags) -> usize {
        self.run_while(at, |flags| flags & wanted != 0)
    }

    /// As [`Self::run`], of characters that have none of `unwanted`.
    #[inline(always)]
    pub(crate) fn run_without(self, at: usize, wanted: Flags, unwanted: Flags) -> usize {
        self.run_while(at, |flags| flags & wanted != 0 && flags & unwanted == 0)
    }

    /// The end of the run of characters from `at` that have none of the flags.
    #[inline(always)]
    pub(crate) fn run_of_others(self, at: usize, unwanted: Flags) -> usize {
        self.run_while(at, |flags| flags & unwanted == 0)
    }

    #[inline(always)]
    fn run_while(self, mut at: usize, holds: impl Fn(Flags) -> bool) -> usize {
        while let Some((flags, len)) = self.flags_at(at) {
            if !holds(flags) {
                break;
            }
            at += len;
        }
        at
    }
}
