//! What a job knows so far: plain data that can be stored after every step and read back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Usage, parse::Faults, posterior::Reliability};

/// A whole job as it can be stored. Prompts that were on their way are given out again after it was read back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is small.
    pub head: Head,
    /// One entry an item, in the order of the job.
    pub items: Vec<ItemState>,
    /// Prompts that are planned and not answered, by id.
    pub planned: BTreeMap<u64, Planned>,
}

/// What changed since it was last asked for; a job may store these instead of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The small part, whole.
    pub head: Head,
    /// Items by their index.
    pub items: Vec<(u32, ItemState)>,
    /// New prompts.
    pub planned: Vec<Planned>,
    /// Prompts that are no longer planned.
    pub done: Vec<u64>,
}

impl Progress {
    /// Brings a stored state up to date.
    pub fn apply(&mut self, changes: Changes) {
        self.head = changes.head;
        for (index, item) in changes.items {
            if let Some(slot) = self.items.get_mut(index as usize) {
                *slot = item;
            }
        }
        self.planned.extend(changes.planned.into_iter().map(|it| (it.id, it)));
        for id in changes.done {
            self.planned.remove(&id);
        }
    }
}

/// Sums and counters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The id of the next prompt.
    pub next_id: u64,
    /// How many waves were planned.
    pub wave: u32,
    /// Calls that were charged.
    pub calls: u64,
    /// Of these, calls of the first wave.
    pub first_calls: u64,
    /// Calls that failed as a whole.
    pub failed_calls: u64,
    /// Items in all calls.
    pub asked: u64,
    /// Everything charged.
    pub usage: Usage,
    /// Waves in a row in which no prompt had a usable answer.
    pub barren: u32,
    /// Whether a prompt of the present wave had one.
    pub fruitful: bool,
    /// The highest charge of a call over what we expected of it, in thousandths.
    pub surcharge: u64,
    /// What was wrong with answers.
    pub faults: Faults,
    /// How much answers are worth, learned up to the last wave.
    pub reliability: Reliability,
    /// Items shown as demonstrations, a list for each realm that has any.
    pub demos: Vec<Vec<u32>>,
    /// Why nothing is asked any more.
    pub ended: Option<Ended>,
}

/// Why nothing is asked any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Every item is settled or given up.
    Settled,
    /// The next prompt might not have fitted the budget.
    Budget,
    /// The deadline passed.
    Deadline,
    /// The caller stopped it.
    Cancelled,
    /// No answer could be used any more.
    NoUsableAnswers,
}

/// What is known of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemState {
    /// Its answers, in the order of waves.
    pub votes: Vec<Cast>,
    /// Its different answers, where the task names no labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Prompts that gave no answer for it.
    #[serde(default)]
    pub failures: u32,
    /// The most items it may share a prompt with, itself included, after prompts that failed; 0 for any number.
    #[serde(default)]
    pub at_most: u32,
    /// The prompt of the first wave that it was in, where batches are not refilled.
    #[serde(default)]
    pub group: u32,
    /// Where it stands.
    pub standing: Standing,
    /// Its share of the charged tokens, in thousandths.
    pub charged_milli: u64,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may be asked again.
    #[default]
    Open,
    /// It has its answer.
    Settled,
    /// The job ended before it was settled; its answer is the best so far.
    Undecided,
    /// It has no answer, for this reason.
    Unanswered(Unanswered),
}

/// Why an item has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// Alone it is longer than the model's window.
    TooLong,
    /// Answers left it out, or could not be read, as often as the policy allows.
    NoUsableAnswer,
    /// The provider refused it as often as the policy allows.
    Refused,
    /// The job ended before it was asked.
    NotAsked,
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// Index of the label in the task, or of the text among the item's free answers.
    pub label: u32,
    /// Whether the model said that it was sure.
    pub confident: bool,
    /// In which wave.
    pub wave: u32,
    /// How many items the prompt had.
    pub size: u32,
    /// At which place the item stood.
    pub place: u32,
}

/// A prompt that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its id.
    pub id: u64,
    /// Its wave.
    pub wave: u32,
    /// Indices of its items, in their order.
    pub items: Vec<u32>,
    /// Tokens we expect it to be.
    pub input_tokens: u64,
    /// The most its answer may be.
    pub max_output_tokens: u64,
}
