//! What is merged: the characters of stretches of text, or their bytes, as tokens, and what each two neighbours become.

use fearless_simd::dispatch;

use super::{
    core::Core,
    joins::{Joined, Joins},
};
use crate::{
    bpe::{NONE, Window},
    split::LEVEL,
};

/// The symbols of one or more stretches, in columns.
#[derive(Default)]
pub(super) struct Symbols {
    /// [`NONE`] is a character that is no token.
    ids: Vec<u32>,
    /// Where they start in the text.
    starts: Vec<usize>,
    /// What each becomes with the next one of its stretch.
    joined: Vec<Joined>,
}

impl Symbols {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.starts.clear();
        self.joined.clear();
    }

    /// Adds `bytes[at..end]` as one stretch, or what of it is in the first `limit` symbols; says where those end.
    #[inline(always)]
    pub(super) fn push(&mut self, core: &Core, bytes: &[u8], (mut at, end): (usize, usize), limit: usize) -> usize {
        let from = self.len();
        while at < end && self.len() - from < limit {
            let (id, len) = core.first(bytes, at);
            self.ids.push(id);
            self.starts.push(at);
            at += len;
        }
        // Not for its vectors alone, as in `windows`.
        dispatch!(*LEVEL, _simd => self.push_joined(&core.joins, from));
        at.min(end)
    }

    #[inline(always)]
    fn push_joined(&mut self, joins: &Joins, from: usize) {
        self.joined.resize(self.ids.len(), Joined::NOTHING);
        for (joined, [left, right]) in self.joined[from..].iter_mut().zip(self.ids[from..].array_windows()) {
            *joined = joins.get(*left, *right);
        }
    }

    pub(super) fn ids(&self, window: Window) -> &[u32] {
        &self.ids[window.start..window.end]
    }

    /// What each of the window becomes with the next one; that of the last one is of no use.
    pub(super) fn joined(&self, window: Window) -> &[Joined] {
        &self.joined[window.start..window.end]
    }

    /// Where a symbol starts in the text; for the one behind the last, `None`.
    pub(super) fn start(&self, symbol: usize) -> Option<usize> {
        self.starts.get(symbol).copied()
    }

    /// Where the characters of the window start that are no token.
    pub(super) fn unknown(&self, window: Window) -> impl Iterator<Item = usize> {
        let starts = &self.starts[window.start..window.end];
        self.ids(window).iter().zip(starts).filter(|(id, _)| **id == NONE).map(|(_, start)| *start)
    }
}
