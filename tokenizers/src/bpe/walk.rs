//! Byte-pair encoding of a long piece one window after another, as wide as it takes.
//!
//! A window's tokens but for the last ones are kept, and the next window starts with a token of this one. If that token
//! comes out again, every two neighbours have been neighbours in one window, and the whole is exact (see `long`); if
//! not, a wider window is tried.

use std::mem;

use super::{merge::Merging, pairs::BytePairs};

/// The first width that is tried, bytes.
const NARROW: usize = 256;
/// Bytes at the end of a window whose tokens what comes behind may change.
const MARGIN: usize = 32;
/// Repeats of a token that are worth a special case.
const MANY: usize = 16;

/// Goes through one piece.
struct Walk<'a, F> {
    merging: Merging<'a>,
    bytes: &'a [u8],
    end: usize,
    take: F,
    /// Where the window starts.
    at: usize,
    width: usize,
    /// The ends of the window's tokens, and of those of the next window.
    ends: Vec<usize>,
    ahead: Vec<usize>,
}

/// Calls `take` with the end of each token of `bytes[start..end]`, which must not be empty.
pub(super) fn encode(pairs: &BytePairs, bytes: &[u8], start: usize, end: usize, take: impl FnMut(usize)) {
    let merging = Merging::new(pairs, bytes);
    let mut walk = Walk { merging, bytes, end, take, at: start, width: NARROW, ends: Vec::new(), ahead: Vec::new() };
    walk.encode_window();
    while walk.stop() < end {
        if walk.advance() {
            walk.width = (walk.width / 2).max(NARROW);
        } else {
            walk.width *= 2;
            walk.encode_window();
        }
    }
    walk.ends.iter().for_each(|it| (walk.take)(*it));
}

impl<F: FnMut(usize)> Walk<'_, F> {
    fn stop(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.end)
    }

    fn encode_window(&mut self) {
        self.merging.encode(self.at, self.end.min(self.at + self.width), &mut self.ends);
    }

    /// Takes over what is certain and goes to the next window; false if nothing is certain yet.
    fn advance(&mut self) -> bool {
        let stop = self.stop();
        let Some(shared) = self.ends.iter().rposition(|it| it + MARGIN <= stop).filter(|it| *it > 0) else {
            return false;
        };
        let repeats = self.repeats(shared);
        (repeats > 0 && self.advance_over(shared, repeats)) || self.advance_over(shared, 0)
    }

    /// The next window starts with the token `shared`, or `repeats` times its length behind it.
    fn advance_over(&mut self, shared: usize, repeats: usize) -> bool {
        let (start, len) = (self.ends[shared - 1], self.ends[shared] - self.ends[shared - 1]);
        let next = start + repeats * len;
        self.merging.encode(next, self.end.min(next + self.width), &mut self.ahead);
        if self.ahead[0] != next + len {
            return false;
        }
        self.ends[..shared].iter().for_each(|it| (self.take)(*it));
        (1..=repeats).for_each(|it| (self.take)(start + it * len));
        mem::swap(&mut self.ends, &mut self.ahead);
        self.at = next;
        true
    }

    /// How often the token `shared` comes again behind itself, if it equals the one before it: then two of them are
    /// neighbours in an encoding, and any number may be.
    fn repeats(&self, shared: usize) -> usize {
        let (start, end) = (self.ends[shared - 1], self.ends[shared]);
        let before = if shared > 1 { self.ends[shared - 2] } else { self.at };
        let token = &self.bytes[start..end];
        if self.bytes[before..start] != *token {
            return 0;
        }
        let again = self.bytes[end..self.end].chunks_exact(token.len()).take_while(|it| *it == token).count();
        if again < MANY { 0 } else { again - 2 }
    }
}
