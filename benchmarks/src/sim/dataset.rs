//! Inputs and instructions as long as those of the measurements, made of words that are a token each.

use tollgate_planners::batch::{Item, Limits, Task, input_line, mix, system, tail};
use tollgate_tokenizers::Tokenizer;

use super::{model::uniform, provider::Simulator};

/// Words that are one token each behind a space, in o200k.
const WORDS: &[&str] = &[
    "the", "river", "north", "was", "built", "after", "war", "city", "people", "water", "first", "year", "king",
    "found", "small", "house", "music", "film", "team", "played", "season", "law", "court", "state", "power", "energy",
    "light", "sea", "ship", "bank", "church", "school", "road", "train", "wood", "stone", "green", "food", "heart",
    "blood", "plant", "animal", "language", "word", "book", "story", "author", "game", "player", "ball", "money",
    "price", "market", "trade", "island", "mountain", "winter", "summer", "rain", "cold", "early", "late", "often",
    "never",
];
/// How far lengths of inputs lie from their mean, as a share of it.
const SPREAD: f64 = 0.4;

/// A task and labelled items.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The instructions.
    pub task: Task,
    /// The items, with their right answers.
    pub items: Vec<Item>,
}

/// `n_items` items for a simulated model, drawn from `seed`.
#[must_use]
pub fn dataset(simulator: &Simulator, n_items: usize, seed: u64, tokenizer: Tokenizer) -> Dataset {
    let fit = simulator.fit();
    let mut task = Task::new(fit.question, &fit.labels);
    let frame = Limits::default().frame as usize;
    let fixed = |task: &Task| frame + tokenizer.count(&system(task)) + tokenizer.count(&tail(task, 32));
    let missing = (fit.instruction_tokens as usize).saturating_sub(fixed(&task));
    task.instructions.push_str(&words(mix(&[seed]), missing));
    let labels: Vec<String> = fit.labels.map(str::to_owned).into();
    let line = tokenizer.count(&input_line(10, WORDS[0])).saturating_sub(1);
    let item = |index: usize| {
        let drawn = mix(&[seed, index as u64, 5]);
        let length = fit.item_tokens * (1.0 + SPREAD * (2.0 * uniform(drawn) - 1.0));
        let text = words(drawn, (length.round() as usize).saturating_sub(line)).trim_start().to_owned();
        let expected = Some(simulator.truth(&labels, &text));
        Item { expected, ..Item::new(index.to_string(), text) }
    };
    Dataset { items: (0..n_items).map(item).collect(), task }
}

/// This many tokens of words, each behind a space.
fn words(seed: u64, n_words: usize) -> String {
    let word = |index: usize| WORDS[(mix(&[seed, index as u64]) % WORDS.len() as u64) as usize];
    (0..n_words).flat_map(|index| [" ", word(index)]).collect()
}
