//! What a record comes to: by arm and category, with intervals, and arms against each other on the same tasks. Lines
//! stream through; what is kept does not grow with the tasks.

mod require;
mod tables;

use std::collections::BTreeMap;

use crate::arm::Arm;
use crate::compare::{Bootstrap, Discordant, Interval};
use crate::record;
use crate::score::Gate;
use crate::trace::{Line, Parts, Usage};
pub use require::Requirement;

/// Tasks that wait for their other arms, at most; attempts of a task are made one after the other.
const MOST_PENDING: usize = 4096;

/// Sums of one arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Attempts.
    pub attempts: u64,
    /// Of these, solved.
    pub solved: u64,
    /// Scores, added.
    pub score: f64,
    /// Tokens.
    pub usage: Usage,
    /// What requests were made of, added over all.
    pub parts: Parts,
    /// Requests to the model.
    pub rounds: u64,
    /// Dollars, where the model has a price.
    pub cost_usd: f64,
    /// Milliseconds, added.
    pub ms: u64,
    /// Failed attempts by the gate at which they stopped.
    pub stopped: BTreeMap<Gate, u64>,
    /// What the suite measures besides, added, and how often it was there.
    pub numbers: BTreeMap<String, (f64, u64)>,
}

/// Attempts at one task that were seen so far.
type Seen = Vec<(Arm, bool)>;

/// A record, summed up.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// By arm, in the order of the header.
    pub arms: Vec<(Arm, Sums)>,
    /// The same by category.
    pub categories: BTreeMap<String, Vec<(Arm, Sums)>>,
    /// Attempts that broke, of which nothing is known.
    pub broken: u64,
    bootstrap: Bootstrap,
    pairs: BTreeMap<(Arm, Arm), Discordant>,
    pending: BTreeMap<(u64, u32), Seen>,
    /// Tasks whose arms came too far apart to be paired.
    unpaired: u64,
}

/// What a threshold can be set on, of one arm.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in `--require`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its value.
    pub of: fn(&Summary, Arm) -> Option<f64>,
}

/// All of them.
pub static METRICS: &[Metric] = &[
    Metric { name: "accuracy", about: "the share of attempts that solved their task", of: |it, arm| it.accuracy(arm) },
    Metric {
        name: "accuracy_kept",
        about: "accuracy as a share of the oracle arm's",
        of: |it, arm| Some(it.accuracy(arm)? / it.accuracy(Arm::Oracle)?),
    },
    Metric {
        name: "tokens_saved",
        about: "the share of the tokens of the arm with all tools that is saved",
        of: |it, arm| Some(1.0 - it.tokens_per_attempt(arm)? / it.tokens_per_attempt(Arm::All)?),
    },
    Metric {
        name: "tokens_per_solved",
        about: "tokens of all attempts for each task that was solved",
        of: |it, arm| it.arm(arm).map(|sums| sums.usage.total() as f64 / sums.solved as f64),
    },
    Metric {
        name: "retrieved",
        about: "the share of attempts whose tools were listed or found",
        of: |it, arm| it.arm(arm).map(|sums| 1.0 - sums.share(Gate::Retrieved)),
    },
    Metric {
        name: "unparsable",
        about: "the share of attempts that stopped at calls nobody can read",
        of: |it, arm| it.arm(arm).map(|sums| sums.share(Gate::Unparsable)),
    },
    Metric { name: "broken", about: "attempts that nobody answered", of: |it, _| Some(it.broken as f64) },
];

impl Sums {
    fn add(&mut self, line: &Line) {
        self.attempts += 1;
        self.solved += u64::from(line.solved);
        self.score += line.score;
        self.usage = self.usage.plus(line.usage);
        self.rounds += line.trace.rounds.len() as u64;
        self.cost_usd += line.cost_usd.unwrap_or(0.0);
        self.ms += line.ms;
        line.trace.rounds.iter().for_each(|round| self.parts = self.parts.plus(round.parts));
        if let Some(gate) = line.stopped {
            *self.stopped.entry(gate).or_default() += 1;
        }
        for (name, value) in &line.numbers {
            let (sum, count) = self.numbers.entry(name.clone()).or_default();
            (*sum, *count) = (*sum + value, *count + 1);
        }
    }

    /// The share that was solved.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.solved as f64 / self.attempts as f64
    }

    /// The share that stopped at a gate.
    #[must_use]
    pub fn share(&self, gate: Gate) -> f64 {
        self.stopped.get(&gate).copied().unwrap_or(0) as f64 / self.attempts as f64
    }
}

/// The sums of `arm` among `all`, there from now on.
fn of_arm(all: &mut Vec<(Arm, Sums)>, arm: Arm) -> &mut Sums {
    let found = all.iter().position(|(it, _)| *it == arm);
    let at = found.unwrap_or_else(|| {
        all.push((arm, Sums::default()));
        all.len() - 1
    });
    &mut all[at].1
}

impl Summary {
    /// Of a run with these arms.
    #[must_use]
    pub fn new(arms: &[String]) -> Self {
        let arms = arms.iter().filter_map(|it| it.parse().ok()).map(|arm| (arm, Sums::default())).collect();
        Self { arms, ..Self::default() }
    }

    /// Adds a line.
    pub fn add(&mut self, line: &Line) {
        let Some(arm) = line.arm.parse::<Arm>().ok().filter(|_| record::counts(line)) else {
            self.broken += 1;
            return;
        };
        of_arm(&mut self.arms, arm).add(line);
        of_arm(self.categories.entry(line.category.clone()).or_default(), arm).add(line);
        self.bootstrap.add(arm, line);
        self.pair(arm, line);
    }

    /// Sets an attempt beside those of the other arms at the same task.
    fn pair(&mut self, arm: Arm, line: &Line) {
        let key = (line.n, line.trial);
        let mut seen = self.pending.remove(&key).unwrap_or_default();
        for &(other, solved) in &seen {
            let (first, second) = if other < arm { (other, arm) } else { (arm, other) };
            let of_first = if other < arm { solved } else { line.solved };
            let of_second = if other < arm { line.solved } else { solved };
            let pair = self.pairs.entry((first, second)).or_default();
            pair.first_only += u64::from(of_first && !of_second);
            pair.second_only += u64::from(!of_first && of_second);
        }
        seen.push((arm, line.solved));
        if seen.len() < self.arms.len() {
            self.pending.insert(key, seen);
        }
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_first();
            self.unpaired += 1;
        }
    }

    /// The sums of an arm that has attempts.
    #[must_use]
    pub fn arm(&self, arm: Arm) -> Option<&Sums> {
        self.arms.iter().find(|(it, sums)| *it == arm && sums.attempts > 0).map(|(_, sums)| sums)
    }

    fn accuracy(&self, arm: Arm) -> Option<f64> {
        self.arm(arm).map(Sums::accuracy)
    }

    fn tokens_per_attempt(&self, arm: Arm) -> Option<f64> {
        self.arm(arm).map(|sums| sums.usage.total() as f64 / sums.attempts as f64)
    }

    /// Tasks that only one of two arms solved; the first is the first named.
    #[must_use]
    pub fn discordant(&self, first: Arm, second: Arm) -> Discordant {
        let pair = self.pairs.get(&(first, second)).copied();
        let turned = || {
            let found = self.pairs.get(&(second, first)).copied().unwrap_or_default();
            Discordant { first_only: found.second_only, second_only: found.first_only }
        };
        pair.unwrap_or_else(turned)
    }

    /// The intervals of an arm: accuracy, accuracy kept, tokens saved.
    #[must_use]
    pub fn intervals(&self, arm: Arm) -> [Option<Interval>; 3] {
        [self.bootstrap.accuracy(arm), self.bootstrap.kept(arm, Arm::Oracle), self.bootstrap.saved(arm, Arm::All)]
    }

    /// A metric of an arm; nothing where it has no value.
    #[must_use]
    pub fn metric(&self, name: &str, arm: Arm) -> Option<f64> {
        let metric = METRICS.iter().find(|it| it.name == name)?;
        (metric.of)(self, arm).filter(|it| it.is_finite())
    }
}

#[cfg(test)]
mod tests;
