//! Byte-pair encoding of pieces that are longer than a key, in linear time, through windows.
//!
//! Windows that share a token are stitched together. Where two of them share none, a window that starts with one of the
//! last tokens leads on, made ahead by `bridges` or alone; where even that does not help, as in a long run of one
//! character, wider ones decide.

use super::{
    bridges::Bridges,
    lane::Starts,
    pairs::BytePairs,
    stitch::{self, WIDTH, Window, windows_of},
    walk, windows,
};

/// From the start of a window to that of the next.
const STRIDE: usize = 48;
/// Windows of one piece that are encoded together.
const GROUP: usize = 64;
/// Bytes at the end of a window whose tokens what comes behind may change.
const MARGIN: usize = 24;
/// Pieces up to this length share a group with others.
const MAX_SHARED_BYTES: usize = GROUP * STRIDE;

/// Room for the pieces of a text that are encoded together.
#[derive(Clone, Default)]
pub(super) struct Long {
    pieces: Vec<(usize, usize)>,
    windows: Vec<Window>,
    starts: Vec<Starts>,
    bridges: Bridges,
    ends: Vec<usize>,
    /// For windows that lead on.
    lead: Vec<Starts>,
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
        let Self { pieces, windows, starts, bridges, ends, lead } = self;
        windows::encode(pairs, bytes, windows, starts);
        bridges.build(pairs, bytes, windows, starts);
        let mut rest = windows.iter().zip(&*starts).enumerate().peekable();
        for &(start, end) in &*pieces {
            if end - start > MAX_SHARED_BYTES {
                continue;
            }
            ends.clear();
            let mut seam = Seam { pairs, bytes, start, end, ends, lead };
            let mut fits = true;
            while let Some((it, (window, starts))) = rest.next_if(|it| (start..end).contains(&it.1.0.start)) {
                fits = fits && seam.go_on(*window, *starts, bridges.to(it));
            }
            if !fits {
                seam.encode_by_walk();
            }
            take(start, seam.ends);
        }
        for &(start, end) in pieces.iter().filter(|(start, end)| end - start > MAX_SHARED_BYTES) {
            ends.clear();
            let mut seam = Seam { pairs, bytes, start, end, ends, lead };
            if !seam.encode_by_groups(starts, bridges) {
                seam.encode_by_walk();
            }
            take(start, seam.ends);
        }
        pieces.clear();
        windows.clear();
    }
}

/// One piece that is put together from its windows.
struct Seam<'a> {
    pairs: &'a BytePairs,
    bytes: &'a [u8],
    start: usize,
    end: usize,
    /// Where the tokens so far end.
    ends: &'a mut Vec<usize>,
    lead: &'a mut Vec<Starts>,
}

impl Seam<'_> {
    fn encode_by_walk(&mut self) {
        let ends = &mut *self.ends;
        ends.clear();
        walk::encode(self.pairs, self.bytes, self.start, self.end, |it| ends.push(it));
    }

    /// Encodes the piece group by group; false if windows do not do.
    fn encode_by_groups(&mut self, starts: &mut Vec<Starts>, bridges: &mut Bridges) -> bool {
        // A run of one character makes tokens that no window can hold twice.
        let first = &self.bytes[self.start..self.start + WIDTH];
        if first.iter().all(|it| *it == first[0]) {
            return false;
        }
        let mut windows = windows_of(self.start, self.end, STRIDE);
        loop {
            let group: Vec<Window> = windows.by_ref().take(GROUP).collect();
            if group.is_empty() {
                return true;
            }
            windows::encode(self.pairs, self.bytes, &group, starts);
            bridges.build(self.pairs, self.bytes, &group, starts);
            let mut windows = group.into_iter().zip(&*starts).enumerate();
            if !windows.all(|(it, (window, starts))| self.go_on(window, *starts, bridges.to(it))) {
                return false;
            }
        }
    }

    /// Goes on to the end of the window; false if that is not possible with windows of this width.
    fn go_on(&mut self, window: Window, starts: Starts, mut bridge: Option<(Window, Starts)>) -> bool {
        loop {
            if self.ends.last().is_some_and(|it| *it >= window.end) || self.join(window, starts) {
                return true;
            }
            let goes_on = bridge.take().is_some_and(|(bridge, starts)| self.cross(bridge, starts));
            if !goes_on && !self.lead_on() {
                return false;
            }
        }
    }

    /// Goes on with a window that was made ahead, if it starts where a token does.
    fn cross(&mut self, bridge: Window, starts: Starts) -> bool {
        let before = self.ends.iter().rposition(|it| *it <= bridge.start);
        let Some(before) = before.filter(|it| self.ends[*it] == bridge.start) else { return false };
        if self.ends.last().is_some_and(|it| bridge.end <= *it) {
            return false;
        }
        // Only this very token will do.
        self.ends.truncate(before + 2);
        self.join(bridge, starts)
    }

    /// Goes on with a window that starts with one of the last tokens.
    #[cold]
    fn lead_on(&mut self) -> bool {
        let last = self.ends.last().copied().unwrap_or(self.start);
        let certain = self.ends.iter().rposition(|it| it + MARGIN <= last);
        let tries = [certain, self.ends.len().checked_sub(2)];
        tries.into_iter().flatten().any(|it| self.lead_on_from(it))
    }

    fn lead_on_from(&mut self, token: usize) -> bool {
        let (Some(last), Some(&start)) = (self.ends.last(), token.checked_sub(1).and_then(|it| self.ends.get(it)))
        else {
            return false;
        };
        let window = Window { start, end: self.end.min(start + WIDTH) };
        if window.end <= *last {
            return false;
        }
        windows::encode(self.pairs, self.bytes, &[window], self.lead);
        // Only this very token will do.
        self.ends.truncate(token + 1);
        self.join(window, self.lead[0])
    }

    /// Goes on with the tokens of an overlapping window; false if it shares none with those before.
    fn join(&mut self, window: Window, starts: Starts) -> bool {
        if !self.ends.is_empty() {
            let Some(kept) = stitch::share(window, starts, self.ends) else { return false };
            self.ends.truncate(kept);
        }
        let last = self.ends.last().copied().unwrap_or(window.start);
        self.ends.extend(stitch::ones(starts).map(|it| window.start + it).filter(|it| *it > last));
        self.ends.push(window.end);
        true
    }
}
