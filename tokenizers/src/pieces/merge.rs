//! Greedy merging of one stretch of text, through a queue of the pairs that may merge.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{core::Core, joins::Joined};
use crate::bpe::NONE;

/// A token of a stretch, and where it ends; [`NONE`] is a character that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) id: u32,
    pub(super) end: usize,
}

/// A token in the making, with the places of its neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    /// [`NONE`] also for what has become a part of the one before.
    id: u32,
    start: usize,
    end: usize,
    before: u32,
    next: u32,
}

/// Two neighbours that may merge, if they still are what they were.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    order: u64,
    place: u32,
    left: u32,
    right: u32,
    made: u32,
}

/// Room for merging.
#[derive(Default)]
pub(super) struct Merging {
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Reverse<Pair>>,
}

impl Merging {
    /// Puts the tokens of `bytes[start..end]` into `tokens`.
    pub(super) fn encode(&mut self, core: &Core, bytes: &[u8], (start, end): (usize, usize), tokens: &mut Vec<Token>) {
        self.open(core, bytes, start, end);
        while let Some(Reverse(pair)) = self.queue.pop() {
            self.merge(core, bytes, &pair);
        }
        tokens.clear();
        let mut place = 0;
        while let Some(symbol) = self.symbols.get(place) {
            tokens.push(Token { id: symbol.id, end: symbol.end });
            place = symbol.next as usize;
        }
    }

    fn open(&mut self, core: &Core, bytes: &[u8], start: usize, end: usize) {
        self.symbols.clear();
        self.queue.clear();
        let (mut at, mut place) = (start, 0u32);
        while at < end {
            let (id, len) = core.first(bytes, at);
            let symbol =
                Symbol { id, start: at, end: end.min(at + len), before: place.wrapping_sub(1), next: place + 1 };
            self.symbols.push(symbol);
            at += len;
            place += 1;
        }
        for place in 1..self.symbols.len() {
            self.look_up(core, bytes, place as u32 - 1);
        }
    }

    fn merge(&mut self, core: &Core, bytes: &[u8], pair: &Pair) {
        let left = self.symbols[pair.place as usize];
        let Some(&right) = self.symbols.get(left.next as usize) else { return };
        if (left.id, right.id) != (pair.left, pair.right) {
            return;
        }
        self.symbols[left.next as usize].id = NONE;
        self.symbols[pair.place as usize] = Symbol { id: pair.made, end: right.end, next: right.next, ..left };
        if let Some(behind) = self.symbols.get_mut(right.next as usize) {
            behind.before = pair.place;
        }
        self.look_up(core, bytes, pair.place);
        if left.before != NONE {
            self.look_up(core, bytes, left.before);
        }
    }

    /// Puts the token at `place` and the next one into the queue, if they merge.
    fn look_up(&mut self, core: &Core, bytes: &[u8], place: u32) {
        let left = self.symbols[place as usize];
        let Some(right) = self.symbols.get(left.next as usize) else { return };
        if let Some(Joined { order, id: made }) =
            core.joins.join(&core.names, bytes, (left.id, right.id), (left.start, left.end, right.end))
        {
            self.queue.push(Reverse(Pair { order, place, left: left.id, right: right.id, made }));
        }
    }
}
