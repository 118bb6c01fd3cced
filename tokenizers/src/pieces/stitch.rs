//! The tokens of a run of symbols, put together from overlapping windows.
//!
//! Where a window shares no token with those before, it starts in the middle of something that has no seam of its own,
//! a long run of one character for instance. Then a window that starts with a token leads on from there.

use super::{
    joins::Joins,
    merge::Merging,
    symbols::Symbols,
    windows::{Tokens, Windows},
};
use crate::bpe::{WIDTH, Window, ones, share};

/// From the start of a window to that of the next: most tokens are short, and those that are not can be led on from.
pub(super) const STRIDE: usize = 48;
/// Symbols at the end of a window whose tokens what comes behind may change.
const MARGIN: usize = 24;

/// Tokens one after another: where they end, and their ids.
#[derive(Default)]
pub(super) struct Stitched {
    pub(super) ends: Vec<usize>,
    pub(super) ids: Vec<u32>,
}

/// What stitching needs beside the windows.
#[derive(Default)]
pub(super) struct Needle {
    pub(super) stitched: Stitched,
    /// For windows that lead on.
    lead: Windows,
    merging: Merging,
}

impl Needle {
    /// Puts the tokens of a run together, from its windows and their tokens.
    pub(super) fn stitch(&mut self, joins: &Joins, symbols: &Symbols, windows: &[Window], tokens: &[Tokens]) {
        let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return };
        let run = Window { start: first.start, end: last.end };
        self.stitched.ends.clear();
        self.stitched.ids.clear();
        let fits = windows.iter().zip(tokens).all(|(window, tokens)| self.go_on(joins, symbols, run, *window, tokens));
        if !fits {
            self.merging.encode(joins, symbols, run, &mut self.stitched);
        }
    }

    /// Goes on to the end of the window; false if that is not possible with windows of this width.
    fn go_on(&mut self, joins: &Joins, symbols: &Symbols, run: Window, window: Window, tokens: &Tokens) -> bool {
        loop {
            if self.stitched.ends.last().is_some_and(|it| *it >= window.end) || self.stitched.join(window, tokens) {
                return true;
            }
            if !self.lead_on(joins, symbols, run) {
                return false;
            }
        }
    }

    /// Goes on with a window that starts with one of the last tokens.
    fn lead_on(&mut self, joins: &Joins, symbols: &Symbols, run: Window) -> bool {
        let ends = &self.stitched.ends;
        let last = ends.last().copied().unwrap_or(run.start);
        let certain = ends.iter().rposition(|it| it + MARGIN <= last);
        let tries = [certain, ends.len().checked_sub(2)];
        tries.into_iter().flatten().any(|it| self.lead_on_from(joins, symbols, run, it))
    }

    fn lead_on_from(&mut self, joins: &Joins, symbols: &Symbols, run: Window, token: usize) -> bool {
        let ends = &self.stitched.ends;
        let (Some(last), Some(&start)) = (ends.last(), token.checked_sub(1).and_then(|it| ends.get(it))) else {
            return false;
        };
        let window = Window { start, end: run.end.min(start + WIDTH) };
        if window.end <= *last {
            return false;
        }
        self.lead.encode(joins, symbols, &[window]);
        // Only this very token will do.
        self.stitched.cut(token + 1);
        self.stitched.join(window, &self.lead.tokens[0])
    }
}

impl Stitched {
    pub(super) fn push(&mut self, id: u32, end: usize) {
        self.ids.push(id);
        self.ends.push(end);
    }

    fn cut(&mut self, n_tokens: usize) {
        self.ids.truncate(n_tokens);
        self.ends.truncate(n_tokens);
    }

    /// Goes on with the tokens of a window; false if it shares none with those before.
    fn join(&mut self, window: Window, tokens: &Tokens) -> bool {
        let mut at = window.start;
        if !self.ends.is_empty() {
            let Some(kept) = share(window, tokens.starts, &self.ends) else { return false };
            self.cut(kept);
            at = self.ends[kept - 1];
        }
        let rest = tokens.starts >> (at - window.start) << (at - window.start);
        self.ids.extend(ones(rest).map(|it| tokens.ids[it]));
        self.ends.extend(ones(rest & (rest - 1)).map(|it| window.start + it));
        self.ends.push(window.end);
        true
    }
}
