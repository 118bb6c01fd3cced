//! BFCL's rules on hand-made attempts.

use std::sync::Arc;

use serde_json::{Value, json};

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

fn line(id: &str) -> String {
    let function = |name: &str| {
        json!({"name": name, "description": "Does.", "parameters": {"type": "dict", "required": ["city"],
            "properties": {"city": {"type": "string"}, "days": {"type": "float"}, "more": {"type": "any"}}}})
    };
    let question = json!([[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "go"}]]);
    json!({"id": id, "question": question, "function": [function("map.weather"), function("news")]}).to_string()
}

fn tasks(category: &str, truth: Option<Value>) -> Vec<Result<Task, String>> {
    let (questions, answers): (&'static str, &'static str) = match category {
        "parallel" => ("BFCL_v4_parallel.jsonl", "possible_answer_parallel.jsonl"),
        "irrelevance" => ("BFCL_v4_irrelevance.jsonl", "none"),
        _ => ("BFCL_v4_live_relevance.jsonl", "none"),
    };
    let mut files = vec![(questions, line("p_0")), ("BFCL_v4_multi_turn_base.jsonl", "not read".to_owned())];
    files.extend(truth.map(|truth| (answers, json!({"id": "p_0", "ground_truth": truth}).to_string())));
    data::tasks(Arc::new(Memory(files)), 1).unwrap().collect()
}

fn task(category: &str, truth: Option<Value>) -> Task {
    tasks(category, truth).remove(0).unwrap()
}

fn made(tool: &str, given: Value, status: Status) -> Made {
    let is_read = status != Status::Unparsable;
    Made {
        name: tool.into(),
        arguments: given.to_string(),
        tool: is_read.then(|| tool.into()),
        given: is_read.then_some(given),
        status,
        answer: String::new(),
    }
}

fn trace(rounds: Vec<Vec<Made>>) -> Trace {
    Trace { rounds: rounds.into_iter().map(|calls| Round { calls, ..Round::default() }).collect(), ..Trace::default() }
}

#[test]
fn parallel_calls_come_in_any_order() {
    let truth = json!([{"map.weather": {"city": ["Rome", "Roma"], "days": [2.5, ""]}}, {"news": {"city": ["Oslo"]}}]);
    let task = task("parallel", Some(truth));
    let name = task.tools.defs[0].exposed.clone();
    let rome = || made(&name, json!({"city": "rome", "days": 2.5}), Status::Ran);
    let oslo = || made("news", json!({"city": "Oslo"}), Status::Ran);
    for (rounds, gate, first_turn) in [
        (vec![vec![rome(), oslo()]], None, 1.0),
        (vec![vec![oslo(), rome()]], None, 1.0),
        (vec![vec![rome()], vec![oslo()]], None, 0.0),
        (vec![vec![rome()]], Some(Gate::Selected), 0.0),
        (vec![vec![rome(), rome()]], Some(Gate::Selected), 0.0),
        (vec![vec![rome(), oslo(), oslo()]], Some(Gate::Selected), 0.0),
        (vec![vec![rome(), made("news", json!({"city": "Bergen"}), Status::Ran)]], Some(Gate::Arguments), 0.0),
        (vec![vec![rome(), made("news", json!({}), Status::Unparsable)]], Some(Gate::Unparsable), 0.0),
        (vec![], Some(Gate::Selected), 0.0),
    ] {
        let judged = Bfcl.judge(&task, &trace(rounds.clone()));
        assert_eq!(judged.stopped, gate, "{rounds:?}");
        assert_eq!(judged.numbers["first_turn"], first_turn, "{rounds:?}");
    }
}

#[test]
fn calling_is_judged_where_calling_is_the_question() {
    let call = || made("news", json!({"city": "x"}), Status::Ran);
    let unreadable = || made("news", json!({}), Status::Unparsable);
    for (category, calls, gate) in [
        ("irrelevance", vec![], None),
        ("irrelevance", vec![call()], Some(Gate::Selected)),
        ("irrelevance", vec![unreadable()], Some(Gate::Unparsable)),
        ("live_relevance", vec![], Some(Gate::Selected)),
        ("live_relevance", vec![call()], None),
        ("live_relevance", vec![unreadable()], Some(Gate::Unparsable)),
    ] {
        let judged = Bfcl.judge(&task(category, None), &trace(vec![calls.clone()]));
        assert_eq!(judged.stopped, gate, "{category} {calls:?}");
    }
}

#[test]
fn types_are_translated_and_mistakes_in_the_data_are_named() {
    let task = task("irrelevance", None);
    assert_eq!(task.system.as_deref(), Some("Be brief."));
    let schema = task.tools.schema(0).unwrap();
    assert_eq!((&schema["type"], &schema["properties"]["days"]["type"]), (&json!("object"), &json!("number")));
    assert_eq!(schema["properties"]["more"], json!({}));
    let unknown = tasks("parallel", Some(json!([{"fly": {}}]))).remove(0).unwrap_err();
    assert!(unknown.contains("BFCL_v4_parallel.jsonl:1") && unknown.contains("`fly`"), "{unknown}");
    let missing = tasks("parallel", None).remove(0).unwrap_err();
    assert!(missing.contains("possible_answer_parallel.jsonl"), "{missing}");
}
