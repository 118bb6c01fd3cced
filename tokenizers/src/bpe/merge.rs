//! Plain byte-pair merging of any number of bytes: the lowest rank first, the leftmost of equals.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{pairs::BytePairs, table::NONE};

/// Room for merging parts of one text.
pub(super) struct Merging<'a> {
    pairs: &'a BytePairs,
    bytes: &'a [u8],
    /// By the start of a token, in bytes from the start of the window: where the next one starts, and the one before.
    /// 0 for what is no start any more.
    next: Vec<u32>,
    before: Vec<u32>,
    /// Rank and start of the pairs that may merge.
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

impl<'a> Merging<'a> {
    pub(super) fn new(pairs: &'a BytePairs, bytes: &'a [u8]) -> Self {
        Self { pairs, bytes, next: Vec::new(), before: Vec::new(), queue: BinaryHeap::new() }
    }

    /// Puts the ends of the tokens of `bytes[start..stop]` into `ends`.
    pub(super) fn encode(&mut self, start: usize, stop: usize, ends: &mut Vec<usize>) {
        self.open(start, stop);
        let len = self.next.len() as u32;
        while let Some(Reverse((rank, at))) = self.queue.pop() {
            // What has changed since it was put in has another rank, or none.
            let end = self.next[at as usize];
            if end == 0 || end >= len || self.rank(start, at, self.next[end as usize]) != rank {
                continue;
            }
            self.join(at);
            self.look_up(start, at);
            if at > 0 {
                self.look_up(start, self.before[at as usize]);
            }
        }
        ends.clear();
        let mut at = 0;
        while at < len {
            at = self.next[at as usize];
            ends.push(start + at as usize);
        }
    }

    fn open(&mut self, start: usize, stop: usize) {
        let len = (stop - start) as u32;
        self.next.clear();
        self.next.extend(1..=len);
        self.before.clear();
        self.before.extend((0..len).map(|it| it.saturating_sub(1)));
        let pairs = self.bytes[start..stop].array_windows().map(|it| self.pairs.rank_of_pair(*it));
        let ranked = pairs.zip(0..).filter(|(rank, _)| *rank != NONE);
        self.queue.clear();
        self.queue.extend(ranked.map(Reverse));
    }

    fn rank(&self, start: usize, from: u32, to: u32) -> u32 {
        self.pairs.table.get_bytes(self.bytes, start + from as usize, start + to as usize)
    }

    /// Joins the token at `at` with the next one.
    fn join(&mut self, at: u32) {
        let gone = self.next[at as usize] as usize;
        let end = self.next[gone];
        (self.next[at as usize], self.next[gone]) = (end, 0);
        if let Some(before) = self.before.get_mut(end as usize) {
            *before = at;
        }
    }

    /// Puts the token at `at` and the next one into the queue, if they merge.
    fn look_up(&mut self, start: usize, at: u32) {
        let end = self.next[at as usize];
        if let Some(&to) = self.next.get(end as usize) {
            let rank = self.rank(start, at, to);
            if rank != NONE {
                self.queue.push(Reverse((rank, at)));
            }
        }
    }
}
