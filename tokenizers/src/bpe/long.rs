//! Byte-pair encoding of pieces that are longer than a key, in linear time, through windows.
//!
//! A sequence of tokens is the encoding of its bytes exactly if each two neighbours are the encoding of theirs (proven
//! in the README of GitHub's `bpe` crate). So overlapping windows are encoded alone, and where two of them share a
//! token, the one's tokens up to it and the other's from it on make a sequence in which every two neighbours have been
//! neighbours in one window: the encoding of the whole. Where two windows share no token, wider ones decide.

use super::{
    pairs::BytePairs,
    walk,
    windows::{self, Starts, WIDTH, Window},
};

/// From the start of a window to that of the next.
const STRIDE: usize = 40;

/// Windows of one piece that are encoded together.
const GROUP: usize = 64;
/// Pieces up to this length share a group with others.
const MAX_SHARED_BYTES: usize = GROUP * STRIDE;

/// Room for the pieces of a text that are encoded together.
#[derive(Clone, Default)]
pub(super) struct Long {
    pieces: Vec<(usize, usize)>,
    windows: Vec<Window>,
    starts: Vec<Starts>,
    ends: Vec<usize>,
}

impl Long {
    /// Puts `bytes[start..end]` on the list.
    pub(super) fn push(&mut self, start: usize, end: usize) {
        self.pieces.push((start, end));
        if end - start <= MAX_SHARED_BYTES {
            self.windows.extend(windows_of(start, end));
        }
    }

    /// Calls `take` with the start and the token ends of each piece on the list, and empties it.
    pub(super) fn encode(&mut self, pairs: &BytePairs, bytes: &[u8], mut take: impl FnMut(usize, &[usize])) {
        let Self { pieces, windows, starts, ends } = self;
        windows::encode(pairs, bytes, windows, starts);
        let mut rest = windows.iter().copied().zip(starts.iter().copied()).peekable();
        for &(start, end) in &*pieces {
            if end - start > MAX_SHARED_BYTES {
                continue;
            }
            ends.clear();
            let mut fits = true;
            while let Some((window, starts)) = rest.next_if(|(window, _)| (start..end).contains(&window.start)) {
                fits = fits && join(window, starts, ends);
            }
            if !fits {
                encode_by_walk(pairs, bytes, start, end, ends);
            }
            take(start, ends);
        }
        for &(start, end) in pieces.iter().filter(|(start, end)| end - start > MAX_SHARED_BYTES) {
            if !encode_by_groups(pairs, bytes, start, end, starts, ends) {
                encode_by_walk(pairs, bytes, start, end, ends);
            }
            take(start, ends);
        }
        pieces.clear();
        windows.clear();
    }
}

fn windows_of(start: usize, end: usize) -> impl Iterator<Item = Window> {
    let window = move |start: usize| Window { start, end: end.min(start + WIDTH) };
    let more = (start + STRIDE..).step_by(STRIDE).take_while(move |it| it + WIDTH < end + STRIDE);
    std::iter::once(start).chain(more).map(window)
}

fn encode_by_walk(pairs: &BytePairs, bytes: &[u8], start: usize, end: usize, ends: &mut Vec<usize>) {
    ends.clear();
    walk::encode(pairs, bytes, start, end, |it| ends.push(it));
}

/// Encodes one piece through windows; false if two of them share no token.
fn encode_by_groups(
    pairs: &BytePairs,
    bytes: &[u8],
    start: usize,
    end: usize,
    starts: &mut Vec<Starts>,
    ends: &mut Vec<usize>,
) -> bool {
    ends.clear();
    let mut windows = windows_of(start, end);
    // A run of one character makes tokens that no window can hold twice.
    if bytes[start..start + WIDTH].iter().all(|it| *it == bytes[start]) {
        return false;
    }
    loop {
        let group: Vec<Window> = windows.by_ref().take(GROUP).collect();
        if group.is_empty() {
            return true;
        }
        windows::encode(pairs, bytes, &group, starts);
        if !group.into_iter().zip(&*starts).all(|(window, starts)| join(window, *starts, ends)) {
            return false;
        }
    }
}

/// Goes on with the tokens of an overlapping window; false if it shares none with those before.
fn join(window: Window, starts: Starts, ends: &mut Vec<usize>) -> bool {
    if !ends.is_empty() && !share(window, starts, ends) {
        return false;
    }
    let last = ends.last().copied().unwrap_or(window.start);
    ends.extend(ones(starts).map(|it| window.start + it).filter(|it| *it > last));
    ends.push(window.end);
    true
}

/// Cuts `ends` behind a token that the window has too; false if there is none.
fn share(window: Window, starts: Starts, ends: &mut Vec<usize>) -> bool {
    // The last end of the window before is where it was cut; a token that touches it may be half.
    while let [.., before, end] = ends[..] {
        if before < window.start {
            return false;
        }
        if end < window.end && is_token(window, starts, before, end) {
            return true;
        }
        ends.pop();
    }
    false
}

fn is_token(window: Window, starts: Starts, start: usize, end: usize) -> bool {
    let (start, end) = (start - window.start, end - window.start);
    let between = starts >> start >> 1 << 1 << start & ((1 << end) - 1);
    starts >> start & 1 == 1 && starts >> end & 1 == 1 && between == 0
}

fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        at
    })
}
