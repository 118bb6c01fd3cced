//! The chunks that training sees: identical ones once, and of each source at most so many bytes, drawn by a seed.

use std::collections::BTreeMap;

/// Bytes of a chunk. No token reaches from one into the next.
pub const CHUNK_BYTES: usize = 8192;

/// A growing set of chunks. Memory is bounded by the limits of the sources.
#[derive(Debug)]
pub struct Sample {
    seed: u64,
    repeats: bool,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    limit: usize,
    n_bytes: usize,
    /// By a number that the seed draws; the second half is a hash, and tells chunks apart.
    drawn: BTreeMap<(u64, u64, u64), Box<[u8]>>,
}

impl Sample {
    /// An empty set.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, repeats: false, sources: Vec::new() }
    }

    /// A set that keeps identical chunks as often as they come, as the `bbpe` crate counts them.
    #[must_use]
    pub fn with_repeats(seed: u64) -> Self {
        Self { repeats: true, ..Self::new(seed) }
    }

    /// Adds a source of which at most `limit` bytes are kept, and gives its number.
    pub fn add_source(&mut self, limit: usize) -> usize {
        self.sources.push(Source { limit, n_bytes: 0, drawn: BTreeMap::new() });
        self.sources.len() - 1
    }

    /// Adds the chunks of `bytes`: a whole file, or a part of one that is a multiple of [`CHUNK_BYTES`] long.
    pub fn add(&mut self, source: usize, bytes: &[u8]) {
        let Some(source) = self.sources.get_mut(source) else { return };
        for chunk in bytes.chunks(CHUNK_BYTES) {
            let [first, second] = hashes(chunk);
            // The hash comes first mixed with the seed, so that the least of these numbers are a fair draw.
            let mut key = (mix(first ^ self.seed), second, 0);
            if self.repeats {
                key.2 = source.drawn.range(key..(key.0, key.1, u64::MAX)).count() as u64;
            }
            source.add(key, chunk);
        }
    }

    /// Bytes of all chunks that are kept now.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.sources.iter().map(|it| it.n_bytes).sum()
    }

    /// The chunks in an order that does not depend on that of their coming; identical ones of several sources once.
    pub(super) fn into_chunks(self) -> Vec<Box<[u8]>> {
        let mut all: Vec<_> = self.sources.into_iter().flat_map(|it| it.drawn).collect();
        all.sort_unstable_by_key(|it| it.0);
        if !self.repeats {
            all.dedup_by_key(|it| it.0);
        }
        all.into_iter().map(|it| it.1).collect()
    }
}

impl Source {
    fn add(&mut self, key: (u64, u64, u64), chunk: &[u8]) {
        let is_over = self.n_bytes + chunk.len() > self.limit;
        if is_over && self.drawn.last_key_value().is_none_or(|(last, _)| *last <= key) {
            return;
        }
        if self.drawn.insert(key, chunk.into()).is_none() {
            self.n_bytes += chunk.len();
        }
        while self.n_bytes > self.limit
            && let Some((_, dropped)) = self.drawn.pop_last()
        {
            self.n_bytes -= dropped.len();
        }
    }
}

/// Two independent numbers of 64 bits. They find identical chunks and draw samples; nobody gains by a collision.
fn hashes(chunk: &[u8]) -> [u64; 2] {
    let mut state = [0x243f_6a88_85a3_08d3 ^ chunk.len() as u64, 0x1319_8a2e_0370_7344];
    let mut words = chunk.chunks(8);
    for word in &mut words {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        let word = u64::from_le_bytes(padded);
        state[0] = (state[0] ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        state[1] = (state[1].rotate_left(23) ^ word).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    }
    state.map(mix)
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(byte: u8) -> Vec<u8> {
        (0..CHUNK_BYTES).map(|it| byte.wrapping_add((it / 64) as u8)).collect()
    }

    fn drawn(seed: u64, order: &mut dyn Iterator<Item = u8>, limit: usize) -> Vec<u8> {
        let mut sample = Sample::new(seed);
        let source = sample.add_source(limit);
        order.for_each(|it| sample.add(source, &chunk(it)));
        sample.into_chunks().iter().map(|it| it[0]).collect()
    }

    #[test]
    fn draws_by_the_seed_and_not_by_the_order() {
        let all = drawn(1, &mut (0..100), usize::MAX);
        assert_eq!(all.len(), 100);
        let ten = drawn(1, &mut (0..100), 10 * CHUNK_BYTES);
        assert_eq!(ten, all[..10]);
        assert_eq!(ten, drawn(1, &mut (0..100).rev(), 10 * CHUNK_BYTES));
        assert_ne!(ten, drawn(2, &mut (0..100), 10 * CHUNK_BYTES));
    }

    #[test]
    fn keeps_identical_chunks_once_or_as_often_as_they_come() {
        for (mut sample, expected) in [(Sample::new(0), 2), (Sample::with_repeats(0), 5)] {
            let sources = [sample.add_source(usize::MAX), sample.add_source(usize::MAX)];
            for (source, byte) in [(0, 1), (0, 1), (1, 1), (1, 2), (0, 1)] {
                sample.add(sources[source], &chunk(byte));
            }
            assert_eq!(sample.into_chunks().len(), expected);
        }
    }
}
