//! A set of numbers that come nearly in order, as ranges: small whatever their number.

use std::collections::BTreeMap;

/// The set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// First number to the one after the last, apart from one another.
    ranges: BTreeMap<u64, u64>,
}

impl Done {
    /// Whether a number is in it.
    #[must_use]
    pub fn has(&self, number: u64) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, &end)| number < end)
    }

    /// Adds a number. False if it was there.
    pub fn add(&mut self, number: u64) -> bool {
        if self.has(number) {
            return false;
        }
        let before = self.ranges.range(..=number).next_back().filter(|(_, end)| **end == number);
        let start = before.map_or(number, |(&start, _)| start);
        let end = self.ranges.remove(&(number + 1)).unwrap_or(number + 1);
        self.ranges.insert(start, end);
        true
    }

    /// How many ranges it takes.
    #[must_use]
    pub fn n_ranges(&self) -> usize {
        self.ranges.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn it_is_a_set() {
        let (mut random, mut done) = (Random::new(1), Done::default());
        let mut oracle = std::collections::BTreeSet::new();
        for _ in 0..2000 {
            let number = random.below(1000) as u64;
            assert_eq!(done.add(number), oracle.insert(number));
            let asked = random.below(1000) as u64;
            assert_eq!(done.has(asked), oracle.contains(&asked));
        }
        (0..1000).for_each(|number| {
            done.add(number);
        });
        assert_eq!(done.n_ranges(), 1);
    }
}
