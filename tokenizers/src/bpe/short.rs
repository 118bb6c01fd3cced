//! Byte-pair encoding of pieces that fit a key, several at a time.
//!
//! A merge waits for memory, which holds the vocabulary, and decides on what it finds; the next one depends on it. So
//! pieces are merged in lockstep: while one waits, the others go on.

use fearless_simd::dispatch;

use super::{
    key::{Key, MAX_BYTES, Window},
    table::{NONE, Table},
};
use crate::split::LEVEL;

/// Where the tokens of a short piece start: bit `i` is set where one starts at byte `i`, and one bit behind the end.
pub(crate) type Starts = u32;

/// Pieces that are merged in lockstep.
pub(crate) const LANES: usize = 8;

/// By the start of a token: the rank that merging it with the next one has, and the start, so that the lowest of all is
/// the leftmost of its rank.
type Merges = [i32; MAX_BYTES + 1];

#[derive(Clone, Copy)]
struct Lane {
    window: Window,
    len: usize,
    starts: Starts,
    merges: Merges,
}

/// The tokens of up to [`LANES`] pieces under ranks that are ids.
///
/// The pair with the lowest rank is merged first, the leftmost of equals, until no pair is a token.
pub(crate) fn encode(table: &Table, pairs: &[u32; 1 << 16], pieces: &[Key], tokens: &mut [Starts; LANES]) {
    dispatch!(*LEVEL, _simd => encode_lanes(table, pairs, pieces, tokens));
}

#[inline(always)]
fn encode_lanes(table: &Table, pairs: &[u32; 1 << 16], pieces: &[Key], tokens: &mut [Starts; LANES]) {
    let mut lanes: [Lane; LANES] =
        std::array::from_fn(|it| Lane::new(pairs, pieces.get(it).copied().unwrap_or_default()));
    loop {
        let mut merged = false;
        for lane in &mut lanes[..pieces.len().min(LANES)] {
            let lowest = min(&lane.merges);
            if lowest != i32::MAX {
                lane.merge(table, lowest as usize % (MAX_BYTES + 1));
                merged = true;
            }
        }
        if !merged {
            break;
        }
    }
    *tokens = lanes.map(|it| it.starts);
}

impl Lane {
    #[inline(always)]
    fn new(pairs: &[u32; 1 << 16], piece: Key) -> Self {
        let (window, len) = (piece.window(), piece.len());
        let mut merges = [i32::MAX; MAX_BYTES + 1];
        for (at, merge) in merges.iter_mut().enumerate().take(len.saturating_sub(1)) {
            *merge = order(pairs[window.skip(at).pair()], at);
        }
        Self { window, len, starts: (2 << len) - 1, merges }
    }

    #[inline(always)]
    fn merge(&mut self, table: &Table, at: usize) {
        let gone = next(self.starts, at);
        self.starts &= !(1 << gone);
        self.merges[gone] = i32::MAX;
        let end = next(self.starts, at);
        // The tokens on either side; where there is none, the token itself is looked up and the result dropped.
        let after = if end < self.len { next(self.starts, end) } else { end };
        let before = (self.starts & ((2 << at) - 1) & !(1 << at)).checked_ilog2().map_or(at, |it| it as usize);
        let right = self.rank(table, at, after);
        let left = self.rank(table, before, end);
        self.merges[at] = std::hint::select_unpredictable(end < self.len, right, i32::MAX);
        self.merges[before] = std::hint::select_unpredictable(before < at, left, self.merges[before]);
    }

    #[inline(always)]
    fn rank(&self, table: &Table, from: usize, to: usize) -> i32 {
        order(table.get_doubtful(self.window.skip(from).key(to - from)), from)
    }
}

/// The start of the token behind the one at `at`.
#[inline(always)]
fn next(starts: Starts, at: usize) -> usize {
    at + 1 + (starts >> (at + 1)).trailing_zeros() as usize
}

#[inline(always)]
fn order(rank: u32, at: usize) -> i32 {
    std::hint::select_unpredictable(rank == NONE, i32::MAX, ((rank << 4) | at as u32) as i32)
}

#[inline(always)]
fn min(merges: &Merges) -> i32 {
    let half: [i32; 8] = std::array::from_fn(|it| merges[it].min(merges[it + 8]));
    let quarter: [i32; 4] = std::array::from_fn(|it| half[it].min(half[it + 4]));
    quarter[0].min(quarter[1]).min(quarter[2].min(quarter[3]))
}
