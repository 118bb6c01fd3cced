//! One window in the middle of its merging: which tokens it has, and what each would merge at with the next one.
//!
//! What a merge makes is looked up by whoever merges; several lanes go on in turns, so that one works while another
//! waits for memory.

use std::hint::select_unpredictable;

use super::table::NONE;

/// Where the tokens of a window start: bit `i` is set where one starts at its symbol `i`.
pub(crate) type Starts = u64;

/// Behind every rank.
const LAST: i32 = i32::MAX;
/// A place takes so many bits of an order, for up to 64 symbols.
const PLACE_BITS: u32 = 6;
/// Ranks must fit an order.
pub(crate) const MAX_ORDERED: u32 = 1 << (31 - PLACE_BITS);

/// A window of up to `W` symbols, at most 64.
#[derive(Clone, Copy)]
pub(crate) struct Lane<const W: usize> {
    pub(crate) len: usize,
    pub(crate) starts: Starts,
    /// By the start of a token: the rank that merging it with the next one has, and the start, so that the lowest of
    /// all is the leftmost of its rank.
    merges: [i32; W],
}

/// A token that was just made, from `at` to `end`, with its neighbours' far ends; where there is no neighbour, those are
/// its own.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) before: usize,
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) after: usize,
}

impl<const W: usize> Lane<W> {
    pub(crate) const EMPTY: Self = Self { len: 0, starts: 0, merges: [LAST; W] };

    /// Starts anew with `len` symbols, at least one, and the ranks of each two neighbours.
    #[inline(always)]
    pub(crate) fn open(&mut self, len: usize, ranks: impl Iterator<Item = u32>) {
        self.len = len;
        self.starts = Starts::MAX >> (64 - len);
        self.merges = [LAST; W];
        for ((at, rank), merge) in ranks.enumerate().zip(&mut self.merges) {
            *merge = order(rank, at);
        }
    }

    /// Merges the two that come first; `None` if nothing is left to merge. [`Self::rank`] must follow.
    #[inline(always)]
    pub(crate) fn merge(&mut self) -> Option<Made> {
        let lowest = self.lowest();
        if lowest == LAST {
            return None;
        }
        let at = lowest as usize % W;
        let gone = self.next(at);
        self.starts &= !(1 << gone);
        self.merges[gone % W] = LAST;
        let end = self.next(at);
        let after = if end < self.len { self.next(end) } else { end };
        let before = (self.starts & ((1 << at) - 1)).checked_ilog2().map_or(at, |it| it as usize);
        Some(Made { before, at, end, after })
    }

    /// Sets the ranks of the new token with the next one, and of the one before with it. Where there is no neighbour the
    /// rank is dropped.
    #[inline(always)]
    pub(crate) fn rank(&mut self, made: Made, with_next: u32, with_before: u32) {
        let Made { before, at, end, .. } = made;
        self.merges[at % W] = select_unpredictable(end < self.len, order(with_next, at), LAST);
        let kept = self.merges[before % W];
        self.merges[before % W] = select_unpredictable(before < at, order(with_before, before), kept);
    }

    /// The start of the token behind the one at `at`, or the end.
    #[inline(always)]
    fn next(&self, at: usize) -> usize {
        let behind = self.starts & (Starts::MAX - 1) << at;
        self.len.min(behind.trailing_zeros() as usize)
    }

    #[inline(always)]
    fn lowest(&self) -> i32 {
        let mut lowest = [LAST; 8];
        for group in self.merges.as_chunks::<8>().0 {
            lowest = std::array::from_fn(|it| lowest[it].min(group[it]));
        }
        lowest.into_iter().fold(LAST, i32::min)
    }
}

/// Orders by rank, then by place; ranks are below [`MAX_ORDERED`].
#[inline(always)]
fn order(rank: u32, at: usize) -> i32 {
    select_unpredictable(rank == NONE, LAST, (rank as i32) << PLACE_BITS | at as i32)
}
