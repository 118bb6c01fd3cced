//! When an item has been asked often enough.

use super::{
    Policy, Stop,
    posterior::{Reliability, n_labels, posterior},
    state::Cast,
};

/// Whether an item with these `votes` is settled.
pub(super) fn is_settled(policy: &Policy, votes: &[Cast], labels: usize, reliability: &Reliability) -> bool {
    if votes.len() >= policy.rounds as usize {
        return true;
    }
    match policy.stop {
        Stop::Never => false,
        Stop::Agreement { answers, confident } => agree(votes, answers as usize, confident),
        Stop::Posterior { at_least } => surety(votes, labels, reliability) >= at_least,
    }
}

/// The last `answers` votes are the same, in one wave after the other, and confident where that is asked for.
fn agree(votes: &[Cast], answers: usize, confident: bool) -> bool {
    let Some(last) = votes.len().checked_sub(answers).map(|from| &votes[from..]) else { return false };
    last.iter().all(|vote| vote.label == last[0].label && (vote.confident || !confident))
}

/// How probable the best answer is; 0 without any.
pub(super) fn surety(votes: &[Cast], labels: usize, reliability: &Reliability) -> f64 {
    let shares = posterior(votes, n_labels(labels, votes), reliability);
    shares.into_iter().map(|(_, share)| share).fold(0.0, f64::max)
}
