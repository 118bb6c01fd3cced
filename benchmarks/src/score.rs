//! How well a task was done, decided from its trace alone: five gates, of which each failed attempt stops at exactly one,
//! and a class of its own for calls that nobody can read.

mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::task::{Expected, ExpectedCall, Task};
use crate::trace::{End, Made, Status, Trace};
pub use values::{Results, accepts, binding, bindings, field, same};

/// Where a failed attempt went wrong; each gate holds if those before it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The model wrote calls that are no JSON objects, and no call that can be read in their place.
    Unparsable,
    /// A tool that was needed was neither listed nor found.
    Retrieved,
    /// The tools that were called are not those that were needed.
    Selected,
    /// The arguments are not right.
    Arguments,
    /// A call that was right reported an error.
    Executed,
    /// All calls were right, and what was to come of them is not there: their order, the answer, the final state.
    Outcome,
}

/// The gates, in order.
pub const GATES: [Gate; 6] =
    [Gate::Unparsable, Gate::Retrieved, Gate::Selected, Gate::Arguments, Gate::Executed, Gate::Outcome];

impl Gate {
    /// Its word in records and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unparsable => "unparsable",
            Self::Retrieved => "retrieved",
            Self::Selected => "selected",
            Self::Arguments => "arguments",
            Self::Executed => "executed",
            Self::Outcome => "outcome",
        }
    }
}

/// What an attempt is worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Whether it was done right.
    pub solved: bool,
    /// How much of it, from 0 to 1.
    pub score: f64,
    /// Where it went wrong, if it did.
    pub stopped: Option<Gate>,
    /// What else the suite measures.
    pub numbers: BTreeMap<String, f64>,
}

impl Judgement {
    /// Done right.
    #[must_use]
    pub fn solved() -> Self {
        Self { solved: true, score: 1.0, ..Self::default() }
    }

    /// Stopped at a gate, with `score` of it done.
    #[must_use]
    pub fn stopped(gate: Gate, score: f64) -> Self {
        Self { score, stopped: Some(gate), ..Self::default() }
    }

    /// Of a text: solved where all of it is right.
    #[must_use]
    pub fn of_text(score: f64, solved: bool) -> Self {
        if solved { Self { score, ..Self::solved() } } else { Self::stopped(Gate::Outcome, score) }
    }
}

/// Judges by what the task expects.
#[must_use]
pub fn judge(task: &Task, trace: &Trace) -> Judgement {
    match &task.expected {
        Expected::Silence => silence(trace),
        Expected::Calls(expected) => calls(expected, trace),
        Expected::Text(Value::String(text)) => {
            let is_right = trace.answer.trim() == text.trim();
            Judgement::of_text(f64::from(u8::from(is_right)), is_right)
        }
        Expected::Text(_) => Judgement::stopped(Gate::Outcome, 0.0),
        Expected::State(_) => state(task, trace),
    }
}

fn silence(trace: &Trace) -> Judgement {
    let is_unparsable = |made: &Made| made.status == Status::Unparsable;
    match trace.calls().next() {
        None => Judgement::solved(),
        Some(_) if trace.calls().all(|(_, it)| is_unparsable(it)) => Judgement::stopped(Gate::Unparsable, 0.0),
        Some(_) => Judgement::stopped(Gate::Selected, 0.0),
    }
}

fn has_run(made: &Made) -> bool {
    matches!(made.status, Status::Ran | Status::Failed)
}

fn calls(expected: &[ExpectedCall], trace: &Trace) -> Judgement {
    let made: Vec<&Made> = trace.calls().map(|(_, it)| it).collect();
    let ran: Vec<&Made> = made.iter().copied().filter(|it| has_run(it)).collect();
    let is_tool = |want: &ExpectedCall, it: &Made| it.tool.as_ref().is_some_and(|name| want.tools.contains(name));
    let (n_expected, n_tools) = (expected.len(), n_matched(expected, &ran, is_tool));
    if n_tools < n_expected || ran.len() > n_expected {
        return not_selected(expected, &made, &ran, n_tools, trace);
    }
    let results = results(expected, &ran, is_tool);
    let is_right = |want: &ExpectedCall, it: &Made| is_tool(want, it) && is_accepted(want, it, &results);
    let n_right = n_matched(expected, &ran, is_right);
    let score = n_right as f64 / n_expected.max(1) as f64;
    if n_right < n_expected {
        Judgement::stopped(Gate::Arguments, score)
    } else if ran.iter().any(|it| it.status == Status::Failed) {
        Judgement::stopped(Gate::Executed, score)
    } else if !in_order(expected, &ran, is_right) || trace.end == End::OutOfRounds {
        Judgement::stopped(Gate::Outcome, score)
    } else {
        Judgement::solved()
    }
}

/// Why the calls that ran are not the ones that were needed.
fn not_selected(expected: &[ExpectedCall], made: &[&Made], ran: &[&Made], n_tools: usize, trace: &Trace) -> Judgement {
    let is_tool = |want: &ExpectedCall, it: &Made| it.tool.as_ref().is_some_and(|name| want.tools.contains(name));
    // A call whose arguments were refused chose its tool all the same.
    let chosen: Vec<&Made> = made.iter().copied().filter(|it| has_run(it) || it.status == Status::Invalid).collect();
    let all_chosen = n_matched(expected, &chosen, is_tool) == expected.len() && n_tools == ran.len();
    let score = n_tools.min(expected.len()) as f64 / (2 * expected.len().max(ran.len()).max(1)) as f64;
    let gate = if all_chosen {
        Gate::Arguments
    } else if made.iter().any(|it| it.status == Status::Unparsable) {
        Gate::Unparsable
    } else if !trace.unseen.is_empty() {
        Gate::Retrieved
    } else {
        Gate::Selected
    };
    Judgement::stopped(gate, score)
}

fn is_accepted(want: &ExpectedCall, made: &Made, results: &Results) -> bool {
    made.given.as_ref().is_some_and(|given| accepts(&want.arguments, given, results))
}

/// What the call that stands for each id gave.
fn results(expected: &[ExpectedCall], ran: &[&Made], is_tool: impl Fn(&ExpectedCall, &Made) -> bool) -> Results {
    let mut results = Results::new();
    let mut is_used = vec![false; ran.len()];
    for want in expected {
        let found = (0..ran.len()).find(|&at| !is_used[at] && is_tool(want, ran[at]));
        if let Some(at) = found {
            is_used[at] = true;
            results.insert(want.id.clone(), ran[at].answer.clone());
        }
    }
    results
}

/// Whether the calls come step by step; within a step their order is free.
fn in_order(expected: &[ExpectedCall], ran: &[&Made], is_right: impl Fn(&ExpectedCall, &Made) -> bool) -> bool {
    let mut steps: BTreeMap<u32, Vec<ExpectedCall>> = BTreeMap::new();
    for want in expected {
        steps.entry(want.step).or_default().push(want.clone());
    }
    let mut rest = ran;
    steps.values().all(|step| {
        let (these, others) = rest.split_at(step.len().min(rest.len()));
        rest = others;
        n_matched(step, these, &is_right) == step.len()
    })
}

/// The most pairs of an expected call and one that was made, each in one pair at most (Kuhn's augmenting paths).
pub fn n_matched(expected: &[ExpectedCall], made: &[&Made], fits: impl Fn(&ExpectedCall, &Made) -> bool) -> usize {
    let table: Vec<Vec<bool>> = expected.iter().map(|want| made.iter().map(|it| fits(want, it)).collect()).collect();
    let mut owner: Vec<Option<usize>> = vec![None; made.len()];
    (0..expected.len()).filter(|&want| augment(&table, want, &mut owner, &mut vec![false; made.len()])).count()
}

fn augment(table: &[Vec<bool>], want: usize, owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for at in 0..owner.len() {
        if !table[want][at] || std::mem::replace(&mut tried[at], true) {
            continue;
        }
        if owner[at].is_none_or(|other| augment(table, other, owner, tried)) {
            owner[at] = Some(want);
            return true;
        }
    }
    false
}

/// By what the servers hold at the end; the way there is free.
fn state(task: &Task, trace: &Trace) -> Judgement {
    let n_true = trace.state.iter().filter(|it| **it).count();
    if n_true == trace.state.len() && n_true > 0 {
        return Judgement::solved();
    }
    let made: Vec<&Made> = trace.calls().map(|(_, it)| it).collect();
    let is_called = |tool: &String| made.iter().any(|it| it.tool.as_ref() == Some(tool));
    let needed: Vec<&String> = task.solution.calls.iter().map(|it| &it.tool).collect();
    let any = |status: Status| made.iter().any(|it| it.status == status);
    let gate = if needed.iter().all(|it| is_called(it)) {
        match (any(Status::Invalid), any(Status::Failed)) {
            (true, _) => Gate::Arguments,
            (_, true) => Gate::Executed,
            _ => Gate::Outcome,
        }
    } else if any(Status::Unparsable) {
        Gate::Unparsable
    } else if trace.unseen.iter().any(|it| !is_called(it)) {
        Gate::Retrieved
    } else {
        Gate::Selected
    };
    Judgement::stopped(gate, n_true as f64 / trace.state.len().max(1) as f64)
}

#[cfg(test)]
mod tests;
