//! A job in the store: what was asked once, and a row for each item and each prompt, so that a step writes what it changed
//! and not the whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::wire::Spec;
use crate::store::{Store, StoreError, Write};
use tollgate_planners::batch::{Changes, Head, ItemState, Planned, Progress};

const PREFIX: &str = "batch/";

/// Rows that are read at a time.
const PAGE: usize = 1024;

/// What stands of a job besides its spec and its progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// `running`, or how it ended.
    pub status: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// The api key that pays.
    pub key: Option<String>,
    /// The gateway that runs it.
    pub slot: u32,
    pub created_ms: u64,
}

/// The jobs of a data folder.
#[derive(Clone)]
pub struct Stored(pub Arc<dyn Store>);

fn row(id: &str, kind: &str) -> Vec<u8> {
    format!("{PREFIX}{id}/{kind}").into_bytes()
}

fn numbered(id: &str, kind: &str, number: u64) -> Vec<u8> {
    [&row(id, kind)[..], &number.to_be_bytes()].concat()
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

impl Stored {
    fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        Ok(self.0.get(key)?.and_then(|it| serde_json::from_slice(&it).ok()))
    }

    /// Keeps a new job.
    ///
    /// # Errors
    /// That the store cannot be written.
    pub fn create(&self, id: &str, spec: &Spec, standing: &Standing) -> Result<(), StoreError> {
        let (spec, standing) = (bytes(spec), bytes(standing));
        self.0.write(&[Write::Put(&row(id, "spec"), &spec), Write::Put(&row(id, "standing"), &standing)])
    }

    /// # Errors
    /// That the store cannot be read.
    pub fn standing(&self, id: &str) -> Result<Option<Standing>, StoreError> {
        self.read(&row(id, "standing"))
    }

    /// # Errors
    /// That the store cannot be written.
    pub fn set_standing(&self, id: &str, standing: &Standing) -> Result<(), StoreError> {
        self.0.write(&[Write::Put(&row(id, "standing"), &bytes(standing))])
    }

    /// # Errors
    /// That the store cannot be read.
    pub fn spec(&self, id: &str) -> Result<Option<Spec>, StoreError> {
        self.read(&row(id, "spec"))
    }

    /// Whether somebody wants the job to end.
    ///
    /// # Errors
    /// That the store cannot be read.
    pub fn is_cancelled(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.0.get(&row(id, "cancel"))?.is_some())
    }

    /// # Errors
    /// That the store cannot be written.
    pub fn cancel(&self, id: &str) -> Result<(), StoreError> {
        self.0.write(&[Write::Put(&row(id, "cancel"), b"1")])
    }

    /// Keeps one step, whole or not at all.
    ///
    /// # Errors
    /// That the store cannot be written.
    pub fn add(&self, id: &str, changes: &Changes) -> Result<(), StoreError> {
        let mut puts = vec![(row(id, "head"), bytes(&changes.head))];
        puts.extend(changes.items.iter().map(|(item, state)| (numbered(id, "i/", u64::from(*item)), bytes(state))));
        puts.extend(changes.planned.iter().map(|it| (numbered(id, "p/", it.id), bytes(it))));
        let done: Vec<Vec<u8>> = changes.done.iter().map(|it| numbered(id, "p/", *it)).collect();
        let puts = puts.iter().map(|(key, value)| Write::Put(key, value));
        self.0.write(&puts.chain(done.iter().map(|it| Write::Delete(it))).collect::<Vec<_>>())
    }

    /// How far a job of so many items is.
    ///
    /// # Errors
    /// That the store cannot be read.
    pub fn progress(&self, id: &str, n_items: usize) -> Result<Progress, StoreError> {
        let head: Head = self.read(&row(id, "head"))?.unwrap_or_default();
        let mut progress = Progress { head, items: vec![ItemState::default(); n_items], ..Progress::default() };
        self.each(&row(id, "i/"), |number, state: ItemState| {
            if let Some(slot) = usize::try_from(number).ok().and_then(|it| progress.items.get_mut(it)) {
                *slot = state;
            }
        })?;
        self.each(&row(id, "p/"), |number, planned: Planned| {
            progress.planned.insert(number, planned);
        })?;
        Ok(progress)
    }

    fn each<T: DeserializeOwned>(&self, prefix: &[u8], mut take: impl FnMut(u64, T)) -> Result<(), StoreError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.0.scan(prefix, after.as_deref(), PAGE)?;
            let is_last = page.len() < PAGE;
            for (key, value) in &page {
                let number = key.get(prefix.len()..).and_then(|it| it.try_into().ok()).map(u64::from_be_bytes);
                if let (Some(number), Ok(value)) = (number, serde_json::from_slice(value)) {
                    take(number, value);
                }
            }
            after = page.into_iter().next_back().map(|(key, _)| key);
            if is_last {
                return Ok(());
            }
        }
    }

    /// Every job, by id.
    ///
    /// # Errors
    /// That the store cannot be read.
    pub fn all(&self) -> Result<Vec<(String, Standing)>, StoreError> {
        let (mut jobs, mut after) = (Vec::new(), None);
        loop {
            // One row of each job at a time: behind `x/` come all the rows of the job `x`, and `0` follows `/`.
            let Some((key, _)) = self.0.scan(PREFIX.as_bytes(), after.as_deref(), 1)?.pop() else { return Ok(jobs) };
            let key = String::from_utf8_lossy(&key).into_owned();
            let id = key.strip_prefix(PREFIX).and_then(|it| it.split('/').next()).unwrap_or_default().to_owned();
            if let Some(standing) = self.standing(&id)? {
                jobs.push((id.clone(), standing));
            }
            after = Some(format!("{PREFIX}{id}0").into_bytes());
        }
    }

    /// Forgets a job.
    ///
    /// # Errors
    /// That the store cannot be written.
    pub fn remove(&self, id: &str) -> Result<(), StoreError> {
        // The standing goes first: without it there is no job, whatever else is left.
        self.0.write(&[Write::Delete(&row(id, "standing"))])?;
        loop {
            let page = self.0.scan(&row(id, ""), None, PAGE)?;
            let deletes: Vec<Write<'_>> = page.iter().map(|(key, _)| Write::Delete(key)).collect();
            if deletes.is_empty() {
                return Ok(());
            }
            self.0.write(&deletes)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_planners::batch::{BatchPrompt, Item, Policy, Task};
    use tollgate_tokenizers::Tokenizer;

    #[test]
    fn a_job_is_read_as_it_was_written_step_by_step() {
        let stored = Stored(crate::store::memory().unwrap());
        let items: Vec<Item> = (0..50).map(|it| Item::new(it.to_string(), format!("text {it}"))).collect();
        let spec =
            Spec { model: "m".into(), task: Task::new("Is it?", &["yes", "no"]), items, policy: Policy::default() };
        let standing = Standing { status: "running".into(), error: None, key: None, slot: 0, created_ms: 1 };
        for id in ["a", "b"] {
            stored.create(id, &spec, &standing).unwrap();
        }
        let tokenizer = Tokenizer::by_name("o200k_base").unwrap();
        let mut batch = BatchPrompt::new(spec.task.clone(), spec.items.clone(), spec.policy, tokenizer).unwrap();
        for _ in 0..4 {
            for prompt in batch.next_prompts(0).into_iter().take(2) {
                stored.add("a", &batch.take_changes()).unwrap();
                batch.record(prompt.id, "Label for Input 0: yes (confident)", Default::default()).unwrap();
            }
            stored.add("a", &batch.take_changes()).unwrap();
            assert_eq!(stored.progress("a", 50).unwrap(), batch.progress());
        }
        let ids = || stored.all().unwrap().into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids(), ["a", "b"]);
        stored.remove("a").unwrap();
        assert_eq!(ids(), ["b"]);
        assert_eq!(stored.0.scan(b"batch/a/", None, 9).unwrap(), []);
    }
}
