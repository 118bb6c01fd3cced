//! Which two neighbours merge, what they become, and which of several pairs first.

use std::hint::black_box;

use rustc_hash::FxHashMap;

use super::{
    names::{Names, Span},
    splits::splits,
};
use crate::bpe::{BadVocabulary, MAX_ORDERED, NONE};

/// What two neighbours become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    /// Lower ones come first, the leftmost of equals.
    pub(super) rank: u32,
    pub(super) id: u32,
}

impl Joined {
    /// Two that stay apart.
    pub(super) const NOTHING: Self = Self { rank: NONE, id: NONE };
}

const WAYS: usize = 8;
/// Buckets that are asked for before they are written, so that memory brings many at a time.
const AHEAD: usize = 32;

/// One cache line, so that a look-up waits for memory once. An entry is what tells a pair from others of its bucket, the
/// rank of the pair and one, and the id of what it becomes; 0 is no entry.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([u64; WAYS]);

impl Bucket {
    const EMPTY: Self = Self([0; WAYS]);
    /// What the last entry is where more pairs belong to a bucket than fit.
    const CROWDED: u64 = u64::MAX;

    fn is_crowded(&self) -> bool {
        self.0[WAYS - 1] == Self::CROWDED
    }
}

/// Longer ids leave too few bits of an entry for ranks.
const MAX_ID_BITS: u32 = 20;
/// Odd, with balanced bits, from the fractional part of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// All pairs of a vocabulary.
///
/// Two ids are one number, which is multiplied by an odd one: that is reversible, so that the upper bits, which choose the
/// bucket, and the lower ones, which the entry holds, are together as good as the pair (quotienting, Knuth's TAOCP 3,
/// 6.4, exercise 13).
pub(crate) struct Joins {
    buckets: Box<[Bucket]>,
    bucket_bits: u32,
    id_bits: u32,
    /// How many bits of an entry are not the pair's.
    payload_bits: u32,
    /// The pairs that fit no bucket: some hundredths.
    rest: FxHashMap<(u32, u32), Joined>,
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

    /// Any two that make a token together. `results` are the ranks and ids of what is made, in the order of ranks; they
    /// may share a rank, as SentencePiece's pieces a score. `half` is the id of the part of a token, or [`NONE`].
    ///
    /// # Errors
    /// [`BadVocabulary::LargeRank`].
    pub(crate) fn of_results(
        names: &Names,
        results: &[Joined],
        ties: Ties,
        half: impl Fn(Span) -> u32,
    ) -> Result<Self, BadVocabulary> {
        let mut pairs = splits(names, results, half);
        if ties == Ties::LongestLeft {
            (0..).zip(&mut pairs).for_each(|(rank, (_, joined))| joined.rank = rank);
        }
        Self::new(&pairs)
    }

    fn new(pairs: &[((u32, u32), Joined)]) -> Result<Self, BadVocabulary> {
        if let Some((_, large)) = pairs.iter().find(|(_, joined)| joined.rank >= MAX_ORDERED) {
            return Err(BadVocabulary::LargeRank(large.rank));
        }
        let any_id = pairs.iter().fold(0, |all, ((left, right), joined)| all | left | right | joined.id);
        let id_bits = (u32::BITS - any_id.leading_zeros()).clamp(1, MAX_ID_BITS);
        let bucket_bits = (pairs.len() * 2 / WAYS).next_power_of_two().ilog2().clamp(1, 2 * id_bits - 1);
        let mut made = Self {
            buckets: vec![Bucket::EMPTY; 1 << bucket_bits].into(),
            bucket_bits,
            id_bits,
            payload_bits: u64::BITS - 2 * id_bits + bucket_bits,
            rest: FxHashMap::default(),
        };
        made.mark_crowded(pairs);
        for group in pairs.chunks(AHEAD) {
            let first = |(left, right): (u32, u32)| made.buckets[made.place(left, right).0].0[0];
            black_box(group.iter().fold(0, |all, (pair, _)| all | first(*pair)));
            group.iter().for_each(|(pair, joined)| made.insert(*pair, *joined));
        }
        Ok(made)
    }

    fn mark_crowded(&mut self, pairs: &[((u32, u32), Joined)]) {
        let mut sizes = vec![0u8; self.buckets.len()];
        for ((left, right), joined) in pairs {
            let (place, entry) = self.entry(*left, *right, *joined);
            let more = if entry.is_some() { 1 } else { u8::MAX };
            sizes[place] = sizes[place].saturating_add(more);
        }
        for (bucket, size) in self.buckets.iter_mut().zip(sizes) {
            if usize::from(size) > WAYS {
                bucket.0[WAYS - 1] = Bucket::CROWDED;
            }
        }
    }

    fn insert(&mut self, (left, right): (u32, u32), joined: Joined) {
        let (place, entry) = self.entry(left, right, joined);
        let free = self.buckets[place].0.iter_mut().find(|it| **it == 0);
        match free.zip(entry) {
            Some((free, entry)) => *free = entry,
            None => drop(self.rest.insert((left, right), joined)),
        }
    }

    /// A pair's bucket and its entry there, if the numbers fit one.
    #[inline(always)]
    fn entry(&self, left: u32, right: u32, joined: Joined) -> (usize, Option<u64>) {
        let (place, pair) = self.place(left, right);
        let payload = u64::from(joined.rank + 1) << self.id_bits | u64::from(joined.id);
        let fits = !self.is_outside(left | right | joined.id) && payload >> self.payload_bits == 0;
        (place, Some(pair | payload).filter(|it| fits && *it != Bucket::CROWDED))
    }

    /// True for ids that are in no entry.
    #[inline(always)]
    fn is_outside(&self, id: u32) -> bool {
        id >> self.id_bits != 0
    }

    /// A pair's bucket, and what of an entry is the pair's.
    #[inline(always)]
    fn place(&self, left: u32, right: u32) -> (usize, u64) {
        let pair = u64::from(left) << self.id_bits | u64::from(right);
        let hash = pair.wrapping_mul(FACTOR) << (u64::BITS - 2 * self.id_bits);
        let bucket = (hash >> (u64::BITS - self.bucket_bits)) as usize & (self.buckets.len() - 1);
        (bucket, hash << self.bucket_bits)
    }

    /// What two neighbours become; the rank is [`NONE`] if they stay apart.
    #[inline(always)]
    pub(super) fn get(&self, left: u32, right: u32) -> Joined {
        let (place, pair) = self.place(left, right);
        let bucket = &self.buckets[place];
        if self.is_outside(left | right) || bucket.is_crowded() {
            return self.get_anywhere(left, right);
        }
        self.find(bucket, pair)
    }

    #[inline(always)]
    fn find(&self, bucket: &Bucket, pair: u64) -> Joined {
        // In columns, for the processor's vectors.
        let found = bucket.0.map(|entry| if (entry ^ pair) >> self.payload_bits == 0 { entry } else { 0 });
        let found = found.into_iter().fold(0, |all, it| all | it);
        // No entry, and one that is not there, are rank 0 less one.
        let payload = found & !(u64::MAX << self.payload_bits);
        let rank = ((payload >> self.id_bits) as u32).wrapping_sub(1);
        Joined { rank, id: payload as u32 & !(u32::MAX << self.id_bits) }
    }

    #[inline(never)]
    fn get_anywhere(&self, left: u32, right: u32) -> Joined {
        if left == NONE || right == NONE {
            return Joined::NOTHING;
        }
        if let Some(joined) = self.rest.get(&(left, right)) {
            return *joined;
        }
        if self.is_outside(left | right) {
            return Joined::NOTHING;
        }
        let (place, pair) = self.place(left, right);
        let mut bucket = self.buckets[place];
        bucket.0[WAYS - 1] = 0;
        self.find(&bucket, pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: FxHashMap<(u32, u32), (u32, u32)>, is_rest: impl Fn(usize) -> bool) {
        let joins = Joins::of_pairs(pairs.clone()).unwrap();
        assert!(is_rest(joins.rest.len()), "{} of {}", joins.rest.len(), pairs.len());
        for ((left, right), (rank, id)) in &pairs {
            assert_eq!(joins.get(*left, *right), Joined { rank: *rank, id: *id });
            for absent in [(*left ^ 8, *right), (*left, *right ^ 1), (*right, *left), (NONE, *right), (*left, NONE)] {
                if !pairs.contains_key(&absent) {
                    assert_eq!(joins.get(absent.0, absent.1).rank, NONE, "{absent:?}");
                }
            }
        }
    }

    #[test]
    fn pairs_are_found_wherever_they_are() {
        let some = |n: u32| (0..n).map(|it| ((it % 7, it * 31), (it, it + 1)));
        let any =
            |it: u32| u64::from(it).wrapping_mul(0x6a09_e667_f3bc_c909).rotate_left(23).wrapping_mul(FACTOR) >> 46;
        let many = |n: u32| (0..n).map(move |it| ((any(it) as u32, any(it + n) as u32), (it, it % 5000)));
        check(FxHashMap::default(), |rest| rest == 0);
        check([((0, 0), (0, 0))].into_iter().collect(), |rest| rest == 0);
        check(some(500).collect(), |rest| rest < 50);
        check(many(1 << 17).collect(), |rest| (1..1 << 13).contains(&rest));
        // Ids and ranks that fit no entry.
        let far = some(500).map(|((left, right), (rank, id))| ((left, right + (1 << 22)), (rank, id)));
        check(some(500).chain(far).collect(), |rest| (500..600).contains(&rest));
        let late = some(500).map(|(pair, (rank, id))| (pair, (rank + MAX_ORDERED - 500, id | 1 << 22)));
        check(late.collect(), |rest| rest == 500);
    }

    #[test]
    fn ranks_that_do_not_fit_are_refused() {
        let pairs = [((1, 2), (MAX_ORDERED, 3))].into_iter().collect();
        assert_eq!(Joins::of_pairs(pairs).err(), Some(BadVocabulary::LargeRank(MAX_ORDERED)));
    }
}
