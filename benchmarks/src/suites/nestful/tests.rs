//! Bindings on hand-made attempts.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::suite::Files;
use crate::trace::Round;

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

fn tasks() -> Vec<Result<Task, String>> {
    let spec = json!([
        {"name": "airport", "description": "Finds.", "query_parameters": {"query": {"type": "string", "required": true}},
            "output_parameters": {"sky": {"type": "object", "properties": {"id": {"type": "integer"}}}}},
        {"name": "flight", "description": "Flies.", "parameters": {"from": {"type": "string", "required": true},
            "to": {"type": "string"}, "adults": {"type": "integer"}}, "output_parameters": {}},
    ]);
    let data = json!([
        {"input": "fly", "output": [
            {"name": "airport", "arguments": {"query": "Rome"}, "label": "var1"},
            {"name": "airport", "arguments": {"query": "Oslo"}, "label": "var2"},
            {"name": "flight", "arguments": {"from": "$var1.sky.id$", "to": "to $var2.sky$", "adults": 2}, "label": "var3"},
            {"name": "var_result", "arguments": {"flights": "$var3$"}}]},
        {"input": "sail", "output": [{"name": "ship", "arguments": {}, "label": "var1"}]},
    ]);
    let files = vec![("x-data.json", data.to_string()), ("x-spec.json", spec.to_string())];
    data::tasks(Arc::new(Memory(files))).unwrap().collect()
}

fn made(tool: &str, given: Value, answer: &str) -> Made {
    let arguments = given.to_string();
    Made {
        name: tool.into(),
        arguments,
        tool: Some(tool.into()),
        given: Some(given),
        status: Status::Ran,
        answer: answer.into(),
    }
}

#[test]
fn bindings_are_fields_of_earlier_results() {
    let task = tasks().remove(0).unwrap();
    assert_eq!(task.solution.calls.iter().map(|it| it.step).collect::<Vec<_>>(), [1, 1, 2]);
    let rome = || made("airport", json!({"query": "Rome"}), r#"{"sky":{"id":7}}"#);
    let oslo = || made("airport", json!({"query": "Oslo"}), r#"{"sky":{"id":8}}"#);
    let flight = |from: Value| made("flight", json!({"from": from, "to": "to 8", "adults": 2}), "booked");
    for (calls, gate, partial) in [
        (vec![rome(), oslo(), flight(json!(7))], None, 1.0),
        (vec![oslo(), rome(), flight(json!("7"))], None, 1.0),
        (vec![rome(), oslo(), flight(json!(8))], Some(Gate::Arguments), 2.0 / 3.0),
        (vec![flight(json!(7)), rome(), oslo()], Some(Gate::Arguments), 2.0 / 3.0),
        (vec![rome(), oslo()], Some(Gate::Selected), 2.0 / 3.0),
        (vec![rome(), oslo(), flight(json!(7)), rome()], Some(Gate::Selected), 1.0),
        (vec![], Some(Gate::Selected), 0.0),
    ] {
        let trace = Trace { rounds: vec![Round { calls: calls.clone(), ..Round::default() }], ..Trace::default() };
        let judged = Nestful.judge(&task, &trace);
        assert_eq!(judged.stopped, gate, "{calls:?}");
        assert!((judged.numbers["partial"] - partial).abs() < 1e-9, "{calls:?}: {judged:?}");
    }
}

#[test]
fn types_of_bound_parameters_are_not_checked_and_unknown_tools_are_named() {
    let found = tasks();
    let task = found[0].as_ref().unwrap();
    let schema = task.tools.schema(1).unwrap();
    assert_eq!(schema["properties"]["from"], json!({}));
    assert_eq!(schema["properties"]["adults"]["type"], "integer");
    assert_eq!(schema["required"], json!(["from"]));
    let error = found[1].as_ref().unwrap_err();
    assert!(error.contains("x-data.json, task 2") && error.contains("`ship`"), "{error}");
}
