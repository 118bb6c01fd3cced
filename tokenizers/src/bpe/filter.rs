//! Which hashes a table may have, small enough to stay in the processor's own caches.
//!
//! In merging most pairs of neighbours are in no table, and memory is slow to say so. One bit for each hash tells nine of
//! ten of them.

/// A bit for each of the hashes' upper bits: set for what is there, and by accident for some of what is not.
pub(crate) struct Filter {
    words: Box<[u64]>,
    shift: u32,
}

/// Bits for each hash, or up to twice as many.
const BITS: usize = 8;

impl Filter {
    pub(crate) fn with_capacity(n_hashes: usize) -> Self {
        let n_bits = (BITS * n_hashes).next_power_of_two().max(64);
        Self { words: vec![0; n_bits / 64].into(), shift: u64::BITS - n_bits.ilog2() }
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> (usize, u32) {
        let bit = hash >> self.shift;
        ((bit / 64) as usize & (self.words.len() - 1), (bit % 64) as u32)
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.words[word] |= 1 << bit;
    }

    /// False for what was not put in. Takes no branch.
    #[inline(always)]
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.words[word] >> bit & 1 != 0
    }
}
