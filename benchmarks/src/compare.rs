//! Two arms on the same tasks: intervals by a paired bootstrap, and McNemar's test.
//!
//! The bootstrap draws for each task how often it counts, from Poisson's law with mean 1, instead of drawing tasks
//! (Chamandy et al., "Estimating Uncertainty for Massive Data Streams", Google, 2012): what is kept does not grow with the
//! tasks, and a task counts as often in one arm as in the other, since the draw follows from its number.

use std::collections::BTreeMap;

use crate::arm::Arm;
use crate::random::Random;
use crate::trace::Line;

/// Replicates.
pub const N_REPLICATES: usize = 1000;

/// What is left out at each end for an interval of 95 %.
const TAIL: f64 = 0.025;

/// Sums of one arm in each replicate.
#[derive(Clone, Debug)]
struct Replicates {
    weight: Vec<f32>,
    solved: Vec<f32>,
    tokens: Vec<f64>,
}

impl Default for Replicates {
    fn default() -> Self {
        Self { weight: vec![0.0; N_REPLICATES], solved: vec![0.0; N_REPLICATES], tokens: vec![0.0; N_REPLICATES] }
    }
}

/// All arms of a run.
#[derive(Clone, Debug, Default)]
pub struct Bootstrap {
    arms: BTreeMap<Arm, Replicates>,
    /// The draws of the last task, since its arms come one after the other.
    draws: Option<(u64, Vec<u8>)>,
}

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// `[low, high]`, as percentages.
    #[must_use]
    pub fn percent(self) -> String {
        format!("[{:.1}, {:.1}]", 100.0 * self.low, 100.0 * self.high)
    }
}

impl Bootstrap {
    /// Adds an attempt.
    pub fn add(&mut self, arm: Arm, line: &Line) {
        if self.draws.as_ref().is_none_or(|(n, _)| *n != line.n) {
            self.draws = Some((line.n, draws(line.n)));
        }
        let Some((_, draws)) = &self.draws else { return };
        let sums = self.arms.entry(arm).or_default();
        let (solved, tokens) = (f32::from(u8::from(line.solved)), line.usage.total() as f64);
        for (at, &times) in draws.iter().enumerate() {
            sums.weight[at] += f32::from(times);
            sums.solved[at] += f32::from(times) * solved;
            sums.tokens[at] += f64::from(times) * tokens;
        }
    }

    /// The share solved in an arm.
    #[must_use]
    pub fn accuracy(&self, arm: Arm) -> Option<Interval> {
        let sums = self.arms.get(&arm)?;
        interval((0..N_REPLICATES).map(|at| f64::from(sums.solved[at] / sums.weight[at])))
    }

    /// The accuracy of one arm as a share of another one's.
    #[must_use]
    pub fn kept(&self, arm: Arm, of: Arm) -> Option<Interval> {
        let (ours, theirs) = (self.arms.get(&arm)?, self.arms.get(&of)?);
        let accuracy = |sums: &Replicates, at: usize| f64::from(sums.solved[at] / sums.weight[at]);
        interval((0..N_REPLICATES).map(|at| accuracy(ours, at) / accuracy(theirs, at)))
    }

    /// The share of another arm's tokens that an arm does without.
    #[must_use]
    pub fn saved(&self, arm: Arm, of: Arm) -> Option<Interval> {
        let (ours, theirs) = (self.arms.get(&arm)?, self.arms.get(&of)?);
        let mean = |sums: &Replicates, at: usize| sums.tokens[at] / f64::from(sums.weight[at]);
        interval((0..N_REPLICATES).map(|at| 1.0 - mean(ours, at) / mean(theirs, at)))
    }

    /// Tokens of all attempts for each task that was solved.
    #[must_use]
    pub fn tokens_per_solved(&self, arm: Arm) -> Option<Interval> {
        let sums = self.arms.get(&arm)?;
        interval((0..N_REPLICATES).map(|at| sums.tokens[at] / f64::from(sums.solved[at])))
    }
}

/// How often a task counts in each replicate. Four 16-bit draws from each number.
fn draws(n: u64) -> Vec<u8> {
    // Poisson's law with mean 1 as thresholds of 16 bits: P(0), P(0 or 1), ...
    const STEPS: [u16; 7] = [24_109, 48_219, 60_274, 64_292, 65_296, 65_497, 65_531];
    let mut random = Random::of(0, &[&n.to_string()]);
    let mut draws = Vec::with_capacity(N_REPLICATES);
    while draws.len() < N_REPLICATES {
        let number = random.next_number();
        let parts = [number as u16, (number >> 16) as u16, (number >> 32) as u16, (number >> 48) as u16];
        draws.extend(parts.map(|part| STEPS.iter().filter(|it| part >= **it).count() as u8));
    }
    draws.truncate(N_REPLICATES);
    draws
}

fn interval(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut values: Vec<f64> = values.filter(|it| it.is_finite()).collect();
    // Where most replicates have nothing to divide by, there is no interval.
    if values.len() < N_REPLICATES / 2 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values.get((share * (values.len() - 1) as f64).round() as usize).copied();
    Some(Interval { low: at(TAIL)?, high: at(1.0 - TAIL)? })
}

/// Tasks that one of two arms solved and the other did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discordant {
    /// Only the first.
    pub first_only: u64,
    /// Only the second.
    pub second_only: u64,
}

impl Discordant {
    /// McNemar's exact test, two-sided: how likely a difference as large would be if both arms were equally good
    /// (McNemar, 1947; exact by the binomial law).
    #[must_use]
    pub fn p_value(self) -> f64 {
        let (less, total) = (self.first_only.min(self.second_only), self.first_only + self.second_only);
        if total == 0 {
            return 1.0;
        }
        let ln_half = -std::f64::consts::LN_2 * total as f64;
        let mut ln_choose = 0.0;
        let mut tail = 0.0;
        for k in 0..=less {
            if k > 0 {
                ln_choose += ((total - k + 1) as f64).ln() - (k as f64).ln();
            }
            tail += (ln_choose + ln_half).exp();
        }
        (2.0 * tail).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Usage;

    fn line(n: u64, solved: bool, tokens: u64) -> Line {
        Line { n, solved, usage: Usage { input: tokens, ..Usage::default() }, ..Line::default() }
    }

    #[test]
    fn draws_follow_poissons_law() {
        let mut counts = [0usize; 8];
        (0..200).for_each(|n| draws(n).iter().for_each(|it| counts[usize::from(*it)] += 1));
        let total = 200.0 * N_REPLICATES as f64;
        for (count, share) in counts.iter().zip([0.3679, 0.3679, 0.1839, 0.0613, 0.0153]) {
            assert!((*count as f64 / total - share).abs() < 0.005, "{counts:?}");
        }
    }

    #[test]
    fn intervals_are_as_wide_as_the_normal_law_says() {
        let mut bootstrap = Bootstrap::default();
        (0..400).for_each(|n| bootstrap.add(Arm::All, &line(n, n % 4 != 0, 100)));
        let Interval { low, high } = bootstrap.accuracy(Arm::All).unwrap();
        // 1.96 * sqrt(0.75 * 0.25 / 400)
        let half = 0.0424;
        assert!((high - low - 2.0 * half).abs() < 0.012 && (low..=high).contains(&0.75), "{low} {high}");
    }

    #[test]
    fn equal_arms_are_equal_in_every_replicate() {
        let mut bootstrap = Bootstrap::default();
        for n in 0..100 {
            for (arm, tokens) in [(Arm::Oracle, 100), (Arm::Gate(5), 25)] {
                bootstrap.add(arm, &line(n, n % 3 == 0, tokens));
            }
        }
        let kept = bootstrap.kept(Arm::Gate(5), Arm::Oracle).unwrap();
        assert!((kept.low - 1.0).abs() < 1e-6 && (kept.high - 1.0).abs() < 1e-6, "{kept:?}");
        let saved = bootstrap.saved(Arm::Gate(5), Arm::Oracle).unwrap();
        assert!((saved.low - 0.75).abs() < 1e-6 && (saved.high - 0.75).abs() < 1e-6, "{saved:?}");
        assert_eq!(bootstrap.accuracy(Arm::All), None);
    }

    #[test]
    fn mcnemar_is_exact() {
        for (first_only, second_only, expected) in
            [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (1, 9, 0.021_484_375), (2, 8, 0.109_375)]
        {
            let p = Discordant { first_only, second_only }.p_value();
            assert!((p - expected).abs() < 1e-9, "{first_only} {second_only}: {p}");
        }
    }
}
