//! What generated suites share: cells of length and depth, one task at a time, and how far a model's context really reaches.

mod limit;

use serde_json::Value;

use crate::random::Random;
use crate::score::Judgement;
use crate::suite::{Setting, Tasks};
use crate::task::{Expected, Solution, Task};
use crate::trace::Trace;
pub use limit::ContextLimits;

/// Lengths that are asked for where the user names none, in tokens.
const LENGTHS: [usize; 3] = [1_000, 4_000, 16_000];

/// Where in the context the needle lies, from its beginning to its end.
pub const DEPTHS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Guesses among which one is right.
pub const N_GUESSES: usize = 8;

/// A generated task.
pub struct Made {
    /// What is asked.
    pub query: String,
    /// What the suite judges by.
    pub expected: Value,
    /// The right answer.
    pub answer: String,
    /// Wrong ones.
    pub wrong: Vec<String>,
}

/// Where a task lies.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Tokens of the context.
    pub length: usize,
    /// From 0, its beginning, to 1.
    pub depth: f64,
}

/// Makes a task of a kind.
pub type Maker = fn(Cell, &Setting, &mut Random) -> Made;

/// For each kind, length and depth the tasks of that cell; each is made when its turn comes.
pub fn tasks(setting: &Setting, kinds: &'static [(&'static str, Maker)], depths: &'static [f64]) -> Tasks {
    let lengths = if setting.lengths.is_empty() { LENGTHS.to_vec() } else { setting.lengths.clone() };
    let repeats = if setting.tasks_per_cell == 0 { 2 } else { setting.tasks_per_cell };
    let setting = setting.clone();
    let (n_lengths, n_depths) = (lengths.len(), depths.len());
    let total = kinds.len() * n_lengths * n_depths * repeats;
    Box::new((0..total).map(move |at| {
        let (cell_idx, repeat) = (at / repeats, at % repeats);
        let (kind_idx, rest) = (cell_idx / (n_lengths * n_depths), cell_idx % (n_lengths * n_depths));
        let cell = Cell { length: lengths[rest / n_depths], depth: depths[rest % n_depths] };
        let (kind, maker) = kinds[kind_idx];
        Ok(task(kind, maker, cell, repeat, &setting))
    }))
}

fn task(kind: &'static str, maker: Maker, cell: Cell, repeat: usize, setting: &Setting) -> Task {
    let id = format!("{kind}-{}-{:.0}%-{repeat}", cell.length, cell.depth * 100.0);
    let mut random = Random::of(setting.seed, &[&id]);
    let made = maker(cell, setting, &mut random);
    let mut guesses = made.wrong;
    guesses.truncate(N_GUESSES - 1);
    guesses.insert(random.below(guesses.len() + 1), made.answer.clone());
    Task {
        category: kind.to_owned(),
        system: None,
        facts: vec![
            ("length", cell.length as f64),
            ("depth", cell.depth),
            ("characters", made.query.chars().count() as f64),
        ],
        query: made.query,
        tools: std::sync::Arc::default(),
        expected: Expected::Text(made.expected),
        solution: Solution { calls: Vec::new(), answer: made.answer },
        guesses,
        id,
    }
}

/// Judges the answer to a text task; `score` says how much of it is right, from 0 to 1.
pub fn judged(task: &Task, trace: &Trace, score: impl Fn(&Value, &str) -> f64) -> Judgement {
    let Expected::Text(expected) = &task.expected else { return crate::score::judge(task, trace) };
    let score = score(expected, trace.answer.trim());
    Judgement::of_text(score, score >= 1.0)
}
