//! What a job cost, what it saved, and what went wrong in it.

use serde::{Deserialize, Serialize};

use super::{BatchPrompt, Ended, Standing, answers, parse::Faults};

/// What a call was charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent, cached ones included.
    pub input_tokens: u64,
    /// Tokens returned.
    pub output_tokens: u64,
    /// Of the tokens sent, those that the provider had in its cache.
    #[serde(default)]
    pub cached_input_tokens: u64,
}

impl Usage {
    pub(super) fn add(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
    }
}

/// Sums of a job, at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// All items.
    pub items: u64,
    /// Items that have their answer.
    pub settled: u64,
    /// Items whose answer is the best so far.
    pub undecided: u64,
    /// Items that have none and will get none.
    pub unanswered: u64,
    /// Items that may still be asked.
    pub open: u64,
    /// Items with something odd in their text.
    pub flagged: u64,
    /// Calls that were charged.
    pub calls: u64,
    /// Of these, the ones that failed as a whole.
    pub failed_calls: u64,
    /// Waves of calls, one after the other.
    pub waves: u32,
    /// Items in all calls together.
    pub asked: u64,
    /// Everything charged.
    pub charged: Usage,
    /// What one prompt an item would send.
    pub single_sent: u64,
    /// What one prompt an item would return, by what answers here returned.
    pub single_returned: u64,
    /// Sent and returned over single-prompting, every call charged.
    pub share: f64,
    /// Sent over single-prompting, every call charged.
    pub share_sent: f64,
    /// Sent over single-prompting as the paper counts: the instructions once for each batch of the first round.
    pub share_paper: f64,
    /// What was wrong with answers.
    pub faults: Faults,
    /// Items with a known right answer.
    pub labelled: u64,
    /// Of these, the ones that got it; no answer is a wrong one.
    pub right: u64,
    /// `right` over `labelled`.
    pub accuracy: Option<f64>,
    /// Why nothing is asked any more; `None` while something is.
    pub ended: Option<Ended>,
}

pub(super) fn report(batch: &BatchPrompt) -> Report {
    let (head, costs) = (&batch.head, &batch.costs);
    let count = |wanted: fn(Standing) -> bool| batch.states.iter().filter(|it| wanted(it.standing)).count() as u64;
    let answers: u64 = batch.states.iter().map(|state| state.votes.len() as u64).sum();
    let (single_sent, single_returned) = (costs.single_sent(), single_returned(batch, answers));
    let repeated = (head.calls - head.first_calls) * costs.fixed;
    let share = |spent: u64, whole: u64| if whole == 0 { 0.0 } else { spent as f64 / whole as f64 };
    let right: Vec<bool> = (0..batch.items.len()).filter_map(|item| answers::is_right(batch, item)).collect();
    let n_right = right.iter().filter(|right| **right).count() as u64;
    Report {
        items: batch.items.len() as u64,
        settled: count(|it| it == Standing::Settled),
        undecided: count(|it| it == Standing::Undecided),
        unanswered: count(|it| matches!(it, Standing::Unanswered(_))),
        open: count(|it| it == Standing::Open),
        flagged: batch.flags.iter().filter(|flags| !flags.is_empty()).count() as u64,
        calls: head.calls,
        failed_calls: head.failed_calls,
        waves: head.wave,
        asked: head.asked,
        charged: head.usage,
        single_sent,
        single_returned,
        share: share(head.usage.input_tokens + head.usage.output_tokens, single_sent + single_returned),
        share_sent: share(head.usage.input_tokens, single_sent),
        share_paper: share(head.usage.input_tokens.saturating_sub(repeated), single_sent),
        faults: head.faults,
        labelled: right.len() as u64,
        right: n_right,
        accuracy: (!right.is_empty()).then(|| n_right as f64 / right.len() as f64),
        ended: head.ended,
    }
}

/// What one prompt an item would return: as many tokens for each answer as came here, or the least where none came.
fn single_returned(batch: &BatchPrompt, answers: u64) -> u64 {
    let items = batch.items.len() as u64;
    match batch.head.usage.output_tokens.checked_div(answers) {
        Some(_) => items * batch.head.usage.output_tokens / answers,
        None => batch.costs.single_returned(),
    }
}
