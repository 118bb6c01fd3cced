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
    starts.resize(windows.len(), 0);
    dispatch!(*LEVEL, _simd => encode_lanes(pairs, bytes, windows, starts));
    // What was left out is the same as the window before it.
    let mut last = 0;
    for starts in starts {
        last = if *starts == 0 { last } else { *starts };
        *starts = last;
    }
}

#[inline(always)]
fn encode_lanes(pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &mut [Starts]) {
    let mut lanes = [Lane::<WIDTH>::EMPTY; LANES];
    let mut group = [(0, 0); LANES];
    let mut before: &[u8] = &[];
    let mut windows = windows.iter().enumerate().filter(|(_, Window { start, end })| {
        let window = &bytes[*start..*end];
        let is_again = *window == *before;
        before = window;
        !is_again
    });
    loop {
        let mut n_lanes = 0;
        for (place, window) in windows.by_ref().take(LANES) {
            let ranks = bytes[window.start..window.end].array_windows().map(|it| pairs.rank_of_pair(*it));
            lanes[n_lanes].open(window.end - window.start, ranks);
            group[n_lanes] = (place, window.start);
            n_lanes += 1;
        }
        if n_lanes == 0 {
            return;
        }
        let mut merged = true;
        while merged {
            merged = false;
            for (lane, (_, start)) in lanes.iter_mut().zip(&group[..n_lanes]) {
                merged |= step(lane, pairs, bytes, *start);
            }
        }
        lanes.iter().zip(&group[..n_lanes]).for_each(|(lane, (place, _))| starts[*place] = lane.starts);
    }
}

/// Merges once; false if nothing is left to merge.
#[inline(always)]
fn step(lane: &mut Lane<WIDTH>, pairs: &BytePairs, bytes: &[u8], start: usize) -> bool {
    let Some(made) = lane.merge() else { return false };
    let rank = |from: usize, to: usize| pairs.table.get_joined(bytes, start + from, start + to);
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
