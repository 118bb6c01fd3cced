//! What is known of each item: its answer, how it came about, and what it cost.

use serde::{Deserialize, Serialize};

use super::{BatchPrompt, Standing, fence::Flag, task::plain, vote};

/// An item's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The item's id.
    pub id: String,
    /// The answer; `None` where there is none.
    pub label: Option<String>,
    /// Where the item stands.
    pub standing: Standing,
    /// The share of the votes, or the posterior, that the answer has.
    pub confidence: f64,
    /// Every answer that was given, the most frequent first.
    pub votes: Vec<Votes>,
    /// Its share of the charged tokens: its own lines, and the same part of the rest as its neighbours.
    pub tokens: f64,
    /// What is odd about its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Whether it is the expected answer, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
}

/// How often one answer was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes {
    /// The answer.
    pub label: String,
    /// How often.
    pub count: u32,
    /// Of these, how often the model said that it was sure.
    pub confident: u32,
}

/// The answer of the item with this index.
pub(super) fn answer(batch: &BatchPrompt, index: usize) -> Answer {
    let (item, state) = (&batch.items[index], &batch.states[index]);
    let labels = batch.task.labels.len();
    let leader = vote::leader(batch.policy.vote, &state.votes, labels, &batch.head.reliability);
    let label = leader.map(|leader| name(batch, index, leader.label).to_owned());
    Answer {
        id: item.id.clone(),
        standing: state.standing,
        confidence: leader.map_or(0.0, |leader| leader.confidence),
        votes: votes(batch, index),
        tokens: state.charged_milli as f64 / 1_000.0,
        flags: batch.flags[index].clone(),
        label,
        right: is_right(batch, index),
    }
}

/// Whether the item's answer is the expected one; `None` where none is known.
pub(super) fn is_right(batch: &BatchPrompt, index: usize) -> Option<bool> {
    let expected = batch.items[index].expected.as_ref()?;
    let (votes, labels) = (&batch.states[index].votes, batch.task.labels.len());
    let leader = vote::leader(batch.policy.vote, votes, labels, &batch.head.reliability);
    Some(leader.is_some_and(|leader| plain(name(batch, index, leader.label)) == plain(expected)))
}

fn votes(batch: &BatchPrompt, index: usize) -> Vec<Votes> {
    let mut found: Vec<Votes> = Vec::new();
    for vote in &batch.states[index].votes {
        let label = name(batch, index, vote.label);
        let confident = u32::from(vote.confident);
        match found.iter_mut().find(|it| it.label == label) {
            Some(it) => {
                it.count += 1;
                it.confident += confident;
            }
            None => found.push(Votes { label: label.to_owned(), count: 1, confident }),
        }
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.count));
    found
}

fn name(batch: &BatchPrompt, index: usize, label: u32) -> &str {
    match batch.task.labels.get(label as usize) {
        Some(label) => &label.name,
        None => batch.states[index].texts.get(label as usize).map_or("", String::as_str),
    }
}
