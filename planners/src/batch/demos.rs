//! Settled items as demonstrations for later prompts of their own realm.
//!
//! Auto-Demo (arXiv 2410.01724) shows that a batch's earlier questions and answers serve its later ones; here they come
//! from earlier waves, where votes have confirmed them. They are chosen once a realm, because what stands before the items is what a provider's prompt cache holds.

use super::{
    Task, render,
    state::{ItemState, Standing},
    task::Example,
};

/// The surest short items of a realm, `most` at most.
pub(super) fn choose(items: impl Iterator<Item = (u32, f64, u32)>, most: usize) -> Vec<u32> {
    let mut settled: Vec<(u32, f64, u32)> = items.collect();
    settled.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.2.cmp(&other.2)).then(one.0.cmp(&other.0)));
    settled.into_iter().take(most).map(|(item, ..)| item).collect()
}

/// Whether an item may serve as one.
pub(super) fn is_fit(state: &ItemState) -> bool {
    state.standing == Standing::Settled && state.votes.len() > 1
}

/// The demonstrations as a question and its answer.
pub(super) fn turn(task: &Task, solved: &[Example]) -> Option<(String, String)> {
    (!solved.is_empty()).then(|| render::turn(task, solved))
}
