//! Numbers that look drawn but follow from the seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014), and digests of texts.

use sha2::{Digest, Sha256};

/// A row of numbers that follows from its seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The row of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The row of these texts; other texts give another row.
    #[must_use]
    pub fn of(seed: u64, texts: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(seed.to_le_bytes());
        for text in texts {
            hash.update(text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        let digest = hash.finalize();
        let first = digest.first_chunk::<8>().copied().unwrap_or_default();
        Self(u64::from_le_bytes(first))
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // The high half of the product: as even as 64 bits allow (Lemire, 2019, without his correction).
        ((u128::from(self.next_number()) * limit as u128) >> 64) as usize
    }

    /// A number from 0 to 1, which it never is.
    pub fn unit(&mut self) -> f64 {
        (self.next_number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Puts `items` in an order of this row's (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// An identifier in the form of a UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.next_number(), self.next_number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff,
        )
    }
}

/// SHA-256 of parts, each with its length, in hexadecimal digits.
#[must_use]
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_row() {
        let row = |seed| {
            let mut random = Random::of(seed, &["a", "b"]);
            [random.next_number(), random.next_number()]
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
        assert_ne!(Random::of(1, &["ab", ""]).next_number(), Random::of(1, &["a", "b"]).next_number());
        // Of the authors' own generator with seed 0.
        assert_eq!(Random::new(0).next_number(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn draws_are_even() {
        let mut random = Random::new(7);
        let mut counts = [0usize; 5];
        (0..50_000).for_each(|_| counts[random.below(5)] += 1);
        assert!(counts.iter().all(|it| (9_600..10_400).contains(it)), "{counts:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn uuids_have_their_form() {
        let uuid = Random::new(3).uuid();
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "4");
    }
}
