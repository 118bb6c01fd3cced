//! Merging of a long stretch one window after another, as wide as it takes, so that time is linear in the text.
//!
//! A window's tokens but for the last ones are kept, and the next window starts with a token of this one. If that token
//! comes out again, every two neighbours have been neighbours in one window, and the whole is exact (see [`super`]); if
//! not, a wider window is tried.

use std::mem;

use super::{
    core::Core,
    merge::{Merging, Token},
};

/// The first width that is tried, bytes.
const NARROW: usize = 256;
/// Bytes at the end of a window whose tokens what comes behind may change.
const MARGIN: usize = 64;

/// Room for the windows of a stretch.
#[derive(Default)]
pub(super) struct Windows {
    merging: Merging,
    /// The tokens of a window, and of the next one.
    tokens: Vec<Token>,
    ahead: Vec<Token>,
}

impl Windows {
    /// Calls `take` with the tokens of `bytes[start..end]`, which are characters.
    pub(super) fn encode(
        &mut self,
        core: &Core,
        bytes: &[u8],
        (start, end): (usize, usize),
        mut take: impl FnMut(Token),
    ) {
        let (mut at, mut width) = (start, NARROW);
        self.merging.encode(core, bytes, (at, stop(bytes, at + width, end)), &mut self.tokens);
        while self.tokens.last().is_some_and(|it| it.end < end) {
            if let Some((n_certain, next)) = self.next_window(core, bytes, (width, end)) {
                self.tokens[..n_certain].iter().for_each(|it| take(*it));
                mem::swap(&mut self.tokens, &mut self.ahead);
                (at, width) = (next, (width / 2).max(NARROW));
            } else {
                width *= 2;
                self.merging.encode(core, bytes, (at, stop(bytes, at + width, end)), &mut self.tokens);
            }
        }
        self.tokens.iter().for_each(|it| take(*it));
    }

    /// Encodes the window that starts with the last certain token of this one; how many tokens are before it, and where
    /// it starts. `None` if it does not start with that token.
    fn next_window(&mut self, core: &Core, bytes: &[u8], (width, end): (usize, usize)) -> Option<(usize, usize)> {
        let last = self.tokens.last()?.end;
        let shared = self.tokens.iter().rposition(|it| it.end + MARGIN <= last).filter(|it| *it > 0)?;
        let next = self.tokens[shared - 1].end;
        self.merging.encode(core, bytes, (next, stop(bytes, next + width, end)), &mut self.ahead);
        (self.ahead.first() == self.tokens.get(shared)).then_some((shared, next))
    }
}

/// The last end of a character at or before `at`, at most `end`.
fn stop(bytes: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && bytes[at] & 0xc0 == 0x80 {
        at -= 1;
    }
    at.min(end)
}
