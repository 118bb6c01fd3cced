//! Token counts of any part of a text, after going through the text once.

use crate::{cut, encoder::Place, tokenizer::Tokenizer};

/// A cut is looked up through blocks of this many bytes.
const BLOCK_BYTES: usize = 64;

/// Counts of the parts of one text. A query looks at about a word at either end and adds what lies between from a sum.
pub struct Intervals<'a> {
    tokenizer: Tokenizer,
    text: &'a str,
    /// Places where the text may be cut without changing tokens, from 0 to its length, in ascending order.
    cuts: Vec<usize>,
    /// How many tokens stand before each cut.
    before: Vec<usize>,
    /// The first cut at or behind the start of each block, by its place in `cuts`.
    block: Vec<usize>,
}

impl<'a> Intervals<'a> {
    pub(crate) fn new(tokenizer: Tokenizer, text: &'a str) -> Self {
        let mut made = Self { tokenizer, text, cuts: vec![0], before: vec![0], block: Vec::new() };
        let mut total = 0;
        for (word, place) in cut::words(tokenizer.cuts(), text).zip(cut::places(Place::First)) {
            total += tokenizer.count_at(word, place);
            made.cuts.push(made.cuts.last().unwrap_or(&0) + word.len());
            made.before.push(total);
        }
        let mut first = 0;
        for block in 0..=text.len() / BLOCK_BYTES {
            while made.cuts[first] < (block * BLOCK_BYTES).min(text.len()) {
                first += 1;
            }
            made.block.push(first);
        }
        made
    }

    /// The tokens of the whole text.
    #[must_use]
    pub fn total(&self) -> usize {
        self.before.last().copied().unwrap_or(0)
    }

    /// How many tokens `text[start..end]` is, standing alone. Ends inside a character are moved inwards.
    #[must_use]
    pub fn count(&self, start: usize, end: usize) -> usize {
        let (start, end) = (self.text.ceil_char_boundary(start), self.text.floor_char_boundary(end));
        if start >= end {
            return 0;
        }
        // A text's first word may cost more than it does behind others: it is counted anew.
        let first = self.behind(start);
        let last = self.at_or_before(end);
        if first >= last {
            return self.tokenizer.count(&self.text[start..end]);
        }
        let head = self.tokenizer.count(&self.text[start..self.cuts[first]]);
        head + (self.before[last] - self.before[first]) + self.rest(self.cuts[last], end)
    }

    fn rest(&self, start: usize, end: usize) -> usize {
        self.tokenizer.count_at(&self.text[start..end], Place::Rest)
    }

    /// The end of the longest part from `start` on that is at most `limit` tokens, on a character boundary.
    #[must_use]
    pub fn end_within(&self, start: usize, limit: usize) -> usize {
        let start = self.text.ceil_char_boundary(start);
        let first = self.behind(start);
        let word = &self.text[start..self.cuts[first]];
        let Some(left) = limit.checked_sub(self.tokenizer.count(word)) else {
            return start + self.tokenizer.prefix_within(word, limit);
        };
        let fitting = self.before.partition_point(|it| *it <= self.before[first] + left) - 1;
        let from = self.cuts[fitting];
        let left = left - (self.before[fitting] - self.before[first]);
        from + cut::prefix_within(self.tokenizer, &self.text[from..], Place::Rest, left)
    }

    /// The start of the longest part up to `end` that is at most `limit` tokens, on a character boundary.
    #[must_use]
    pub fn start_within(&self, end: usize, limit: usize) -> usize {
        let end = self.text.floor_char_boundary(end);
        let last = self.at_or_before(end);
        let tail = (self.cuts[last], end);
        let in_tail = || end - cut::suffix_of_word(self.tokenizer, &self.text[tail.0..tail.1], limit);
        let Some(left) = limit.checked_sub(self.rest(tail.0, tail.1)) else {
            return in_tail();
        };
        let fitting = self.before[..=last].partition_point(|it| self.before[last] - it > left);
        // The part starts in the word before that cut, or, since its first word may cost more, in one behind it.
        let start_in = |cut: usize| {
            let word = &self.text[self.cuts[cut - 1]..self.cuts[cut]];
            let left = left - (self.before[last] - self.before[cut]);
            Some(self.cuts[cut] - cut::suffix_of_word(self.tokenizer, word, left)).filter(|it| *it < self.cuts[cut])
        };
        (fitting.max(1)..=last).find_map(start_in).unwrap_or_else(in_tail)
    }

    /// The first cut at or behind `at`, by its place.
    fn at_or_behind(&self, at: usize) -> usize {
        let first = self.block[at / BLOCK_BYTES];
        first + self.cuts[first..].iter().position(|it| *it >= at).unwrap_or(0)
    }

    /// The first cut behind `at`, or the end of the text, by its place.
    fn behind(&self, at: usize) -> usize {
        let found = self.at_or_behind(at);
        if self.cuts[found] > at { found } else { (found + 1).min(self.cuts.len() - 1) }
    }

    /// The last cut at or before `at`, by its place.
    fn at_or_before(&self, at: usize) -> usize {
        let behind = self.at_or_behind(at);
        if self.cuts[behind] > at { behind - 1 } else { behind }
    }
}
