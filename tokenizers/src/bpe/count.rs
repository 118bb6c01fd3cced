//! Counting without encoding: a cache answers for most pieces, the rest is looked up and merged many at a time.

use super::{
    cache::Cache,
    key::{Key, MAX_BYTES},
    long::Long,
    pairs::BytePairs,
    short::{self, LANES},
    table::NONE,
};
use crate::split::Batch;

/// Pieces that the cache does not know, and that are looked up together.
const MISSES: usize = 255;

/// What counting needs and keeps from one text to the next: about 1 MiB.
#[derive(Clone)]
pub(crate) struct Scratch {
    pub(super) cache: Cache,
    /// Start and end of pieces, in bytes from the start of their batch; the last place only takes what is no miss.
    misses: [(u32, u32); MISSES + 1],
    unknown: [Key; MISSES],
    long: Long,
}

impl Scratch {
    pub(super) fn new(cache: Cache) -> Self {
        Self { cache, misses: [(0, 0); MISSES + 1], unknown: [Key::default(); MISSES], long: Long::default() }
    }
}

impl BytePairs {
    /// How many tokens the pieces are.
    ///
    /// The cache answers for most; that loop takes no branch a processor could guess wrong. The rest is looked up
    /// together, so that many waits for memory go on at a time.
    pub(crate) fn count(&self, scratch: &mut Scratch, bytes: &[u8], batch: &Batch<'_>) -> usize {
        let bytes = &bytes[batch.base..];
        let (mut total, mut start) = (0, 0);
        for ends in batch.ends.chunks(MISSES) {
            let mut n_misses = 0u8;
            for &end in ends {
                let known = scratch.cache.get(Key::of_short(bytes, start as usize, end as usize));
                total += known;
                scratch.misses[n_misses as usize] = (start, end);
                n_misses += u8::from(known == 0);
                start = end;
            }
            total += self.count_misses(scratch, bytes, n_misses.into());
        }
        total
    }

    #[inline(never)]
    fn count_misses(&self, scratch: &mut Scratch, bytes: &[u8], n_misses: usize) -> usize {
        let (mut total, mut n_unknown) = (0, 0);
        for &(start, end) in &scratch.misses[..n_misses] {
            let (start, end) = (start as usize, end as usize);
            if end - start > MAX_BYTES {
                match self.table.get_bytes(bytes, start, end) {
                    NONE => scratch.long.push(start, end),
                    _ => total += 1,
                }
                continue;
            }
            scratch.unknown[n_unknown] = Key::of(bytes, start, end);
            n_unknown += 1;
        }
        scratch.long.encode(self, bytes, |ends| total += ends.len());
        let Scratch { cache, unknown, .. } = scratch;
        let n_rest = self.drop_tokens(cache, &mut unknown[..n_unknown]);
        total + (n_unknown - n_rest) + self.count_merged(cache, &unknown[..n_rest])
    }

    /// Moves the pieces that are no token to the front and says how many those are.
    fn drop_tokens(&self, cache: &mut Cache, pieces: &mut [Key]) -> usize {
        let mut n_rest = 0;
        for it in 0..pieces.len() {
            let piece = pieces[it];
            let is_token = self.table.get(piece) != NONE;
            if is_token {
                cache.put(piece, 1);
            }
            pieces[n_rest] = piece;
            n_rest += usize::from(!is_token);
        }
        n_rest
    }

    fn count_merged(&self, cache: &mut Cache, pieces: &[Key]) -> usize {
        let mut total = 0;
        let mut lanes = [Key::default(); LANES];
        let mut n_lanes = 0;
        for &piece in pieces {
            // It may have come a moment ago.
            let known = cache.get(piece);
            total += known;
            lanes[n_lanes] = piece;
            n_lanes += usize::from(known == 0);
            if n_lanes == LANES {
                total += self.merge(cache, &lanes);
                n_lanes = 0;
            }
        }
        total + self.merge(cache, &lanes[..n_lanes])
    }

    fn merge(&self, cache: &mut Cache, pieces: &[Key]) -> usize {
        let mut starts = [0; LANES];
        short::encode(&self.table, &self.pairs, pieces, &mut starts);
        let mut total = 0;
        for (piece, starts) in pieces.iter().zip(starts) {
            // One of the bits is behind the end.
            let count = starts.count_ones() as usize - 1;
            cache.put(*piece, count);
            total += count;
        }
        total
    }
}
