//! Byte-pair encoding of windows of up to 64 bytes, several at a time.
//!
//! A merge waits for memory, which holds the vocabulary, and decides on what it finds; the next one depends on it. So
//! windows are merged in lockstep: while one waits, the others go on.

use fearless_simd::dispatch;

use super::{
    lane::{Lane, Starts},
    pairs::BytePairs,
    stitch::{WIDTH, Window},
};
use crate::split::LEVEL;

/// Windows that are merged in lockstep.
const LANES: usize = 8;

/// Encodes each window alone, and puts where its tokens start into the same place of `starts`.
pub(super) fn encode(pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &mut Vec<Starts>) {
    starts.clear();
    dispatch!(*LEVEL, _simd => encode_lanes(pairs, bytes, windows, starts));
}

#[inline(always)]
fn encode_lanes(pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &mut Vec<Starts>) {
    let mut lanes = [Lane::<WIDTH>::EMPTY; LANES];
    for group in windows.chunks(LANES) {
        let lanes = &mut lanes[..group.len()];
        for (lane, Window { start, end }) in lanes.iter_mut().zip(group) {
            let ranks = bytes[*start..*end].array_windows().map(|it| pairs.rank_of_pair(*it));
            lane.open(end - start, ranks);
        }
        let mut merged = true;
        while merged {
            merged = false;
            for (lane, window) in lanes.iter_mut().zip(group) {
                merged |= step(lane, pairs, bytes, window.start);
            }
        }
        starts.extend(lanes.iter().map(|it| it.starts));
    }
}

/// Merges once; false if nothing is left to merge.
#[inline(always)]
fn step(lane: &mut Lane<WIDTH>, pairs: &BytePairs, bytes: &[u8], start: usize) -> bool {
    let Some(made) = lane.merge() else { return false };
    let rank = |from: usize, to: usize| pairs.table.get_bytes(bytes, start + from, start + to);
    lane.rank(made, rank(made.at, made.after), rank(made.before, made.end));
    true
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranks_fit_their_orders() {
        const { assert!(super::super::pairs::MAX_RANK <= super::super::lane::MAX_ORDERED) };
    }
}
