//! The formulas on hand-made attempts and files.

use std::sync::Arc;

use serde_json::json;

use super::paper::{PassAtK, Verdict, pass_at_k};
use super::*;
use crate::suite::Files;
use crate::table::Cell;
use crate::task::{Arguments, Expected, ExpectedCall};
use crate::trace::{Line, Made, Round, Status};

struct Memory(Vec<(&'static str, String)>);

impl Files for Memory {
    fn list(&self) -> Result<Vec<String>, String> {
        Ok(self.0.iter().map(|(path, _)| (*path).to_owned()).collect())
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| format!("`{path}` is not there"))
    }
}

fn entry(label: &serde_json::Value, as_text: bool) -> serde_json::Value {
    let tools = json!([
        {"name": "open", "description": "Opens.", "input_schema": {"type": "object"}},
        {"name": "visit", "description": "Visits.", "input_schema": {"type": "object"}},
        {"name": "shoot", "description": "Shoots.", "input_schema": {"type": "object"}},
    ]);
    let servers = json!({"a": ["open", "shoot"], "b": [{"name": "visit"}]});
    let written = |value: &serde_json::Value| if as_text { json!(value.to_string()) } else { value.clone() };
    json!({"uuid": "1", "category": "browser", "call_type": "single", "query": "go", "tools": written(&tools),
        "mcp_tools_dict": written(&servers), "function_call_label": written(label)})
}

fn two_steps() -> serde_json::Value {
    json!([
        {"name": "open", "step": "1", "id": "1", "mcp_server": "a", "input": {"url": "u"},
            "similar_tools": [{"name": "visit", "mcp_server": "b"}], "output": {"status_code": 200, "result": {"page": "p7"}}},
        {"name": "shoot", "step": 2, "id": 2, "mcp_server": "a", "input": {"page": "<1_result>"}, "output": {}},
    ])
}

fn tasks(files: Vec<(&'static str, String)>) -> Vec<Result<Task, String>> {
    data::tasks(Arc::new(Memory(files))).unwrap().collect()
}

fn made(tool: &str, given: serde_json::Value, answer: &str, status: Status) -> Made {
    let arguments = given.to_string();
    Made { name: tool.into(), arguments, tool: Some(tool.into()), given: Some(given), status, answer: answer.into() }
}

#[test]
fn json_inside_strings_is_read_and_broken_files_are_named() {
    let label = two_steps();
    let good = json!([entry(&label, true), entry(&label, false)]).to_string();
    let unknown = json!([{"name": "fly", "step": "1", "id": "1", "input": {}}]);
    let found = tasks(vec![
        ("a/broken.json", "[{\"query\": 1,}]".to_owned()),
        ("a/good.json", good),
        ("b/odd.json", json!([entry(&unknown, false), {"query": "q"}]).to_string()),
        ("readme.md", "no data".to_owned()),
    ]);
    let errors: Vec<&String> = found.iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with("a/broken.json") && errors[0].contains("line 1 column"), "{}", errors[0]);
    assert!(errors[1].contains("b/odd.json#1") && errors[1].contains("`fly`"), "{}", errors[1]);
    assert!(errors[2].contains("b/odd.json#2") && errors[2].contains("tools"), "{}", errors[2]);
    let good: Vec<&Task> = found.iter().filter_map(|it| it.as_ref().ok()).collect();
    assert_eq!(good.len(), 2);
    assert_eq!(good[0].expected, good[1].expected);
    assert_eq!(good[0].tools.defs[1].server, "b");
    let Expected::Calls(calls) = &good[0].expected else { panic!("no calls") };
    assert_eq!(calls[0].tools, ["open", "visit"]);
    assert_eq!((calls[0].step, calls[1].step, calls[1].id.as_str()), (1, 2, "2"));
    assert_eq!(good[0].solution.calls[0].result.as_deref(), Some(r#"{"page":"p7"}"#));
}

/// Rows: the calls of an attempt, then tool, output, AST, and whether it is solved by the stricter rule.
#[test]
fn attempts_score_as_the_formulas_say() {
    let one = json!([two_steps()[0]]);
    let of = |label: &serde_json::Value| {
        tasks(vec![("x.json", json!([entry(label, false)]).to_string())]).remove(0).unwrap()
    };
    let (single, multi) = (of(&one), of(&two_steps()));
    let open = |answer, status| made("open", json!({"url": "u"}), answer, status);
    let shoot = |page: &str| made("shoot", json!({"page": page}), "shot", Status::Ran);
    let page = r#"{"page":"p7"}"#;
    for (task, calls, [tool, output, ast, solved]) in [
        (&single, vec![open(page, Status::Ran)], [true, true, true, true]),
        (&single, vec![open("", Status::Ran)], [true, false, true, true]),
        (&single, vec![open("{}", Status::Ran)], [true, false, true, true]),
        (&single, vec![open(r#"{"status_code": 500}"#, Status::Ran)], [true, false, true, true]),
        (&single, vec![open(r#"{"success": false}"#, Status::Ran)], [true, false, true, true]),
        (&single, vec![open("broken", Status::Failed)], [true, false, true, false]),
        (&single, vec![made("visit", json!({"url": "u"}), page, Status::Ran)], [true, true, false, true]),
        (&single, vec![made("shoot", json!({"url": "u"}), page, Status::Ran)], [false, true, false, false]),
        (&single, vec![made("open", json!({"url": "v"}), page, Status::Ran)], [true, true, false, false]),
        (&single, vec![], [false, false, false, false]),
        (&single, vec![open(page, Status::Ran), shoot("p7")], [false, false, false, false]),
        (&multi, vec![open(page, Status::Ran), shoot("p7")], [true, true, false, true]),
        (&multi, vec![open(page, Status::Ran), shoot("<1_result>")], [true, true, true, true]),
        (&multi, vec![shoot("p7"), open(page, Status::Ran)], [false, true, false, false]),
    ] {
        let Expected::Calls(expected) = &task.expected else { panic!("no calls") };
        let verdict = Verdict::of(expected, &calls.iter().collect::<Vec<_>>());
        assert_eq!(verdict, Verdict { tool, output, ast }, "{calls:?}");
        let trace = Trace { rounds: vec![Round { calls: calls.clone(), ..Round::default() }], ..Trace::default() };
        let judged = McpToolBench.judge(task, &trace);
        assert_eq!(judged.solved, solved, "{calls:?}: {judged:?}");
        assert_eq!(judged.numbers["pass"], f64::from(u8::from(tool && output && ast)), "{calls:?}");
        assert_eq!(judged.numbers["parameter"], f64::from(u8::from(tool && ast)), "{calls:?}");
    }
}

#[test]
fn calls_of_one_step_come_in_any_order() {
    let mut label = two_steps();
    label[1]["step"] = json!("1");
    label[1]["input"] = json!({"page": "p"});
    let task = tasks(vec![("x.json", json!([entry(&label, false)]).to_string())]).remove(0).unwrap();
    let calls = vec![
        made("shoot", json!({"page": "p"}), "shot", Status::Ran),
        made("open", json!({"url": "u"}), "opened", Status::Ran),
    ];
    let trace = Trace { rounds: vec![Round { calls, ..Round::default() }], ..Trace::default() };
    let judged = McpToolBench.judge(&task, &trace);
    assert!(judged.solved && judged.numbers["dag"] >= 1.0, "{judged:?}");
}

#[test]
fn pass_at_k_is_the_unbiased_estimate() {
    for (n, c, k, expected) in [
        (5, 0, 1, Some(0.0)),
        (5, 2, 1, Some(0.4)),
        (5, 2, 3, Some(0.9)),
        (5, 1, 5, Some(1.0)),
        (5, 5, 3, Some(1.0)),
        (3, 1, 2, Some(2.0 / 3.0)),
        (1, 1, 2, None),
    ] {
        match (pass_at_k(n, c, k), expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12, "{n} {c} {k}: {found}"),
            (found, expected) => assert_eq!(found, expected, "{n} {c} {k}"),
        }
    }
}

#[test]
fn the_table_has_means_over_tasks() {
    let mut tally = PassAtK::default();
    // Of five attempts each, the first task passes two and has the tool in four; the second passes none.
    for trial in 0..5u32 {
        let numbers = |pass: bool, tool: bool| {
            let of = |name: &str, holds: bool| (name.to_owned(), f64::from(u8::from(holds)));
            [of("pass", pass), of("tool", tool), of("parameter", pass)].into_iter().collect()
        };
        let line =
            |n, numbers| Line { n, trial, arm: "all".into(), category: "map".into(), numbers, ..Line::default() };
        tally.add(&line(0, numbers(trial < 2, trial < 4)), None);
        tally.add(&line(1, numbers(false, false)), None);
    }
    let tables = tally.tables();
    let at = |k: u64| tables[0].rows.iter().find(|row| row[4] == Cell::Count(k)).unwrap()[5..].to_vec();
    let close = |cells: &[Cell], expected: [f64; 3]| {
        for (cell, expected) in cells.iter().zip(expected) {
            assert!(matches!(cell, Cell::Number(found) if (found - expected).abs() < 1e-9), "{cells:?}");
        }
    };
    close(&at(1), [20.0, 40.0, 20.0]);
    close(&at(3), [45.0, 50.0, 45.0]);
    close(&at(5), [50.0, 50.0, 50.0]);
}

#[test]
fn only_equal_arguments_are_the_label() {
    let want = ExpectedCall { id: "1".into(), step: 1, tools: vec!["a".into()], arguments: Arguments::Any };
    let call = made("a", json!({}), "x", Status::Ran);
    assert!(!Verdict::of(&[want], &[&call]).ast);
}
