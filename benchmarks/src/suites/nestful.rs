//! NESTFUL (Basu et al., arXiv 2409.03797; Apache-2.0): sequences of calls in which arguments are fields of what earlier
//! calls returned, as in `$var1.field$`.
//!
//! The last step of a label, `var_result`, only collects what is asked for; it is no tool and is left out. The order of
//! calls is free as far as the bindings allow.

mod data;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::score::{Gate, Judgement, binding, field, n_matched, same};
use crate::suite::{Opened, Setting, Suite};
use crate::task::{Arguments, Expected, ExpectedCall, Task};
use crate::trace::{Made, Status, Trace};

/// The suite.
pub struct Nestful;

impl Suite for Nestful {
    fn name(&self) -> &'static str {
        "nestful"
    }

    fn about(&self) -> &'static str {
        "NESTFUL: nested sequences of calls, bound by fields of results"
    }

    fn data(&self) -> Option<&'static str> {
        Some("a folder with `NAME-data.json` and `NAME-spec.json`")
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("`NAME-data.json` and `NAME-spec.json`")?;
        Ok(Opened::Tasks(data::tasks(files.clone())?))
    }

    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        let Expected::Calls(expected) = &task.expected else { return crate::score::judge(task, trace) };
        let made: Vec<&Made> = trace.calls().map(|(_, made)| made).collect();
        let ran: Vec<&Made> =
            made.iter().copied().filter(|it| matches!(it.status, Status::Ran | Status::Failed)).collect();
        let is_named = |want: &ExpectedCall, it: &Made| it.tool.as_ref().is_some_and(|tool| want.tools.contains(tool));
        let n_named = n_matched(expected, &ran, is_named);
        let n_right = n_bound(expected, &ran);
        let n = expected.len().max(1) as f64;
        // The paper's partial match is the share of the sequence that is right; its full match is all of it.
        let numbers = BTreeMap::from([("partial".to_owned(), n_right as f64 / n)]);
        let judged = if n_right == expected.len() && ran.len() == expected.len() {
            Judgement::solved()
        } else if n_named == expected.len() && ran.len() == expected.len() {
            Judgement::stopped(Gate::Arguments, n_right as f64 / n)
        } else {
            let unmet = |status| made.iter().any(|it| it.status == status);
            let gate = match () {
                () if unmet(Status::Unparsable) => Gate::Unparsable,
                () if !trace.unseen.is_empty() => Gate::Retrieved,
                () if unmet(Status::Invalid) && n_named == ran.len() => Gate::Arguments,
                () => Gate::Selected,
            };
            Judgement::stopped(gate, n_right as f64 / n)
        };
        Judgement { numbers, ..judged }
    }
}

/// How many of the expected calls were made with the right arguments, each after those that it is bound to.
fn n_bound(expected: &[ExpectedCall], ran: &[&Made]) -> usize {
    let mut is_used = vec![false; ran.len()];
    let mut n_right = 0;
    // Some labels name two calls alike; bindings then mean the last.
    let mut given: BTreeMap<&str, (usize, Value)> = BTreeMap::new();
    for want in expected {
        let Arguments::Equal(wanted) = &want.arguments else { continue };
        let fits = |at: usize| {
            let call = ran[at];
            let is_named = call.tool.as_ref().is_some_and(|tool| want.tools.contains(tool));
            let before: BTreeMap<&str, &Value> =
                given.iter().filter(|(_, (place, _))| *place < at).map(|(id, (_, result))| (*id, result)).collect();
            is_named && call.given.as_ref().is_some_and(|arguments| is_met(wanted, arguments, &before))
        };
        if let Some(at) = (0..ran.len()).find(|&at| !is_used[at] && fits(at)) {
            is_used[at] = true;
            n_right += 1;
            let result = serde_json::from_str(&ran[at].answer).unwrap_or_else(|_| Value::from(ran[at].answer.clone()));
            given.insert(&want.id, (at, result));
        }
    }
    n_right
}

/// Whether the arguments are those of the label once its bindings are replaced. A binding inside a longer text cannot be
/// computed here, so any value that is not empty will do for it.
fn is_met(wanted: &Value, given: &Value, results: &BTreeMap<&str, &Value>) -> bool {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            let is_same = |(key, value): (&String, &Value)| given.get(key).is_some_and(|it| is_met(value, it, results));
            wanted.len() == given.len() && wanted.iter().all(is_same)
        }
        (Value::Array(wanted), Value::Array(given)) => {
            wanted.len() == given.len() && wanted.iter().zip(given).all(|(one, other)| is_met(one, other, results))
        }
        (Value::String(text), given) if is_bound(text) => match binding(text) {
            Some((id, path)) => results.get(id).is_some_and(|result| is_field(result, path, given)),
            None => !given.is_null() && given != "",
        },
        _ => same(wanted, given),
    }
}

fn is_bound(text: &str) -> bool {
    text.split('<').skip(1).any(|part| part.contains("_result") && part.contains('>'))
}

/// Whether `given` is the field of the result, or, where the result has no such field, anything that it holds.
fn is_field(result: &Value, path: &str, given: &Value) -> bool {
    match field(result, path) {
        Some(field) => same(field, given) || as_text(field) == as_text(given),
        None => {
            let text = as_text(given);
            !text.is_empty() && as_text(result).contains(&text)
        }
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
