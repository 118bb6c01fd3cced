//! Which label an answer means, whatever its case and the marks around it.

use rustc_hash::FxHashMap;

use super::{BatchError, Task, task::plain};

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// The label of this index.
    Label(u32),
    /// Free text, where the task names no labels.
    Free(String),
}

/// The labels of a task, ready to be found.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    by_name: FxHashMap<String, u32>,
}

impl Labels {
    /// Fails on a label that could not be told from another one, and on examples that are none.
    pub fn new(task: &Task) -> Result<Self, BatchError> {
        let mut labels = Self::default();
        for (index, label) in (0..).zip(&task.labels) {
            let name = plain(&label.name);
            let is_odd = name.is_empty() || label.name.contains(['\n', '\r']);
            if is_odd || labels.by_name.insert(name, index).is_some() {
                return Err(BatchError::Label(label.name.clone()));
            }
        }
        let unknown = task.examples.iter().find(|example| labels.word(&example.label).is_none());
        match unknown {
            Some(example) => Err(BatchError::UnknownLabel(example.label.clone())),
            None => Ok(labels),
        }
    }

    /// What an answer says; `None` where it is none of the labels, or nothing.
    pub fn word(&self, answer: &str) -> Option<Word> {
        if self.by_name.is_empty() {
            let words: Vec<&str> = free(answer).split_whitespace().collect();
            return (!words.is_empty()).then(|| Word::Free(words.join(" ")));
        }
        self.by_name.get(&plain(answer)).copied().map(Word::Label)
    }
}

/// Free text without what models put around it; a full stop may be part of it.
fn free(answer: &str) -> &str {
    answer.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '`' | '*'))
}
