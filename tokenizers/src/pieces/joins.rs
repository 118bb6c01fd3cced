//! Which two neighbours merge, what they become, and which of several pairs first.

use rustc_hash::FxHashMap;

use super::names::Names;
use crate::bpe::{BadVocabulary, MAX_ORDERED, NONE};

/// What two neighbours become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Joined {
    /// Lower ones come first, the leftmost of equals.
    pub(super) rank: u32,
    pub(super) id: u32,
}

impl Joined {
    /// Two that stay apart.
    pub(super) const NOTHING: Self = Self { rank: NONE, id: NONE };
}

const WAYS: usize = 4;

/// One cache line, so that a look-up waits for memory once.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket {
    pairs: [u64; WAYS],
    joined: [Joined; WAYS],
}

/// No pair: it would be two characters that are no token.
const EMPTY: u64 = u64::MAX;

/// All pairs of a vocabulary. A pair is in its own bucket, or behind full ones.
pub(crate) struct Joins {
    buckets: Box<[Bucket]>,
    shift: u32,
}

/// Which pairs a vocabulary merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ties {
    /// Of all pairs whose result has the same rank, the leftmost in the text first.
    Leftmost,
    /// Of several ways to make one token, the one with the longest left half first.
    LongestLeft,
}

impl Joins {
    /// The listed pairs of ids, with the rank and the id of what they make.
    ///
    /// # Errors
    /// [`BadVocabulary::LargeRank`].
    pub(crate) fn of_pairs(pairs: FxHashMap<(u32, u32), (u32, u32)>) -> Result<Self, BadVocabulary> {
        let pairs = pairs.into_iter().map(|(pair, (rank, id))| (pair, Joined { rank, id })).collect::<Vec<_>>();
        Self::new(&pairs)
    }

    /// Any two that make a token together, by a rank for each id; [`NONE`] for what is no result. Results may share a
    /// rank, as SentencePiece's pieces a score. `half` is the id of what a token may be made of.
    ///
    /// # Errors
    /// [`BadVocabulary::LargeRank`].
    pub(crate) fn of_results(
        names: &Names,
        ranks: &[u32],
        ties: Ties,
        half: impl Fn(&[u8]) -> Option<u32>,
    ) -> Result<Self, BadVocabulary> {
        let mut pairs = Vec::with_capacity(2 * ranks.len());
        for (id, token) in names.iter() {
            let Some(&rank) = ranks.get(id as usize).filter(|it| **it != NONE) else { continue };
            for middle in (1..token.len()).filter(|it| token[*it] & 0xc0 != 0x80) {
                // Few first halves are tokens, so that most second ones are never looked up.
                let Some(left) = half(&token[..middle]) else { continue };
                if let Some(right) = half(&token[middle..]) {
                    pairs.push(((left, right), Joined { rank, id }, middle));
                }
            }
        }
        if ties == Ties::LongestLeft {
            pairs.sort_unstable_by_key(|(_, joined, middle)| (joined.rank, usize::MAX - middle));
            (0..).zip(&mut pairs).for_each(|(rank, it)| it.1.rank = rank);
        }
        Self::new(&pairs.into_iter().map(|(pair, joined, _)| (pair, joined)).collect::<Vec<_>>())
    }

    fn new(pairs: &[((u32, u32), Joined)]) -> Result<Self, BadVocabulary> {
        if let Some((_, large)) = pairs.iter().find(|(_, joined)| joined.rank >= MAX_ORDERED) {
            return Err(BadVocabulary::LargeRank(large.rank));
        }
        let n_buckets = (3 * pairs.len() / (2 * WAYS)).next_power_of_two().max(2);
        let empty = Bucket { pairs: [EMPTY; WAYS], joined: [Joined::NOTHING; WAYS] };
        let mut made = Self { buckets: vec![empty; n_buckets].into(), shift: 64 - n_buckets.trailing_zeros() };
        for ((left, right), joined) in pairs {
            made.insert(key(*left, *right), *joined);
        }
        Ok(made)
    }

    fn insert(&mut self, pair: u64, joined: Joined) {
        let mut place = self.place(pair);
        loop {
            let bucket = &mut self.buckets[place];
            if let Some(way) = bucket.pairs.iter().position(|it| *it == EMPTY) {
                (bucket.pairs[way], bucket.joined[way]) = (pair, joined);
                return;
            }
            place = (place + 1) & (self.buckets.len() - 1);
        }
    }

    #[inline(always)]
    fn place(&self, pair: u64) -> usize {
        (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize & (self.buckets.len() - 1)
    }

    /// What two neighbours become; [`Joined::NOTHING`] if they stay apart.
    #[inline(always)]
    pub(super) fn get(&self, left: u32, right: u32) -> Joined {
        let pair = key(left, right);
        let place = self.place(pair);
        let bucket = &self.buckets[place];
        let found = find(bucket, pair);
        let may_be_behind = (found.rank == NONE) & (bucket.pairs[WAYS - 1] != EMPTY);
        if may_be_behind { self.get_behind(place, pair) } else { found }
    }

    #[inline(never)]
    fn get_behind(&self, mut place: usize, pair: u64) -> Joined {
        loop {
            place = (place + 1) & (self.buckets.len() - 1);
            let bucket = &self.buckets[place];
            let found = find(bucket, pair);
            if found.rank != NONE || bucket.pairs[WAYS - 1] == EMPTY {
                return found;
            }
        }
    }
}

#[inline(always)]
fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

#[inline(always)]
fn find(bucket: &Bucket, pair: u64) -> Joined {
    let mut found = Joined::NOTHING;
    for (it, joined) in bucket.pairs.iter().zip(bucket.joined) {
        found.rank = std::hint::select_unpredictable(*it == pair, joined.rank, found.rank);
        found.id = std::hint::select_unpredictable(*it == pair, joined.id, found.id);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_behind_full_buckets() {
        let pairs: FxHashMap<_, _> = (0..500u32).map(|it| ((it % 7, it * 31), (it, it + 1))).collect();
        let joins = Joins::of_pairs(pairs.clone()).unwrap();
        for ((left, right), (rank, id)) in pairs {
            assert_eq!(joins.get(left, right), Joined { rank, id });
            assert_eq!(joins.get(left + 7, right), Joined::NOTHING);
        }
        assert_eq!(joins.get(NONE, 1), Joined::NOTHING);
    }

    #[test]
    fn ranks_that_do_not_fit_are_refused() {
        let pairs = [((1, 2), (MAX_ORDERED, 3))].into_iter().collect();
        assert_eq!(Joins::of_pairs(pairs).err(), Some(BadVocabulary::LargeRank(MAX_ORDERED)));
    }
}
