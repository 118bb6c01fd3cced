//! Berkeley Function Calling Leaderboard, version 4 (Apache-2.0): single-turn calls, judged on their syntax tree, and requests
//! for which no function is any good.
//!
//! Categories are read from the files' names. Multi-turn categories need the benchmark's own simulated servers and are left
//! out.

mod ast;
mod data;
mod python;

use std::collections::BTreeMap;

use crate::score::{Gate, Judgement};
use crate::suite::{Opened, Setting, Suite};
use crate::task::{Arguments, Expected, Task};
use crate::trace::{Made, Status, Trace};
use ast::Call;

/// The suite.
pub struct Bfcl;

impl Suite for Bfcl {
    fn name(&self) -> &'static str {
        "bfcl"
    }

    fn about(&self) -> &'static str {
        "Berkeley Function Calling Leaderboard v4, single-turn, with its checker's rules"
    }

    fn data(&self) -> Option<&'static str> {
        Some("a folder with `BFCL_v4_CATEGORY.jsonl` and `possible_answer_CATEGORY.jsonl`")
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("`BFCL_v4_*.jsonl` and `possible_answer_*.jsonl`")?;
        Ok(Opened::Tasks(data::tasks(files.clone(), setting.seed)?))
    }

    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        if task.category.ends_with("irrelevance") {
            return crate::score::judge(task, trace);
        }
        let made: Vec<&Made> = trace.calls().map(|(_, made)| made).collect();
        let judged = if task.category.ends_with("relevance") { relevance(&made) } else { calls(task, trace, &made) };
        let first = first_turn(trace);
        let is_first_right = task.category.ends_with("relevance") || right(task, &first).is_ok();
        let numbers = BTreeMap::from([("first_turn".to_owned(), f64::from(u8::from(judged.solved && is_first_right)))]);
        Judgement { numbers, ..judged }
    }
}

/// Any call will do, if it can be read.
fn relevance(made: &[&Made]) -> Judgement {
    match made.iter().any(|it| it.status != Status::Unparsable && it.tool.is_some()) {
        true => Judgement::solved(),
        false if made.is_empty() => Judgement::stopped(Gate::Selected, 0.0),
        false => Judgement::stopped(Gate::Unparsable, 0.0),
    }
}

/// The leaderboard looks at the calls of one answer; whoever calls one after the other fails there.
fn first_turn(trace: &Trace) -> Vec<&Made> {
    let turn = |round: &'_ crate::trace::Round| round.calls.iter().any(|it| it.status != Status::Meta);
    let round = trace.rounds.iter().find(|round| turn(round));
    round.into_iter().flat_map(|round| &round.calls).filter(|it| it.status != Status::Meta).collect()
}

/// Right are the calls of the first answer, as on the leaderboard, or all that ran: a call that was refused and made again
/// counts once, and calls may be made one after the other.
fn calls(task: &Task, trace: &Trace, made: &[&Made]) -> Judgement {
    let ran: Vec<&Made> = made.iter().copied().filter(|it| matches!(it.status, Status::Ran | Status::Failed)).collect();
    let looked_at = if ran.is_empty() { made } else { &ran };
    match right(task, looked_at).or_else(|wrong| right(task, &first_turn(trace)).map_err(|_| wrong)) {
        Ok(()) => Judgement::solved(),
        Err(wrong) => Judgement::stopped(gate(trace, made, wrong.gate), wrong.share),
    }
}

fn gate(trace: &Trace, made: &[&Made], gate: Gate) -> Gate {
    if made.iter().any(|it| it.status == Status::Unparsable) && gate == Gate::Selected {
        Gate::Unparsable
    } else if !trace.unseen.is_empty() && gate == Gate::Selected {
        Gate::Retrieved
    } else {
        gate
    }
}

/// What is wrong with an attempt, and how much of it is right.
struct Wrong {
    gate: Gate,
    share: f64,
}

/// Whether the calls are the expected ones, in any order; each expected one takes the first that fits, as the
/// leaderboard's checker does.
fn right(task: &Task, made: &[&Made]) -> Result<(), Wrong> {
    let Expected::Calls(expected) = &task.expected else { return Ok(()) };
    let mut is_used = vec![false; made.len()];
    let (mut n_right, mut n_named) = (0, 0);
    for want in expected {
        let Arguments::Accepted(accepted) = &want.arguments else { continue };
        let schema = want.tools.first().and_then(|name| task.tools.find(name)).and_then(|idx| task.tools.schema(idx));
        let is_named = |it: &Made| it.tool.as_ref().is_some_and(|name| want.tools.contains(name));
        let fits = |it: &Made| {
            let call = it.given.as_ref().and_then(|given| given.as_object());
            let schema = schema.as_ref();
            is_named(it)
                && call.zip(schema).is_some_and(|(given, schema)| Call { given, schema, accepted }.check().is_ok())
        };
        n_named += usize::from(made.iter().any(|it| is_named(it)));
        if let Some(at) = (0..made.len()).find(|&at| !is_used[at] && fits(made[at])) {
            is_used[at] = true;
            n_right += 1;
        }
    }
    let share = n_right as f64 / expected.len().max(made.len()).max(1) as f64;
    match (n_right == expected.len(), made.len() == expected.len() && n_named == expected.len()) {
        (true, true) => Ok(()),
        (false, true) => Err(Wrong { gate: Gate::Arguments, share }),
        _ => Err(Wrong { gate: Gate::Selected, share }),
    }
}

#[cfg(test)]
mod tests;
