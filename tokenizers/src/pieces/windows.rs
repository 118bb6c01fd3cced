//! Merging of windows of up to 64 symbols, several at a time.
//!
//! A merge waits for memory, which holds the pairs, and decides on what it finds; the next one depends on it. So windows
//! are merged in lockstep: while one waits, the others go on.

use std::hint::select_unpredictable;

use fearless_simd::dispatch;

use super::{joins::Joins, recent::Recent, symbols::Symbols};
use crate::{
    bpe::{Lane, Starts, WIDTH, Window},
    split::LEVEL,
};

/// Windows that are merged in lockstep.
const LANES: usize = 8;
/// What most words fit in.
const NARROW: usize = 16;

/// The tokens of a window: where they start, and at each start the id.
#[derive(Clone, Copy)]
pub(super) struct Tokens {
    pub(super) starts: Starts,
    pub(super) ids: [u32; WIDTH],
}

/// Merges windows, and remembers the wide ones.
pub(super) struct Windows {
    narrow: Queue<NARROW>,
    wide: Queue<WIDTH>,
    recent: Recent,
    /// The tokens of the windows that were merged last, in their order.
    pub(super) tokens: Vec<Tokens>,
}

impl Default for Windows {
    fn default() -> Self {
        Self { narrow: Queue::new(), wide: Queue::new(), recent: Recent::default(), tokens: Vec::new() }
    }
}

impl Windows {
    /// Encodes each window alone, and puts its tokens into the same place of `tokens`.
    pub(super) fn encode(&mut self, joins: &Joins, symbols: &Symbols, windows: &[Window]) {
        let Self { narrow, wide, recent, tokens } = self;
        tokens.resize(windows.len(), Tokens { starts: 0, ids: [0; WIDTH] });
        for (place, window) in windows.iter().enumerate() {
            if window.end - window.start <= NARROW {
                narrow.push(*window, place);
            } else if let Some(known) = recent.get(symbols.ids(*window)) {
                tokens[place] = *known;
            } else {
                wide.push(*window, place);
            }
            if narrow.len == LANES {
                narrow.encode(joins, symbols, tokens);
            }
            if wide.len == LANES {
                wide.encode_anew(joins, symbols, recent, tokens);
            }
        }
        narrow.encode(joins, symbols, tokens);
        wide.encode_anew(joins, symbols, recent, tokens);
    }
}

/// Windows that wait until there is one for each lane.
struct Queue<const W: usize> {
    waiting: [(Window, usize); LANES],
    len: usize,
    lanes: [Merging<W>; LANES],
}

impl<const W: usize> Queue<W> {
    fn new() -> Self {
        Self { waiting: [(Window::default(), 0); LANES], len: 0, lanes: [Merging::EMPTY; LANES] }
    }

    fn push(&mut self, window: Window, place: usize) {
        self.waiting[self.len] = (window, place);
        self.len += 1;
    }

    fn encode_anew(&mut self, joins: &Joins, symbols: &Symbols, recent: &mut Recent, tokens: &mut [Tokens]) {
        let n_waiting = self.len;
        self.encode(joins, symbols, tokens);
        for (window, place) in &self.waiting[..n_waiting] {
            recent.put(symbols.ids(*window), &tokens[*place]);
        }
    }

    fn encode(&mut self, joins: &Joins, symbols: &Symbols, tokens: &mut [Tokens]) {
        // Not for its vectors alone: the same code takes fewer instructions where the processor knows more of them.
        dispatch!(*LEVEL, _simd => self.encode_lanes(joins, symbols, tokens));
        self.len = 0;
    }

    #[inline(always)]
    fn encode_lanes(&mut self, joins: &Joins, symbols: &Symbols, tokens: &mut [Tokens]) {
        let waiting = &self.waiting[..self.len];
        let lanes = &mut self.lanes[..self.len];
        for (lane, (window, _)) in lanes.iter_mut().zip(waiting) {
            lane.open(symbols, *window);
        }
        let mut merged = true;
        while merged {
            merged = false;
            for lane in &mut *lanes {
                merged |= lane.step(joins);
            }
        }
        for (lane, (_, place)) in lanes.iter().zip(waiting) {
            tokens[*place].starts = lane.lane.starts;
            tokens[*place].ids[..W].copy_from_slice(&lane.ids);
        }
    }
}

#[derive(Clone, Copy)]
struct Merging<const W: usize> {
    lane: Lane<W>,
    /// By the start of a token: its id, and the id of what it makes with the next one.
    ids: [u32; W],
    made: [u32; W],
}

impl<const W: usize> Merging<W> {
    const EMPTY: Self = Self { lane: Lane::EMPTY, ids: [0; W], made: [0; W] };

    #[inline(always)]
    fn open(&mut self, symbols: &Symbols, window: Window) {
        let len = window.end - window.start;
        let joined = &symbols.joined(window)[..len - 1];
        self.lane.open(len, joined.iter().map(|it| it.rank));
        self.ids[..len].copy_from_slice(symbols.ids(window));
        for (made, joined) in self.made.iter_mut().zip(joined) {
            *made = joined.id;
        }
    }

    /// Merges once; false if nothing is left to merge.
    #[inline(always)]
    fn step(&mut self, joins: &Joins) -> bool {
        let Some(made) = self.lane.merge() else { return false };
        let (before, at, end) = (made.before % W, made.at % W, made.end % W);
        let id = self.made[at];
        self.ids[at] = id;
        // Where there is no neighbour, what is found is dropped.
        let (with_next, with_before) = (joins.get(id, self.ids[end]), joins.get(self.ids[before], id));
        self.made[at] = with_next.id;
        self.made[before] = select_unpredictable(made.before < made.at, with_before.id, self.made[before]);
        self.lane.rank(made, with_next.rank, with_before.rank);
        true
    }
}
