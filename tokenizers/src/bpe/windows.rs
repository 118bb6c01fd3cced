//! Byte-pair encoding of windows of up to 64 bytes, several at a time.
//!
//! A merge waits for memory, which holds the vocabulary, and decides on what it finds; the next one depends on it. So
//! windows are merged in lockstep: while one waits, the others go on.

use std::hint::select_unpredictable;

use fearless_simd::dispatch;

use super::{pairs::BytePairs, table::NONE};
use crate::split::LEVEL;

/// The longest window, bytes.
pub(super) const WIDTH: usize = 64;
/// Windows that are merged in lockstep.
const LANES: usize = 8;
/// Behind every rank.
const LAST: i32 = i32::MAX;

/// Where the tokens of a window start: bit `i` is set where one starts at byte `i` of it.
pub(super) type Starts = u64;

/// Part of a text, 1 to [`WIDTH`] bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Encodes each window alone, and puts where its tokens start into the same place of `starts`.
pub(super) fn encode(pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &mut Vec<Starts>) {
    starts.clear();
    dispatch!(*LEVEL, _simd => encode_lanes(pairs, bytes, windows, starts));
}

#[inline(always)]
fn encode_lanes(pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &mut Vec<Starts>) {
    let mut lanes = [Lane::EMPTY; LANES];
    for group in windows.chunks(LANES) {
        let lanes = &mut lanes[..group.len()];
        for (lane, window) in lanes.iter_mut().zip(group) {
            lane.open(pairs, bytes, *window);
        }
        let mut merged = true;
        while merged {
            merged = false;
            for lane in &mut *lanes {
                merged |= lane.step(pairs, bytes);
            }
        }
        starts.extend(lanes.iter().map(|it| it.starts));
    }
}

#[derive(Clone, Copy)]
struct Lane {
    start: usize,
    len: usize,
    starts: Starts,
    /// By the start of a token: the rank that merging it with the next one has, and the start, so that the lowest of
    /// all is the leftmost of its rank.
    merges: [i32; WIDTH],
}

impl Lane {
    const EMPTY: Self = Self { start: 0, len: 0, starts: 0, merges: [LAST; WIDTH] };

    #[inline(always)]
    fn open(&mut self, pairs: &BytePairs, bytes: &[u8], Window { start, end }: Window) {
        (self.start, self.len) = (start, end - start);
        self.starts = u64::MAX >> (WIDTH - self.len);
        self.merges = [LAST; WIDTH];
        for (at, pair) in bytes[start..end].array_windows().enumerate() {
            self.merges[at] = order(pairs.rank_of_pair(*pair), at);
        }
    }

    /// Merges once; false if nothing is left to merge.
    #[inline(always)]
    fn step(&mut self, pairs: &BytePairs, bytes: &[u8]) -> bool {
        let lowest = self.lowest();
        if lowest == LAST {
            return false;
        }
        let at = lowest as usize % WIDTH;
        let gone = self.next(at);
        self.starts &= !(1 << gone);
        self.merges[gone] = LAST;
        let end = self.next(at);
        // The tokens on either side; where there is none, the token itself is looked up and the result dropped.
        let after = if end < self.len { self.next(end) } else { end };
        let before = (self.starts & ((1 << at) - 1)).checked_ilog2().map_or(at, |it| it as usize);
        let rank =
            |from: usize, to: usize| order(pairs.table.get_bytes(bytes, self.start + from, self.start + to), from);
        let (right, left) = (rank(at, after), rank(before, end));
        self.merges[at] = select_unpredictable(end < self.len, right, LAST);
        self.merges[before] = select_unpredictable(before < at, left, self.merges[before]);
        true
    }

    /// The start of the token behind the one at `at`, or the end.
    #[inline(always)]
    fn next(&self, at: usize) -> usize {
        let behind = self.starts & (u64::MAX - 1) << at;
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

/// Orders by rank, then by place; ranks are below 2^23.
#[inline(always)]
fn order(rank: u32, at: usize) -> i32 {
    select_unpredictable(rank == NONE, LAST, (rank as i32) << 6 | at as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_fit_their_orders() {
        assert!((super::super::pairs::MAX_RANK as u64) << 6 <= LAST as u64);
    }
}
