//! The benchmark's own metrics, as its runner computes them.
//!
//! Of an attempt: the tool is right if its name is the label's or a similar one's; the output is right if the call
//! succeeded and gave something; the parameters are right if the calls equal the label's (its runner asks a judge where
//! they do not, which is not done here). An attempt passes if all three hold, and parameters count only with the tool.
//! Of a task: 1 - C(n - c, k) / C(n, k) for c of n attempts; of a category: the mean.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::score::same;
use crate::suite::Tally;
use crate::table::{Cell, Table};
use crate::task::{Arguments, Expected, ExpectedCall, Task};
use crate::trace::{Line, Made, Status, Trace};

const METRICS: [&str; 3] = ["pass", "tool", "parameter"];

/// What holds of one attempt, each 0 or 1.
pub(super) fn numbers(task: &Task, trace: &Trace) -> BTreeMap<String, f64> {
    let made: Vec<&Made> = trace.calls().map(|(_, made)| made).collect();
    let expected: &[ExpectedCall] = if let Expected::Calls(calls) = &task.expected { calls } else { &[] };
    let verdict = Verdict::of(expected, &made);
    let of = |name: &str, holds: bool| (name.to_owned(), f64::from(u8::from(holds)));
    BTreeMap::from([
        of("tool", verdict.tool),
        of("output", verdict.output),
        of("ast", verdict.ast),
        of("parameter", verdict.tool && verdict.ast),
        of("pass", verdict.tool && verdict.output && verdict.ast),
    ])
}

/// The three questions of the benchmark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tool: bool,
    pub(super) output: bool,
    pub(super) ast: bool,
}

impl Verdict {
    pub(super) fn of(expected: &[ExpectedCall], made: &[&Made]) -> Self {
        let pairs = || expected.iter().zip(made);
        let is_tool =
            |(want, it): (&ExpectedCall, &&Made)| it.tool.as_ref().is_some_and(|name| want.tools.contains(name));
        let is_label =
            |(want, it): (&ExpectedCall, &&Made)| it.tool == want.tools.first().cloned() && is_equal(want, it);
        let is_whole = !expected.is_empty() && expected.len() == made.len();
        Self {
            tool: is_whole && pairs().all(is_tool),
            output: is_whole && made.iter().all(|it| succeeded(it)),
            ast: is_whole && pairs().all(is_label),
        }
    }
}

fn is_equal(want: &ExpectedCall, made: &Made) -> bool {
    let Arguments::Equal(wanted) = &want.arguments else { return false };
    made.given.as_ref().is_some_and(|given| same(wanted, given))
}

/// Status 200, success, and something in it.
fn succeeded(made: &Made) -> bool {
    let is_empty = matches!(made.answer.trim(), "" | "{}" | "[]" | "null" | "\"\"");
    let is_failure = |answer: Value| {
        let status = answer["status_code"].as_u64().is_some_and(|code| code != 200);
        status || answer["success"] == false || answer["result"]["success"] == false
    };
    let failed = serde_json::from_str(&made.answer).is_ok_and(is_failure);
    made.status == Status::Ran && !is_empty && !failed
}

/// `1 - C(n - c, k) / C(n, k)` (Chen et al., arXiv 2107.03374); nothing where there are fewer than `k` attempts.
pub(super) fn pass_at_k(n: u64, c: u64, k: u64) -> Option<f64> {
    if k > n || k == 0 {
        return None;
    }
    if n - c < k {
        return Some(1.0);
    }
    Some(1.0 - (n - c + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product::<f64>())
}

/// Attempts at a task: all of them, and how many passed by each metric.
#[derive(Clone, Copy, Default)]
struct Attempts {
    n: u64,
    right: [u64; METRICS.len()],
}

/// pass@k, `tool_pass@k` and `parameter_pass@k` by arm and category.
#[derive(Default)]
pub(super) struct PassAtK {
    tasks: BTreeMap<(String, String), BTreeMap<u64, Attempts>>,
}

impl Tally for PassAtK {
    fn add(&mut self, line: &Line, _: Option<&Task>) {
        let key = (line.arm.clone(), line.category.clone());
        let attempts = self.tasks.entry(key).or_default().entry(line.n).or_default();
        attempts.n += 1;
        for (right, metric) in attempts.right.iter_mut().zip(METRICS) {
            *right += u64::from(line.numbers.get(metric).is_some_and(|number| *number >= 1.0));
        }
    }

    fn tables(&self) -> Vec<Table> {
        let columns = ["arm", "category", "tasks", "attempts", "k", "pass@k", "tool_pass@k", "parameter_pass@k"];
        let mut table = Table::new("paper", "MCPToolBench++'s own metrics, %", &columns);
        table.notes.push("No judge: parameters are right only where the calls equal the label's.".to_owned());
        for ((arm, category), tasks) in &self.tasks {
            let most = tasks.values().map(|it| it.n).min().unwrap_or(0);
            for k in (1..=most).filter(|k| *k == 1 || *k == 3 || *k == most) {
                let mean = |metric: usize| {
                    let each = tasks.values().filter_map(|it| pass_at_k(it.n, it.right[metric], k));
                    Cell::Number(100.0 * each.sum::<f64>() / tasks.len().max(1) as f64)
                };
                let mut row = vec![Cell::Text(arm.clone()), Cell::Text(category.clone())];
                row.push(Cell::Count(tasks.len() as u64));
                row.push(Cell::Count(tasks.values().map(|it| it.n).sum()));
                row.push(Cell::Count(k));
                row.extend((0..METRICS.len()).map(mean));
                table.row(row);
            }
        }
        vec![table]
    }
}
