//! What goes wrong with answers on request, and how often it did.

use tollgate_planners::batch::mix;

use super::model::uniform;

/// How often an answer is spoilt, each from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FaultRates {
    /// The line is left out.
    pub missing: f64,
    /// A second line says something else.
    pub duplicate: f64,
    /// The line stands behind the next one, under its own number.
    pub shuffled: f64,
    /// The line has the number of an input that is not there.
    pub out_of_range: f64,
    /// The line says something that is no label.
    pub unparsable: f64,
}

/// How many answers were spoilt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Injected {
    /// Lines left out.
    pub missing: u64,
    /// Second lines.
    pub duplicate: u64,
    /// Lines behind the next one.
    pub shuffled: u64,
    /// Lines with a number of no input; their inputs are missing too.
    pub out_of_range: u64,
    /// Lines without a label.
    pub unparsable: u64,
}

impl Injected {
    /// Sums.
    pub fn add(&mut self, other: Self) {
        self.missing += other.missing;
        self.duplicate += other.duplicate;
        self.shuffled += other.shuffled;
        self.out_of_range += other.out_of_range;
        self.unparsable += other.unparsable;
    }
}

/// What happens to one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    Missing,
    Duplicate,
    OutOfRange,
    Unparsable,
}

impl FaultRates {
    /// What happens to the line of an input in this order.
    pub(super) fn fate(&self, seed: u64, input: u64, order: u64) -> Fate {
        let mut drawn = uniform(mix(&[seed, input, order, 2]));
        let fates = [
            (self.missing, Fate::Missing),
            (self.duplicate, Fate::Duplicate),
            (self.out_of_range, Fate::OutOfRange),
            (self.unparsable, Fate::Unparsable),
        ];
        for (rate, fate) in fates {
            if drawn < rate {
                return fate;
            }
            drawn -= rate;
        }
        Fate::Fine
    }

    /// Lets some of the places that are `told` change with the next one, no place twice. Returns how many did.
    pub(super) fn shuffle(&self, drawn: [u64; 2], places: &mut [usize], told: impl Fn(usize) -> bool) -> u64 {
        let [seed, order] = drawn;
        let mut n_changed = 0;
        let mut at = 0;
        while at + 1 < places.len() {
            let may = told(places[at]) && told(places[at + 1]);
            if may && uniform(mix(&[seed, order, at as u64, 3])) < self.shuffled {
                places.swap(at, at + 1);
                n_changed += 1;
                at += 1;
            }
            at += 1;
        }
        n_changed
    }
}
