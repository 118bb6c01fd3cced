//! Bytes to tokens, in time linear in them.
//!
//! From left to right the longest token is taken that may stand behind the one before; where none may, that one is
//! shortened (as in the `bpe` crate of GitHub's rust-gems, whose README has the proof). An end that failed once is not
//! tried again. What makes it fast here: the longest token costs one look a byte, and whether two tokens may be
//! neighbours is mostly known from a moment ago.

use super::{apart::Apart, merges::Merges, trie::Trie};
use crate::sync::Pool;

/// No shorter token: a byte.
const NONE: u16 = u16::MAX;
/// Pairs that are remembered, as a power of two; 1 MiB of entries.
const MEMO_BITS: u32 = 17;
/// Stretches that are encoded at the same time.
const LANES: usize = 8;
/// Bytes of a stretch.
const STRETCH: usize = 4096;
/// By how much a stretch reaches into the next one.
const OVERLAP: usize = 64;

/// The tables of one vocabulary.
pub(super) struct Core {
    trie: Trie,
    apart: Apart,
    /// The longest token that is a shorter beginning of each.
    shorter: Vec<u16>,
    lens: Vec<u16>,
    rooms: Pool<Room>,
}

/// Working memory of one text at a time.
struct Room {
    tokens: Vec<u16>,
    lanes: [Lane; LANES],
    /// Pairs and whether they may be neighbours, in the lowest bit.
    memo: Box<[u64]>,
}

/// One stretch of the text on its way to tokens.
#[derive(Default)]
struct Lane {
    tokens: Vec<u16>,
    /// Where the next token begins.
    at: usize,
    start: usize,
    /// A bit for each end that failed, from the start.
    failed: Vec<u64>,
    furthest_failed: usize,
}

impl Lane {
    fn begin(&mut self, start: usize, end: usize) {
        self.tokens.clear();
        (self.at, self.start, self.furthest_failed) = (start, start, start);
        self.failed.clear();
        self.failed.resize((end - start) / 64 + 1, 0);
    }
}

impl Room {
    fn new() -> Self {
        Self { tokens: Vec::new(), lanes: Default::default(), memo: vec![u64::MAX; 1 << MEMO_BITS].into() }
    }
}

impl Core {
    pub(super) fn new(merges: &Merges) -> Self {
        let apart = Apart::new(merges);
        let reachable = reachable(merges, &apart);
        let tokens = || (0..merges.n_tokens() as u16).filter(|it| reachable[usize::from(*it)]);
        let trie = Trie::new(tokens().map(|it| (it, merges.spelling(it))));
        let lens = (0..merges.n_tokens() as u16).map(|it| merges.spelling(it).len() as u16).collect();
        let shorter = (0..merges.n_tokens() as u16).map(|it| match merges.spelling(it) {
            [] | [_] => NONE,
            [start @ .., _] => trie.longest(start, 0),
        });
        let shorter = shorter.collect();
        Self { trie, apart, shorter, lens, rooms: Pool::default() }
    }

    /// Calls `work` with the tokens of `bytes`.
    pub(super) fn with_tokens<T>(&self, bytes: &[u8], work: impl FnOnce(&[u16]) -> T) -> T {
        self.rooms.with(Room::new, |room| {
            self.encode(bytes, room);
            work(&room.tokens)
        })
    }

    /// Long texts go in stretches, several at a time; where two overlap they are joined at a token that they share.
    fn encode(&self, bytes: &[u8], room: &mut Room) {
        let Room { tokens, lanes, memo } = room;
        tokens.clear();
        let mut joined = Joined { core: self, bytes, tokens, end: 0 };
        let mut start = 0;
        while start < bytes.len() {
            let starts: [usize; LANES] = std::array::from_fn(|lane| (start + lane * STRETCH).min(bytes.len()));
            let ends = starts.map(|it| (it + STRETCH + OVERLAP).min(bytes.len()));
            if bytes.len() - start > STRETCH {
                self.encode_each(bytes, &starts, &ends, lanes, memo);
            } else {
                self.encode_one(bytes, start, ends[0], &mut lanes[0], memo);
            }
            for (lane, stretch_start) in starts.into_iter().enumerate().filter(|it| it.1 < bytes.len()) {
                joined.add(stretch_start, &lanes[lane].tokens, memo);
            }
            start += LANES * STRETCH;
        }
    }

    fn encode_one(&self, bytes: &[u8], start: usize, end: usize, lane: &mut Lane, memo: &mut [u64]) {
        lane.begin(start, end);
        while lane.at < end {
            let next = self.trie.longest(&bytes[..end], lane.at);
            self.step(next, lane, memo);
        }
    }

    fn encode_each(
        &self,
        bytes: &[u8],
        starts: &[usize; LANES],
        ends: &[usize; LANES],
        lanes: &mut [Lane; LANES],
        memo: &mut [u64],
    ) {
        lanes.iter_mut().zip(starts.iter().zip(ends)).for_each(|(lane, (start, end))| lane.begin(*start, *end));
        let (mut at, mut last) = (*starts, [NONE; LANES]);
        loop {
            let longest = self.trie.longest_each(bytes, &at, ends);
            // All of this is looked up before any of it is used, so that what misses the caches misses them together.
            let lens = longest.map(|it| self.len(it));
            let keys: [u64; LANES] = std::array::from_fn(|lane| key(last[lane], longest[lane]));
            let known: [u64; LANES] = std::array::from_fn(|lane| memo[slot(keys[lane])]);
            let mut went_on = false;
            for lane in 0..LANES {
                if at[lane] == ends[lane] {
                    continue;
                }
                went_on = true;
                let end = at[lane] + lens[lane];
                if known[lane] == keys[lane] << 1 | 1 && end > lanes[lane].furthest_failed {
                    lanes[lane].tokens.push(longest[lane]);
                    (at[lane], last[lane]) = (end, longest[lane]);
                } else {
                    lanes[lane].at = at[lane];
                    self.step(longest[lane], &mut lanes[lane], memo);
                    at[lane] = lanes[lane].at;
                    last[lane] = lanes[lane].tokens.last().copied().unwrap_or(NONE);
                }
            }
            if !went_on {
                return;
            }
        }
    }

    /// Takes the longest token, or the longest shorter one that may stand there.
    #[inline(always)]
    fn step(&self, longest: u16, lane: &mut Lane, memo: &mut [u64]) {
        let mut next = longest;
        loop {
            let end = lane.at + self.len(next);
            let place = end - lane.start;
            let has_failed = lane.failed[place / 64] >> (place % 64) & 1 != 0;
            if !has_failed && lane.tokens.last().is_none_or(|last| self.may_follow(*last, next, memo)) {
                lane.tokens.push(next);
                lane.at = end;
                return;
            }
            next = self.shorter[usize::from(next)];
            while next == NONE {
                let place = lane.at - lane.start;
                lane.failed[place / 64] |= 1 << (place % 64);
                lane.furthest_failed = lane.furthest_failed.max(lane.at);
                // The first token can always be a byte, so that there is one to take back.
                let Some(last) = lane.tokens.pop() else { return };
                lane.at -= self.len(last);
                next = self.shorter[usize::from(last)];
            }
        }
    }

    pub(super) fn len(&self, token: u16) -> usize {
        self.lens[usize::from(token)] as usize
    }

    #[inline(always)]
    fn may_follow(&self, left: u16, right: u16, memo: &mut [u64]) -> bool {
        let key = key(left, right);
        let slot = &mut memo[slot(key)];
        if *slot >> 1 == key {
            return *slot & 1 != 0;
        }
        let answer = self.apart.until(left, right, u32::MAX);
        *slot = key << 1 | u64::from(answer);
        answer
    }
}

#[inline(always)]
fn key(left: u16, right: u16) -> u64 {
    u64::from(left) << 16 | u64::from(right)
}

#[inline(always)]
fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - MEMO_BITS)) as usize
}

/// The tokens of a growing beginning of a text.
struct Joined<'a> {
    core: &'a Core,
    bytes: &'a [u8],
    tokens: &'a mut Vec<u16>,
    /// Bytes that the tokens are.
    end: usize,
}

impl Joined<'_> {
    /// Adds the tokens of a stretch. Where it shares none with what is there (in a long run of a byte, tokens may be out of
    /// step), what is there is led on until it does, or until it has passed the stretch.
    fn add(&mut self, start: usize, stretch: &[u16], memo: &mut [u64]) {
        let stretch_end = (start + STRETCH + OVERLAP).min(self.bytes.len());
        let mut reach = OVERLAP;
        while !self.join(start, stretch) && self.end < stretch_end {
            reach *= 4;
            let from = self.token_start_before(start.saturating_sub(reach));
            let end = (start + reach).min(self.bytes.len());
            let mut bridge = Lane::default();
            self.core.encode_one(self.bytes, from, end, &mut bridge, memo);
            // Where this fails too, the next bridge begins further back, at last at the start of the text.
            self.join(from, &bridge.tokens);
        }
    }

    /// The last place not behind `at` where a token begins.
    fn token_start_before(&self, at: usize) -> usize {
        let mut start = self.end;
        for token in self.tokens.iter().rev() {
            if start <= at {
                break;
            }
            start -= self.core.len(*token);
        }
        start
    }

    /// True if the tokens of a stretch from `start` on could be joined to what is there, at a token that both have.
    fn join(&mut self, start: usize, stretch: &[u16]) -> bool {
        let (mut kept, mut kept_at) = (self.tokens.len(), self.end);
        while kept > 0 && kept_at > start {
            kept -= 1;
            kept_at -= self.core.len(self.tokens[kept]);
        }
        if kept_at == start && kept == 0 && start == 0 {
            self.take(0, stretch, 0, 0);
            return true;
        }
        let (mut new, mut new_at) = (0, start);
        while kept < self.tokens.len() && new < stretch.len() {
            if kept_at == new_at && self.tokens[kept] == stretch[new] {
                self.take(kept, stretch, new, new_at);
                return true;
            }
            if kept_at <= new_at {
                kept_at += self.core.len(self.tokens[kept]);
                kept += 1;
            } else {
                new_at += self.core.len(stretch[new]);
                new += 1;
            }
        }
        false
    }

    fn take(&mut self, kept: usize, stretch: &[u16], new: usize, new_at: usize) {
        self.tokens.truncate(kept);
        self.tokens.extend_from_slice(&stretch[new..]);
        self.end = new_at + stretch[new..].iter().map(|it| self.core.len(*it)).sum::<usize>();
    }
}

/// Which tokens are the encoding of their own bytes. The others occur in no encoding, since inside of a token merges do
/// not depend on what stands around it.
fn reachable(merges: &Merges, apart: &Apart) -> Vec<bool> {
    let mut reachable = vec![true; merges.n_tokens()];
    for token in 256..merges.n_tokens() {
        let Some((left, right)) = merges.parts(token as u16) else { continue };
        let parts = reachable[usize::from(left)] && reachable[usize::from(right)];
        reachable[token] = parts && apart.until(left, right, token as u32);
    }
    reachable
}
