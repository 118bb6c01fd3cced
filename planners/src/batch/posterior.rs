//! How probable an item's answers are, and what answers are worth: learned in the job itself, without labels.
//!
//! An answer is worth as much as others of its kind (size of the batch, place in the prompt, said confidence) were
//! confirmed by the other answers of the same items. That is the one-coin model of Dawid and Skene (Applied
//! Statistics 28, 1979), with the leave-one-out majority for the truth.

use serde::{Deserialize, Serialize};

use super::state::Cast;

/// How often an answer is wrong before anything is known, from the edges of a prompt to its middle: the U shape of
/// section 3.2 of arXiv 2309.00384.
const PRIOR_ERRORS: [f64; N_DEPTHS] = [0.08, 0.095, 0.11, 0.12];
/// The same for an answer of which the model says that it is not sure.
const UNSURE_ERROR: f64 = 0.3;
/// How many answers that opinion weighs.
const PRIOR_WEIGHT: f64 = 200.0;
/// Nothing is surer than this, however often it was confirmed: answers of one model err together.
const SUREST: f64 = 0.985;
/// Free answers are taken as drawn from this many.
const FREE_LABELS: usize = 10;

/// Shares of fewer answers than this say nothing.
const FEW: u32 = 20;
const N_SIZES: usize = 12;
const N_DEPTHS: usize = 4;
const N_KINDS: usize = N_SIZES * N_DEPTHS * 2;

/// How often answers of each kind were confirmed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Confirmed and all answers, by kind; empty before the second wave.
    kinds: Vec<(u32, u32)>,
}

fn kind(vote: &Cast) -> usize {
    (size_class(vote.size) * N_DEPTHS + depth(vote)) * 2 + usize::from(vote.confident)
}

/// Sizes up to twice one another are of one kind.
fn size_class(size: u32) -> usize {
    (size.max(1).ilog2() as usize).min(N_SIZES - 1)
}

/// How far from the edges of its prompt an answer stood: 0 outside, 3 in the middle.
fn depth(vote: &Cast) -> usize {
    let (place, size) = (vote.place.min(vote.size.saturating_sub(1)), vote.size.max(1));
    let from_edge = place.min(size - 1 - place) as usize;
    (from_edge * 2 * N_DEPTHS / size as usize).min(N_DEPTHS - 1)
}

fn prior(vote: &Cast) -> f64 {
    1.0 - if vote.confident { PRIOR_ERRORS[depth(vote)] } else { UNSURE_ERROR }
}

impl Reliability {
    /// From the answers of all items.
    pub(super) fn learn<'a>(items: impl Iterator<Item = &'a [Cast]>) -> Self {
        let mut kinds = vec![(0, 0); N_KINDS];
        for votes in items.filter(|votes| votes.len() > 1) {
            for (index, vote) in votes.iter().enumerate() {
                if let Some(label) = majority_without(votes, index) {
                    let (confirmed, all) = &mut kinds[kind(vote)];
                    *confirmed += u32::from(label == vote.label);
                    *all += 1;
                }
            }
        }
        Self { kinds }
    }

    /// The probability that an answer of this kind is right, among `n_labels`.
    #[must_use]
    pub fn of(&self, vote: &Cast, n_labels: usize) -> f64 {
        let (confirmed, all) = self.kinds.get(kind(vote)).copied().unwrap_or_default();
        let share = (f64::from(confirmed) + prior(vote) * PRIOR_WEIGHT) / (f64::from(all) + PRIOR_WEIGHT);
        share.clamp(1.0 / n_labels.max(2) as f64 + 0.01, SUREST)
    }
}

impl Reliability {
    /// How often answers of prompts of about this size were confirmed; `None` where few were put to the test.
    pub(super) fn confirmed(&self, size: usize) -> Option<f64> {
        let class = size_class(size as u32) * N_DEPTHS * 2;
        let kinds = self.kinds.get(class..class + N_DEPTHS * 2)?;
        let (confirmed, all) = kinds.iter().fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1));
        (all >= FEW).then(|| f64::from(confirmed) / f64::from(all))
    }
}

/// The label that most other votes have; `None` where two are equal.
fn majority_without(votes: &[Cast], left_out: usize) -> Option<u32> {
    let others = votes.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, vote)| vote.label);
    let count = |label: u32| others.clone().filter(|it| *it == label).count();
    let best = others.clone().max_by_key(|label| count(*label))?;
    let is_tie = others.clone().any(|label| label != best && count(label) == count(best));
    (!is_tie).then_some(best)
}

/// How many labels answers are taken to be drawn from.
pub(super) fn n_labels(labels: usize, votes: &[Cast]) -> usize {
    if labels > 0 { labels.max(2) } else { FREE_LABELS.max(votes.len() + 1) }
}

/// The log-likelihood of each label that has a vote, and the probability of the best one.
pub(super) fn posterior(votes: &[Cast], n_labels: usize, reliability: &Reliability) -> Vec<(u32, f64)> {
    let mut scores: Vec<(u32, f64)> = Vec::new();
    for vote in votes {
        let right = reliability.of(vote, n_labels);
        let gain = (right * (n_labels.max(2) - 1) as f64 / (1.0 - right)).ln();
        match scores.iter_mut().find(|(label, _)| *label == vote.label) {
            Some((_, score)) => *score += gain,
            None => scores.push((vote.label, gain)),
        }
    }
    // Labels without a vote have the score 0.
    let unvoted = n_labels.saturating_sub(scores.len()) as f64;
    let highest = scores.iter().map(|(_, score)| *score).fold(0.0, f64::max);
    let sum: f64 = scores.iter().map(|(_, score)| (score - highest).exp()).sum::<f64>() + unvoted * (-highest).exp();
    scores.into_iter().map(|(label, score)| (label, (score - highest).exp() / sum)).collect()
}
