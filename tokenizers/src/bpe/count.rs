//! Counting without encoding: a cache answers for most pieces, the rest is looked up and merged many at a time.

use fearless_simd::dispatch;

use super::{
    cache::Cache,
    key::{Key, MAX_BYTES},
    long::Long,
    long_cache::LongCache,
    pairs::BytePairs,
    short::{self, LANES},
    table::NONE,
};
use crate::split::{Batch, LEVEL};

/// Of all pieces: 1 MiB, what a core has for itself.
pub(crate) type Pieces = Cache<{ 1 << 15 }>;
/// Of pieces that were merged: 256 KiB.
type Merged = Cache<{ 1 << 13 }>;

/// Pieces that the cache does not know, and that are looked up together.
const MISSES: usize = 255;

/// What counting needs and keeps from one text to the next: about 1.3 MiB.
#[derive(Clone)]
pub(crate) struct Scratch {
    pub(super) cache: Pieces,
    /// Start and end of pieces, in bytes from the start of their batch; the last place only takes what is no miss.
    misses: [(u32, u32); MISSES + 1],
    unknown: [Key; MISSES],
    /// What was merged and may have left the cache since.
    merged: Merged,
    long: Long,
    long_cache: LongCache,
}

impl Scratch {
    pub(super) fn new(cache: Pieces) -> Self {
        Self {
            cache,
            merged: Merged::new(),
            misses: [(0, 0); MISSES + 1],
            unknown: [Key::default(); MISSES],
            long: Long::default(),
            long_cache: LongCache::new(),
        }
    }
}

impl BytePairs {
    /// How many tokens the pieces are.
    ///
    /// The cache answers for most; that loop takes no branch a processor could guess wrong. The rest is looked up
    /// together, so that many waits for memory go on at a time.
    pub(crate) fn count(&self, scratch: &mut Scratch, bytes: &[u8], batch: &Batch<'_>) -> usize {
        // Not for its vectors: the same code takes fewer instructions where the processor knows more of them.
        dispatch!(*LEVEL, _simd => self.count_batch(scratch, bytes, batch))
    }

    #[inline(always)]
    fn count_batch(&self, scratch: &mut Scratch, bytes: &[u8], batch: &Batch<'_>) -> usize {
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
                match scratch.long_cache.get(&bytes[start..end]) {
                    Some(known) => total += known,
                    None if self.table.get_bytes(bytes, start, end) != NONE => total += 1,
                    None => scratch.long.push(start, end),
                }
                continue;
            }
            scratch.unknown[n_unknown] = Key::of(bytes, start, end);
            n_unknown += 1;
        }
        let Scratch { cache, merged, unknown, long, long_cache, .. } = scratch;
        long.encode(self, bytes, |start, ends| {
            total += ends.len();
            long_cache.put(&bytes[start..ends.last().copied().unwrap_or(start)], ends.len());
        });
        let n_rest = self.drop_tokens(cache, &mut unknown[..n_unknown]);
        total + (n_unknown - n_rest) + self.count_merged(cache, merged, &unknown[..n_rest])
    }

    /// Moves the pieces that are no token to the front and says how many those are.
    fn drop_tokens(&self, cache: &mut Pieces, pieces: &mut [Key]) -> usize {
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

    fn count_merged(&self, cache: &mut Pieces, merged: &mut Merged, pieces: &[Key]) -> usize {
        let mut total = 0;
        let mut lanes = [Key::default(); LANES];
        let mut n_lanes = 0;
        for &piece in pieces {
            // It may have come a moment ago, or long before.
            let known = match cache.get(piece) {
                0 => merged.get(piece),
                known => known,
            };
            if known > 0 {
                cache.put(piece, known);
            }
            total += known;
            lanes[n_lanes] = piece;
            n_lanes += usize::from(known == 0);
            if n_lanes == LANES {
                total += self.merge(cache, merged, &lanes);
                n_lanes = 0;
            }
        }
        total + self.merge(cache, merged, &lanes[..n_lanes])
    }

    fn merge(&self, cache: &mut Pieces, merged: &mut Merged, pieces: &[Key]) -> usize {
        let mut starts = [0; LANES];
        short::encode(&self.table, &self.pairs, pieces, &mut starts);
        let mut total = 0;
        for (piece, starts) in pieces.iter().zip(starts) {
            // One of the bits is behind the end.
            let count = starts.count_ones() as usize - 1;
            cache.put(*piece, count);
            merged.put(*piece, count);
            total += count;
        }
        total
    }
}
