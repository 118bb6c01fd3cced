//! From an item's answers to one.

use super::{
    Vote,
    posterior::{Reliability, n_labels, posterior},
    state::Cast,
};

/// The label that leads, and the share or probability it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leader {
    pub label: u32,
    pub confidence: f64,
}

/// The answer that `votes` give. Equal ones are decided by the latest vote, as the last word.
pub(super) fn leader(vote: Vote, votes: &[Cast], labels: usize, reliability: &Reliability) -> Option<Leader> {
    let shares = shares(vote, votes, labels, reliability);
    let latest = |label: u32| votes.iter().rev().position(|it| it.label == label);
    let best = shares.iter().max_by(|one, other| {
        let by_share =
            if (one.1 - other.1).abs() < 1e-9 { std::cmp::Ordering::Equal } else { one.1.total_cmp(&other.1) };
        by_share.then(latest(other.0).cmp(&latest(one.0)))
    })?;
    Some(Leader { label: best.0, confidence: best.1 })
}

/// The share of each label that was given; they add up to one, but for the posterior, which leaves room for labels
/// that nobody gave.
pub(super) fn shares(vote: Vote, votes: &[Cast], labels: usize, reliability: &Reliability) -> Vec<(u32, f64)> {
    let weight = |cast: &Cast| match vote {
        Vote::Weighted { not_confident } if !cast.confident => not_confident,
        _ => 1.0,
    };
    if vote == Vote::Posterior {
        return posterior(votes, n_labels(labels, votes), reliability);
    }
    let mut sums: Vec<(u32, f64)> = Vec::new();
    for cast in votes {
        match sums.iter_mut().find(|(label, _)| *label == cast.label) {
            Some((_, sum)) => *sum += weight(cast),
            None => sums.push((cast.label, weight(cast))),
        }
    }
    let all: f64 = sums.iter().map(|(_, sum)| *sum).sum();
    sums.into_iter().map(|(label, sum)| (label, if all > 0.0 { sum / all } else { 0.0 })).collect()
}
