//! A task that ids answer, and a loop that drives a job.

use tollgate_planners::batch::{BatchPrompt, Item, Policy, Prompt, Task, Usage};
use tollgate_tokenizers::Tokenizer;

pub fn tokenizer() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap()
}

pub fn task() -> Task {
    Task::new("Is the number even?", &["even", "odd"])
}

pub fn items(n_items: usize) -> Vec<Item> {
    (0..n_items).map(|number| Item::new(format!("id-{number}"), number.to_string())).collect()
}

pub fn job(items: Vec<Item>, policy: Policy) -> BatchPrompt {
    BatchPrompt::new(task(), items, policy, tokenizer()).unwrap()
}

pub fn number(id: &str) -> usize {
    id.trim_start_matches("id-").parse().unwrap()
}

pub fn parity(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "even" } else { "odd" }
}

/// A charge as high as was announced.
pub fn usage(prompt: &Prompt) -> Usage {
    Usage { input_tokens: prompt.input_tokens, output_tokens: 8 * prompt.items.len() as u64, cached_input_tokens: 0 }
}

/// Label lines that say of each item what its id says.
pub fn right_lines(prompt: &Prompt) -> String {
    let line = |(place, id): (usize, &String)| format!("Label for Input {place}: {} (confident)\n", parity(number(id)));
    prompt.items.iter().enumerate().map(line).collect()
}

/// Answers everything; `reply` says what.
pub fn drive(batch: &mut BatchPrompt, mut reply: impl FnMut(&Prompt) -> String) -> Vec<Prompt> {
    let mut sent = Vec::new();
    while !batch.is_done() {
        let prompts = batch.next_prompts(0);
        assert!(!prompts.is_empty() || batch.is_done(), "a job that waits for nothing");
        for prompt in prompts {
            batch.record(prompt.id, &reply(&prompt), usage(&prompt)).unwrap();
            sent.push(prompt);
        }
    }
    sent
}
