//! What a job has to be before it is one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BatchError, Item, MOST_ITEMS, Policy, Task,
    labels::Labels,
    state::{ItemState, Progress},
};

pub(super) fn check(task: &Task, items: &[Item], policy: &Policy) -> Result<Labels, BatchError> {
    let labels = Labels::new(task)?;
    policy.check()?;
    if items.len() > MOST_ITEMS {
        return Err(BatchError::TooMany(items.len()));
    }
    let mut ids = BTreeSet::new();
    for item in items {
        if !ids.insert(item.id.as_str()) {
            return Err(BatchError::SameId(item.id.clone()));
        }
        match &item.expected {
            Some(label) if labels.word(label).is_none() => {
                return Err(BatchError::UnknownLabel(label.clone()));
            }
            _ => {}
        }
    }
    Ok(labels)
}

/// A stored state must be one of these items, so that no index in it is out of range.
pub(super) fn check_progress(progress: &Progress, task: &Task, n_items: usize) -> Result<(), BatchError> {
    let labels = |item: &ItemState| if task.is_free() { item.texts.len() } else { task.labels.len() };
    let known = |item: &u32| (*item as usize) < n_items;
    let whole = progress.items.len() == n_items
        && progress.planned.iter().all(|(id, it)| *id == it.id && !it.items.is_empty() && it.items.iter().all(known))
        && progress.head.demos.iter().flatten().all(known)
        && progress.items.iter().all(|item| item.votes.iter().all(|vote| (vote.label as usize) < labels(item)));
    if whole { Ok(()) } else { Err(BatchError::Progress(n_items)) }
}

/// The number of each item's realm, in order of their first items.
pub(super) fn realms(items: &[Item]) -> Vec<u32> {
    let mut known = BTreeMap::new();
    let mut number = |item: &Item| {
        let next = known.len() as u32;
        let realm = item.realm();
        *known.entry((realm.0.map(str::to_owned), realm.1.map(str::to_owned))).or_insert(next)
    };
    items.iter().map(&mut number).collect()
}
