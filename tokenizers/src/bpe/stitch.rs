//! Windows over a long run of symbols, and how their tokens are stitched together.
//!
//! A sequence of tokens is the encoding of its bytes exactly if each two neighbours are the encoding of theirs (proven
//! in the README of GitHub's `bpe` crate). So overlapping windows are encoded alone, and where two of them share a
//! token, the one's tokens up to it and the other's from it on make a sequence in which every two neighbours have been
//! neighbours in one window: the encoding of the whole.

use super::lane::Starts;

/// The longest window, symbols.
pub(crate) const WIDTH: usize = 64;
/// Part of a run, 1 to [`WIDTH`] symbols.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Windows that cover a run, each starting `stride` behind the one before.
pub(crate) fn windows_of(start: usize, end: usize, stride: usize) -> impl Iterator<Item = Window> {
    let window = move |start: usize| Window { start, end: end.min(start + WIDTH) };
    let more = (start + stride..).step_by(stride).take_while(move |it| it + WIDTH < end + stride);
    std::iter::once(start).chain(more).map(window)
}

/// How many of the tokens that end at `ends` to keep, the last of which the window has too; `None` if there is none.
pub(crate) fn share(window: Window, starts: Starts, ends: &[usize]) -> Option<usize> {
    let mut kept = ends;
    // The last end of the window before is where it was cut; a token that touches it may be half.
    while let [.., before, end] = *kept {
        if before < window.start {
            return None;
        }
        if end < window.end && is_token(window, starts, before, end) {
            return Some(kept.len());
        }
        kept = &kept[..kept.len() - 1];
    }
    None
}

fn is_token(window: Window, starts: Starts, start: usize, end: usize) -> bool {
    let (start, end) = (start - window.start, end - window.start);
    let between = starts >> start >> 1 << 1 << start & ((1 << end) - 1);
    starts >> start & 1 == 1 && starts >> end & 1 == 1 && between == 0
}

/// Where bits are set, from the lowest.
pub(crate) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        at
    })
}
