//! A text's pieces, some hundred at a time: bit-parallel where the text is ASCII, character by character elsewhere.

use std::sync::LazyLock;

use fearless_simd::Level;

use super::{
    Split, deepseek, gpt2,
    rules::{self, Cl100k, Kimi, O200k, Qwen, Rules, Tekken},
    stretch::{MAX_ENDS, Stretch},
    text::Text,
};

/// Before the bit-parallel scanner is tried again, so much ASCII must lie ahead: less does not pay.
const ASCII_AHEAD: usize = 64;

/// What this processor can do.
pub(crate) static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Consecutive pieces. The first starts at `base`.
pub(crate) struct Batch<'a> {
    pub(crate) base: usize,
    /// Where each piece ends, in bytes from `base`.
    pub(crate) ends: &'a [u32],
}

/// Goes through a text once.
pub(crate) struct Scanner<'a, 's> {
    split: Split,
    text: Text<'a>,
    at: usize,
    stretch: &'s mut Stretch,
    level: Level,
}

impl<'a, 's> Scanner<'a, 's> {
    pub(crate) fn new(split: Split, text: &'a str, stretch: &'s mut Stretch) -> Self {
        Self { split, text: Text::new(text), at: 0, stretch, level: *LEVEL }
    }

    /// The next pieces, at least one; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Option<Batch<'_>> {
        if self.at == self.text.len() {
            return None;
        }
        let base = self.at;
        let n_ends = match self.split {
            Split::None => self.whole(),
            Split::Gpt2 => self.slow(gpt2::piece_end),
            Split::Cl100k => self.swift::<Cl100k>(),
            Split::Qwen => self.swift::<Qwen>(),
            Split::O200k => self.swift::<O200k>(),
            Split::Tekken => self.swift::<Tekken>(),
            Split::Kimi => self.swift::<Kimi>(),
            Split::DeepSeek => self.slow(deepseek::piece_end),
        };
        let ends = &self.stretch.ends[..n_ends];
        self.at = base + ends.last().map_or(0, |it| *it as usize);
        Some(Batch { base, ends })
    }

    fn whole(&mut self) -> usize {
        self.stretch.ends[0] = (self.text.len() - self.at) as u32;
        1
    }

    #[inline(always)]
    fn swift<R: Rules>(&mut self) -> usize {
        match self.stretch.scan::<R>(self.level, self.text, self.at) {
            0 => self.slow(rules::piece_end::<R>),
            n_ends => n_ends,
        }
    }

    /// At least one piece, and more until ASCII lies ahead.
    #[inline(always)]
    fn slow(&mut self, piece_end: impl Fn(Text<'_>, usize) -> usize) -> usize {
        let (mut at, mut n_ends) = (self.at, 0);
        while n_ends < MAX_ENDS && at < self.text.len() {
            at = piece_end(self.text, at);
            self.stretch.ends[n_ends] = (at - self.at) as u32;
            n_ends += 1;
            if self.is_ascii_ahead(at) {
                break;
            }
        }
        n_ends
    }

    fn is_ascii_ahead(&self, at: usize) -> bool {
        let ahead = &self.text.bytes()[at..];
        ahead.first_chunk::<ASCII_AHEAD>().is_some_and(|it| it.is_ascii())
    }
}
