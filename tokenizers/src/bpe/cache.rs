//! Token counts of the short pieces that were met last, small enough to stay in the processor's own caches.

use super::key::Key;

/// A key whose highest four bits hold a count of tokens, 1 to 15.
type Entry = Key;

const COUNT_SHIFT: u32 = 60;

#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Bucket([Entry; 2]);

/// So many buckets, a power of two, of two counts each.
#[derive(Clone)]
pub(crate) struct Cache<const N: usize> {
    buckets: Box<[Bucket; N]>,
}

impl<const N: usize> Cache<N> {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![Bucket::default(); N].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!()) }
    }

    /// The count of tokens of a piece, or 0 where it is not known. Takes no branch.
    #[inline(always)]
    pub(crate) fn get(&self, wanted: Key) -> usize {
        let [first, second] = self.buckets[Self::place(wanted)].0;
        (count_if(first, wanted) | count_if(second, wanted)) as usize
    }

    #[inline(always)]
    fn place(piece: Key) -> usize {
        (piece.hash() >> (64 - N.ilog2())) as usize
    }

    /// Remembers a count in place of the bucket's older one.
    #[inline(always)]
    pub(crate) fn put(&mut self, piece: Key, count: usize) {
        let [first, second] = &mut self.buckets[Self::place(piece)].0;
        *second = *first;
        *first = Key { low: piece.low, high: piece.high | (count as u64) << COUNT_SHIFT };
    }

    /// As [`Self::put`], where there is room.
    pub(crate) fn seed(&mut self, piece: Key) {
        if let Some(free) = self.buckets[Self::place(piece)].0.iter_mut().find(|it| **it == Key::default()) {
            *free = Key { low: piece.low, high: piece.high | 1 << COUNT_SHIFT };
        }
    }
}

#[inline(always)]
fn count_if(entry: Entry, wanted: Key) -> u64 {
    let differs = (entry.low ^ wanted.low) | ((entry.high ^ wanted.high) << 4);
    std::hint::select_unpredictable(differs == 0, entry.high >> COUNT_SHIFT, 0)
}
