//! Byte-pair encoding of pieces that are longer than a key, in linear time, through windows.
//!
//! Windows that share a token are stitched together; where two of them share none, wider ones decide.

use super::{
    lane::Starts,
    pairs::BytePairs,
    stitch::{self, WIDTH, Window, windows_of},
    walk, windows,
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
            self.windows.extend(windows_of(start, end, STRIDE));
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
    let mut windows = windows_of(start, end, STRIDE);
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
    if !ends.is_empty() {
        let Some(kept) = stitch::share(window, starts, ends) else { return false };
        ends.truncate(kept);
    }
    let last = ends.last().copied().unwrap_or(window.start);
    ends.extend(stitch::ones(starts).map(|it| window.start + it).filter(|it| *it > last));
    ends.push(window.end);
    true
}
