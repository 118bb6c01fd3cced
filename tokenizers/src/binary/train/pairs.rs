//! Which pairs are worth watching, how often they occur, and where.
//!
//! A pair's count grows only when the younger of its tokens is made; after that it shrinks. So its places are listed
//! once, and checked when they are used; and a pair that is rarer than what is merged now need not be watched before
//! everything more frequent is merged.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, hash_map::Entry},
};

use rustc_hash::FxHashMap;

use super::field::Field;

/// A sketch has so many counters; a pair's counter is never below its count.
const SKETCH_BITS: u32 = 24;

/// A watched pair.
pub(super) struct Pair {
    pub(super) count: u32,
    /// Where its left token begins, in order; places that no longer hold are among them.
    pub(super) places: Vec<u32>,
}

/// The watched pairs, by `left << 16 | right`.
#[derive(Default)]
pub(super) struct Pairs {
    watched: FxHashMap<u32, Pair>,
    /// Counts, maybe outdated, with the smallest pair first among equals.
    queue: BinaryHeap<(u32, Reverse<u32>)>,
}

pub(super) fn key(left: u16, right: u16) -> u32 {
    u32::from(left) << 16 | u32::from(right)
}

impl Pairs {
    /// The most frequent watched pair. What is returned is no longer watched.
    pub(super) fn pop(&mut self, floor: u32) -> Option<(u16, u16, Pair)> {
        loop {
            let (count, Reverse(key)) = *self.queue.peek()?;
            let now = self.watched.get(&key).map_or(0, |it| it.count);
            if now == count && now >= floor {
                self.queue.pop();
                return Some(((key >> 16) as u16, key as u16, self.watched.remove(&key)?));
            }
            if now == count {
                return None;
            }
            self.queue.pop();
            if now > 0 {
                self.queue.push((now, Reverse(key)));
            }
        }
    }

    /// Stops ever considering a pair. It stays known, so that it is not found anew.
    pub(super) fn refuse(&mut self, left: u16, right: u16) {
        self.watched.insert(key(left, right), Pair { count: 0, places: Vec::new() });
    }

    /// Watches a new pair.
    pub(super) fn watch(&mut self, left: u16, right: u16, places: Vec<u32>) {
        let count = places.len() as u32;
        self.queue.push((count, Reverse(key(left, right))));
        self.watched.insert(key(left, right), Pair { count, places });
    }

    /// A watched pair occurs less often by `by`.
    pub(super) fn lose(&mut self, left: u16, right: u16, by: u32) {
        if let Entry::Occupied(mut pair) = self.watched.entry(key(left, right)) {
            let count = pair.get().count.saturating_sub(by);
            pair.get_mut().count = count;
        }
    }

    /// Finds and watches all pairs of at most `longest` bytes that occur at least `floor` times and are not yet known.
    pub(super) fn find(&mut self, field: &Field, floor: u32, longest: usize, n_threads: usize) {
        let n_parts = n_threads.max(1);
        let fits = |left, right| field.token_len(left) + field.token_len(right) <= longest;
        let sketch = in_parts(n_parts, |part| {
            let mut sketch = vec![0u32; 1 << SKETCH_BITS];
            field.neighbours(part, n_parts, |_, left, right| sketch[slot(key(left, right))] += 1);
            sketch
        });
        let sketch = sketch.into_iter().reduce(|mut sum, part| {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            sum
        });
        let Some(sketch) = sketch else { return };
        let known = &self.watched;
        let found = in_parts(n_parts, |part| {
            let mut found: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
            field.neighbours(part, n_parts, |at, left, right| {
                let key = key(left, right);
                if sketch[slot(key)] >= floor && fits(left, right) && !known.contains_key(&key) {
                    found.entry(key).or_default().push(at as u32);
                }
            });
            found
        });
        let mut parts = found.into_iter();
        let mut all = parts.next().unwrap_or_default();
        for part in parts {
            for (key, places) in part {
                all.entry(key).or_default().extend(places);
            }
        }
        for (key, mut places) in all.into_iter().filter(|it| it.1.len() >= floor as usize) {
            places.shrink_to_fit();
            self.watch((key >> 16) as u16, key as u16, places);
        }
    }
}

fn slot(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (32 - SKETCH_BITS)) as usize
}

/// Does `work` for each part on a thread of its own; results are in the order of the parts.
fn in_parts<T: Send>(n_parts: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if n_parts == 1 {
        return vec![work(0)];
    }
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..n_parts).map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
