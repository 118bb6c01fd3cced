//! Many items in one prompt: permuted, voted, stopped early (arXiv 2309.00384), as a pure state machine.
//!
//! ```
//! use tollgate_planners::batch::{BatchPrompt, Item, Policy, Task, Usage};
//! use tollgate_tokenizers::Tokenizer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let task = Task::new("Does the sentence praise something?", &["yes", "no"]);
//! let items = vec![Item::new("a", "What a fine day!"), Item::new("b", "It rained.")];
//! let mut batch = BatchPrompt::new(task, items, Policy::default(), Tokenizer::by_name("o200k_base")?)?;
//! while !batch.is_done() {
//!     // The prompts of one call may be sent at the same time and recorded in any order.
//!     for prompt in batch.next_prompts(0) {
//!         // `system`, `turns`, `user`, `schema` and `max_output_tokens` make a request of any provider.
//!         let lines = (0..prompt.items.len()).map(|it| format!("Label for Input {it}: yes (confident)\n"));
//!         let usage = Usage { input_tokens: prompt.input_tokens, output_tokens: 20, cached_input_tokens: 0 };
//!         batch.record(prompt.id, &lines.collect::<String>(), usage)?;
//!     }
//!     for answer in batch.take_settled() {
//!         println!("{} {:?} {}", answer.id, answer.label, answer.confidence);
//!     }
//! }
//! println!("{:?}", batch.report());
//! # Ok(())
//! # }
//! ```
//!
//! **Driving it.** Call [`next_prompts`](BatchPrompt::next_prompts), send what it gives, and call
//! [`record`](BatchPrompt::record) or [`fail`](BatchPrompt::fail) for each, as they come. Call `next_prompts` again after
//! each of these until [`is_done`](BatchPrompt::is_done). An empty list while something is on its way means: wait.
//! [`take_settled`](BatchPrompt::take_settled) after each step streams items as they come to stand.
//!
//! **Storing it.** Task, items and policy do not change. [`progress`](BatchPrompt::progress) is everything else; a job
//! that is stored after each step may keep the rows of [`take_changes`](BatchPrompt::take_changes) instead, since it
//! is linear in what changed and not in the job. [`resume`](BatchPrompt::resume) goes on; prompts that were on their way
//! are given out again, and nothing that was recorded is asked again because of it.
//!
//! **A dry run** is [`forecast`](BatchPrompt::forecast): calls and tokens before anything is sent.
//!
//! **Stopping.** [`Policy::deadline_ms`] and [`cancel`](BatchPrompt::cancel) end the sending; what is on its way is still
//! taken, or given up with [`Failure::Cancelled`], and then the job is done. A prompt that was given out has to be recorded
//! or failed, else the job waits for it.
//!
//! The clock and the seed are arguments, so that equal inputs give equal prompts.

mod answers;
mod check;
mod costs;
mod demos;
mod early_stop;
mod fence;
mod forecast;
mod item;
mod labels;
mod limits;
mod machine;
mod mix;
mod parse;
mod permute;
mod plan;
mod policy;
mod posterior;
mod refill;
mod render;
mod report;
mod size;
mod state;
mod take;
mod task;
mod vote;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use answers::{Answer, Votes};
pub use fence::{Flag, flags, quote};
pub use item::Item;
pub use machine::{BatchPrompt, MOST_ITEMS};
pub use mix::mix;
pub use parse::Faults;
pub use permute::third;
pub use policy::{Budget, CurvePoint, Limits, Order, Policy, Size, Stop, Vote};
pub use posterior::Reliability;
pub use render::{answer as answer_line, answers as whole_answer, input as input_line, system, tail};
pub use report::{Report, Usage};
pub use state::{Cast, Changes, Ended, Head, ItemState, Planned, Progress, Standing, Unanswered};
pub use task::{Example, Format, Label, Task};

/// A prompt to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// By which its answer is recorded. Unique in a job.
    pub id: u64,
    /// The instructions, the same bytes in every prompt of a job.
    pub system: String,
    /// Questions and answers before the question: examples, demonstrations.
    pub turns: Vec<(String, String)>,
    /// The question: the items.
    pub user: String,
    /// What the answer has to be, for providers with structured outputs; `None` for label lines.
    pub schema: Option<Value>,
    /// What we expect it to be charged, at most.
    pub input_tokens: u64,
    /// The most that its answer may be; to be sent along, since the budget counts on it.
    pub max_output_tokens: u64,
    /// Ids of its items, in their order.
    pub items: Vec<String>,
}

/// Why a prompt has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The provider would not answer it.
    Refused,
    /// The call failed, or its answer broke off before anything was said.
    Broken,
    /// The caller gave up on it; its items lose nothing by that.
    Cancelled,
}

/// Why a job cannot be, or an answer cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Answers are found by id.
    #[error("two items have the id `{0}`; ids must be unique")]
    SameId(String),
    /// Too many items for one job.
    #[error("`{0}` items are more than a job holds; split it into jobs of at most {MOST_ITEMS}")]
    TooMany(usize),
    /// A label that could not be told from others in an answer.
    #[error("label `{0}` is empty, has a line break, or equals another but for case and quotation marks; rename it")]
    Label(String),
    /// An example or an expected answer that is no label of the task.
    #[error("`{0}` is none of the task's labels; add it to them or correct it")]
    UnknownLabel(String),
    /// A setting that makes no sense.
    #[error("policy: `{what}` cannot be `{value}`; see docs/batch.md for what it may be")]
    Policy {
        /// The setting.
        what: &'static str,
        /// What it was.
        value: String,
    },
    /// A stored state that belongs to other items.
    #[error("the stored progress is not of these `{0}` items; start the job anew")]
    Progress(usize),
    /// Nothing with this id is on its way.
    #[error("prompt `{0}` is not on its way; record each prompt once, and only ids that `next_prompts` gave")]
    UnknownPrompt(u64),
}
