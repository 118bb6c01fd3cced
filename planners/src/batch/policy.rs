//! What a user may turn: sizes, rounds, votes, stopping, limits.

use serde::{Deserialize, Serialize};

use super::BatchError;

/// How items are asked. No combination does better in the simulator than the default (`docs/batch.md`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How many items a prompt holds.
    pub size: Size,
    /// The most answers that an item gets.
    pub rounds: u32,
    /// In which order the items of a prompt stand.
    pub order: Order,
    /// How answers of the same item are weighed.
    pub vote: Vote,
    /// When an item is not asked again.
    pub stop: Stop,
    /// Whether the items that are left are gathered in full prompts, instead of staying with their first neighbours.
    pub refill: bool,
    /// How many settled items of the same realm are shown as demonstrations in later prompts.
    pub demos: u32,
    /// Accuracy by batch size, as measured on labelled items; empty where nobody measured.
    pub curve: Vec<CurvePoint>,
    /// The most that may be spent, everything charged.
    pub budget: Option<Budget>,
    /// When to stop with the best answers so far, on the clock that `next_prompts` is given.
    pub deadline_ms: Option<u64>,
    /// What the model takes.
    pub limits: Limits,
    /// How many prompts may be on their way at once.
    pub in_flight: u32,
    /// After how many prompts without an answer for it an item is given up.
    pub attempts: u32,
    /// Decides every shuffle.
    pub seed: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            size: Size::Auto,
            rounds: 5,
            order: Order::Balanced,
            vote: Vote::Posterior,
            stop: Stop::Posterior { at_least: 0.95 },
            refill: true,
            demos: 0,
            curve: Vec::new(),
            budget: None,
            deadline_ms: None,
            limits: Limits::default(),
            in_flight: 8,
            attempts: 4,
            seed: 0,
        }
    }
}

impl Policy {
    /// The method of arXiv 2309.00384: `rounds` rounds of `size` items, shuffled, with equal votes, and with its early
    /// stopping where `early_stop` is set.
    #[must_use]
    pub fn paper(size: u32, rounds: u32, early_stop: bool) -> Self {
        Self {
            size: Size::Fixed(size),
            rounds,
            order: Order::Shuffled,
            vote: Vote::Equal,
            stop: if early_stop { Stop::Agreement { answers: 2, confident: true } } else { Stop::Never },
            refill: false,
            ..Self::default()
        }
    }

    /// One item a prompt, asked once.
    #[must_use]
    pub fn single() -> Self {
        Self { size: Size::Fixed(1), rounds: 1, stop: Stop::Never, ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), BatchError> {
        let bad = |what: &'static str, value: String| Err(BatchError::Policy { what, value });
        let share = |share: f64| share.is_finite() && share > 0.0;
        match (self.size, self.vote, self.stop, self.budget) {
            (Size::Fixed(0) | Size::UpTo(0), ..) => bad("size", "0".to_owned()),
            (_, Vote::Weighted { not_confident: weight }, ..) if !(0.0..=1.0).contains(&weight) => {
                bad("vote.not_confident", weight.to_string())
            }
            (_, _, Stop::Posterior { at_least }, _) if !(0.0..=1.0).contains(&at_least) => {
                bad("stop.at_least", at_least.to_string())
            }
            (_, _, Stop::Agreement { answers: 0, .. }, _) => bad("stop.answers", "0".to_owned()),
            (_, _, _, Some(Budget::ShareOfSingle(it))) if !share(it) => bad("budget", it.to_string()),
            _ if self.rounds == 0 => bad("rounds", "0".to_owned()),
            _ if self.in_flight == 0 => bad("in_flight", "0".to_owned()),
            _ if self.attempts == 0 => bad("attempts", "0".to_owned()),
            _ => Ok(()),
        }
    }
}

/// How many items a prompt holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// This many, in every prompt that has so many items left.
    Fixed(u32),
    /// At most this many: fewer where answers of large batches turn out to be worse.
    UpTo(u32),
    /// As many as the model's window and output limit allow, under the same condition.
    Auto,
}

/// In which order the items of a prompt stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they were given, in every round. Asking so again gives the same answers again.
    AsGiven,
    /// Shuffled anew in every round.
    Shuffled,
    /// Shuffled so that each item sees early, middle and late places in turn (a Latin square).
    Balanced,
}

/// How answers of the same item are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// One each.
    Equal,
    /// One for a confident answer, less for another (the paper: 0.2).
    Weighted {
        /// The weight of an answer without confidence.
        not_confident: f64,
    },
    /// By how often such answers (size, place, confidence) were confirmed by others in this job.
    Posterior,
}

/// When an item is not asked again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// When it has all its rounds.
    Never,
    /// When its last answers are the same (SEAS of the paper: two, both confident).
    Agreement {
        /// How many in a row.
        answers: u32,
        /// Whether each has to be confident.
        confident: bool,
    },
    /// When its answer is this probable. Where a budget does not allow all others, the least settled are asked.
    Posterior {
        /// From 0 to 1.
        at_least: f64,
    },
}

/// The most that may be spent, sent and returned tokens together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Tokens.
    Tokens(u64),
    /// A share of what one prompt an item would cost.
    ShareOfSingle(f64),
}

/// What the model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Tokens of question and answer together.
    pub window: u32,
    /// Tokens of an answer.
    pub output: u32,
    /// Tokens that a request costs besides its texts (the frame of a chat).
    pub frame: u32,
    /// Tokens that an answer may take besides its labels, as for thinking.
    pub spare_output: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: 128_000, output: 4_096, frame: 16, spare_output: 64 }
    }
}

/// A measured accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Items a prompt.
    pub size: u32,
    /// Share of right answers in one round.
    pub accuracy: f64,
}
