//! What prompts of a job cost, counted once: the part that is the same in every call, and each item's line.

use tollgate_tokenizers::Tokenizer;

use super::{Item, Policy, Task, render};

/// Counts in the target model's tokens.
#[derive(Debug, Clone)]
pub(super) struct Costs {
    tokenizer: Tokenizer,
    /// Frame, instructions and examples of a call.
    pub constant: u64,
    /// The same with the closing line, for the longest number of items.
    pub fixed: u64,
    /// The same for a call of one item.
    single_fixed: u64,
    /// The line of each item, with the longest number.
    pub lines: Vec<u32>,
    /// What the longest number costs over the number of an only item.
    number: u64,
    /// The longest line of an answer.
    pub answer_most: u64,
    /// The shortest one.
    pub answer_least: u64,
}

/// A number as long as places have; vocabularies make it one token or three.
const WIDE_NUMBER: usize = 999;

impl Costs {
    pub fn new(task: &Task, items: &[Item], policy: &Policy, tokenizer: Tokenizer) -> Self {
        let count = |text: &str| tokenizer.count(text) as u64;
        let examples = match task.examples.as_slice() {
            [] => 0,
            examples => {
                let (question, answer) = render::turn(task, examples);
                count(&question) + count(&answer) + 2 * u64::from(policy.limits.frame)
            }
        };
        let constant = u64::from(policy.limits.frame) + count(&render::system(task)) + examples;
        // Behind a line, as it stands in a prompt: line breaks merge.
        let closing = |n_items: usize| {
            let line = render::input(0, "a");
            count(&format!("{line}{}", render::tail(task, n_items))).saturating_sub(count(&line))
        };
        let number = count(&render::input(WIDE_NUMBER, "a")).saturating_sub(count(&render::input(0, "a")));
        let line = |item: &Item| tokenizer.count(&render::input(WIDE_NUMBER, &item.text)) as u32;
        let answer = |label: &str, sure| count(&render::answer(task.format, WIDE_NUMBER, label, sure));
        let named = task.labels.iter().map(|label| answer(&label.name, false));
        let free = answer("", false) + u64::from(task.answer_tokens);
        Self {
            tokenizer,
            constant,
            fixed: constant + closing(WIDE_NUMBER),
            single_fixed: constant + closing(1),
            number,
            lines: items.iter().map(line).collect(),
            answer_most: named.clone().max().unwrap_or(free),
            answer_least: named.min().unwrap_or_else(|| answer("", false)),
        }
    }

    pub fn count(&self, text: &str) -> u64 {
        self.tokenizer.count(text) as u64
    }

    pub fn line(&self, item: u32) -> u64 {
        u64::from(self.lines[item as usize])
    }

    /// Tokens of an item and its answer, on average.
    pub fn mean_item(&self) -> f64 {
        let lines: u64 = self.lines.iter().map(|line| u64::from(*line)).sum();
        lines as f64 / self.lines.len().max(1) as f64 + self.answer_most as f64
    }

    /// One prompt an item: what is sent.
    pub fn single_sent(&self) -> u64 {
        let one = |line: &u32| (u64::from(*line) + self.single_fixed).saturating_sub(self.number);
        self.lines.iter().map(one).sum()
    }

    /// One prompt an item: what is returned at least.
    pub fn single_returned(&self) -> u64 {
        self.lines.len() as u64 * self.answer_least
    }
}
