//! A text in parts that no merge goes across: tokens that are taken as they are, and what lies between, cut wherever no
//! token holds the two bytes side by side.
//!
//! 64 bytes at a time become a mask of the places where a part may end, without a branch; only those are looked at.

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

/// Between which two bytes a part may end: 8 KiB that answer without a look at the vocabulary.
pub(super) struct Stops(Box<[u64; 1 << 10]>);

impl Stops {
    pub(super) fn new(matcher: &Matcher, cuts: &Cuts) -> Self {
        let mut made = Self(Box::new([0; 1 << 10]));
        for (prev, next) in (0..=255).flat_map(|prev| (0..=255).map(move |next| (prev, next))) {
            let stops = !cuts.may_join(prev, next) || matcher.may_start(next);
            let place = usize::from(prev) << 8 | usize::from(next);
            made.0[place / 64] |= u64::from(stops) << (place % 64);
        }
        made
    }

    /// Bit `i` is set if a part may end before the byte `i` of the 64 from `base` on.
    #[inline(always)]
    fn mask(&self, bytes: &[u8], base: usize) -> u64 {
        let (before, first) = (base.saturating_sub(1), u32::from(base == 0));
        let block = &bytes[before..bytes.len().min(base + 64)];
        let has = |[prev, next]: &[u8; 2]| {
            let place = usize::from(*prev) << 8 | usize::from(*next);
            self.0[place / 64] >> (place % 64) & 1
        };
        // The start of a text has no byte before it.
        block.array_windows().zip(first..64).fold(0, |mask, (pair, at)| mask | has(pair) << at)
    }
}

/// Goes through a text.
pub(super) struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
    matcher: &'a Matcher,
    cuts: &'a Cuts,
    stops: &'a Stops,
    /// The places of 64 bytes where a part may end, and the first of those bytes.
    mask: u64,
    base: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn new(text: &'a str, matcher: &'a Matcher, cuts: &'a Cuts, stops: &'a Stops) -> Self {
        let bytes = text.as_bytes();
        Self { bytes, at: 0, matcher, cuts, stops, mask: stops.mask(bytes, 0), base: 0 }
    }

    /// The first place behind `at` where a part may end.
    #[inline(always)]
    fn stop_behind(&mut self, at: usize) -> usize {
        let mut at = at + 1;
        while at < self.bytes.len() {
            let base = at & !63;
            if base != self.base {
                (self.base, self.mask) = (base, self.stops.mask(self.bytes, base));
            }
            let rest = self.mask >> (at - base);
            if rest != 0 {
                return at + rest.trailing_zeros() as usize;
            }
            at = base + 64;
        }
        self.bytes.len()
    }

    #[inline(always)]
    fn is_end(&self, at: usize) -> bool {
        at == self.bytes.len()
            || !self.cuts.may_join(self.bytes[at - 1], self.bytes[at])
            || self.matcher.longest(self.bytes, at).is_some()
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    #[inline(always)]
    fn next(&mut self) -> Option<Part> {
        let start = self.at;
        if start == self.bytes.len() {
            return None;
        }
        if let Some((id, end)) = self.matcher.longest(self.bytes, start) {
            self.at = end;
            return Some(Part::Token(id));
        }
        let mut at = self.stop_behind(start);
        while !self.is_end(at) {
            at = self.stop_behind(at);
        }
        self.at = at;
        Some(Part::Plain(start, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuts::Pairs;

    #[test]
    fn parts_end_where_nothing_joins_and_where_a_token_is_taken() {
        let cuts = Cuts::Pairs(Pairs::of([" a", "aa", "ab<", "é"].map(str::as_bytes).into_iter()));
        let matcher = Matcher::new([(7, b"<x>".as_slice()), (8, b"\n")].into_iter());
        let stops = Stops::new(&matcher, &cuts);
        let long = "a".repeat(200);
        for (text, expected) in [
            ("", vec![]),
            ("aab", vec![Part::Plain(0, 3)]),
            ("a a", vec![Part::Plain(0, 1), Part::Plain(1, 3)]),
            ("ab<x>a", vec![Part::Plain(0, 2), Part::Token(7), Part::Plain(5, 6)]),
            ("ab<y", vec![Part::Plain(0, 3), Part::Plain(3, 4)]),
            ("\n\naé", vec![Part::Token(8), Part::Token(8), Part::Plain(2, 3), Part::Plain(3, 5)]),
            (&format!("{long} a{long}\n"), vec![Part::Plain(0, 200), Part::Plain(200, 402), Part::Token(8)]),
        ] {
            assert_eq!(Parts::new(text, &matcher, &cuts, &stops).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
