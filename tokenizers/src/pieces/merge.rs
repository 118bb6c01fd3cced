//! Greedy merging of any number of symbols, through a queue of the pairs that may merge.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    joins::{Joined, Joins},
    stitch::Stitched,
    symbols::Symbols,
};
use crate::bpe::{NONE, Window};

/// A token in the making, with the places of its neighbours.
#[derive(Clone, Copy)]
struct Symbol {
    /// [`NONE`] also for what has become a part of the one before.
    id: u32,
    before: u32,
    next: u32,
}

/// Two neighbours that may merge, if they still are what they were.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    rank: u32,
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
    /// Puts the tokens of a run into `made`.
    pub(super) fn encode(&mut self, joins: &Joins, symbols: &Symbols, run: Window, made: &mut Stitched) {
        self.open(joins, symbols.ids(run));
        while let Some(Reverse(pair)) = self.queue.pop() {
            self.merge(joins, &pair);
        }
        made.ends.clear();
        made.ids.clear();
        let mut place = 0;
        while let Some(symbol) = self.symbols.get(place) {
            place = symbol.next as usize;
            made.push(symbol.id, run.start + place);
        }
    }

    fn open(&mut self, joins: &Joins, ids: &[u32]) {
        let symbol = |(id, place): (&u32, u32)| Symbol { id: *id, before: place.wrapping_sub(1), next: place + 1 };
        self.symbols.clear();
        self.symbols.extend(ids.iter().zip(0..).map(symbol));
        self.queue.clear();
        (1..self.symbols.len()).for_each(|place| self.look_up(joins, place as u32 - 1));
    }

    fn merge(&mut self, joins: &Joins, pair: &Pair) {
        let left = self.symbols[pair.place as usize];
        let Some(&right) = self.symbols.get(left.next as usize) else { return };
        if (left.id, right.id) != (pair.left, pair.right) {
            return;
        }
        self.symbols[left.next as usize].id = NONE;
        self.symbols[pair.place as usize] = Symbol { id: pair.made, next: right.next, ..left };
        if let Some(behind) = self.symbols.get_mut(right.next as usize) {
            behind.before = pair.place;
        }
        self.look_up(joins, pair.place);
        if left.before != NONE {
            self.look_up(joins, left.before);
        }
    }

    /// Puts the token at `place` and the next one into the queue, if they merge.
    fn look_up(&mut self, joins: &Joins, place: u32) {
        let left = self.symbols[place as usize];
        let Some(right) = self.symbols.get(left.next as usize) else { return };
        let Joined { rank, id: made } = joins.get(left.id, right.id);
        if rank != NONE {
            self.queue.push(Reverse(Pair { rank, place, left: left.id, right: right.id, made }));
        }
    }
}
