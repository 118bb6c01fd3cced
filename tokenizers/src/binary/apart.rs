//! Whether two tokens may stand side by side.
//!
//! A sequence of tokens is the encoding of its bytes exactly if each two neighbours are that of theirs. And two are, if
//! at no time before either was whole something merged across their border. So both are taken apart again, the younger
//! first, and at each time the two parts that face each other must not have been a pair that merges then.

use super::merges::Merges;

/// What pairs merge to, in a hash table with open addressing.
pub(super) struct Apart {
    /// `left << 32 | right << 16 | token`; no token is 0.
    table: Box<[u64]>,
    /// A bit for each pair that merges, and for a few more: most pairs do not, and this is in a nearer cache.
    filter: Box<[u64]>,
    /// The two parts of each token; a byte is its own.
    parts: Vec<(u16, u16)>,
}

/// Bits of the filter, as a power of two.
const FILTER_BITS: u32 = 20;

impl Apart {
    pub(super) fn new(merges: &Merges) -> Self {
        let n_slots = (merges.len() * 2).next_power_of_two().max(2);
        let parts = (0..merges.n_tokens() as u16).map(|it| merges.parts(it).unwrap_or((it, it))).collect();
        let filter = vec![0; 1 << (FILTER_BITS - 6)].into();
        let mut made = Self { table: vec![0; n_slots].into(), filter, parts };
        for (at, (left, right)) in merges.pairs().iter().enumerate() {
            let (word, bit) = filter_place(*left, *right);
            made.filter[word] |= bit;
            let mut slot = made.slot(*left, *right);
            while made.table[slot] != 0 {
                slot = (slot + 1) & (n_slots - 1);
            }
            made.table[slot] = u64::from(*left) << 32 | u64::from(*right) << 16 | (256 + at) as u64;
        }
        made
    }

    fn slot(&self, left: u16, right: u16) -> usize {
        let key = u64::from(left) << 16 | u64::from(right);
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.table.len() - 1)
    }

    /// What two tokens merge to.
    #[inline(always)]
    pub(super) fn merged(&self, left: u16, right: u16) -> Option<u16> {
        let (word, bit) = filter_place(left, right);
        if self.filter[word] & bit == 0 { None } else { self.find(left, right) }
    }

    fn find(&self, left: u16, right: u16) -> Option<u16> {
        let mut slot = self.slot(left, right);
        let key = u64::from(left) << 16 | u64::from(right);
        loop {
            let entry = self.table[slot];
            if entry == 0 {
                return None;
            }
            if entry >> 16 == key {
                return Some(entry as u16);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }

    /// True if nothing merges across the border of two tokens by merges that come before `before`.
    pub(super) fn until(&self, mut left: u16, mut right: u16, mut before: u32) -> bool {
        loop {
            if self.merged(left, right).is_some_and(|it| u32::from(it) < before) {
                return false;
            }
            if left.max(right) < 256 {
                return true;
            }
            // Of two alike the right one is younger: merging goes from left to right.
            if left > right {
                before = u32::from(left);
                left = self.parts[usize::from(left)].1;
            } else {
                // The pair across the border is further left than the one inside, so that it would have come first.
                before = u32::from(right) + 1;
                right = self.parts[usize::from(right)].0;
            }
        }
    }
}

#[inline(always)]
fn filter_place(left: u16, right: u16) -> (usize, u64) {
    let key = u64::from(left) << 16 | u64::from(right);
    let hash = (key.wrapping_mul(0xc2b2_ae3d_27d4_eb4f) >> (64 - FILTER_BITS)) as usize;
    (hash / 64, 1 << (hash % 64))
}
