//! Each gate, and each way to be right.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::task::{Arguments, Solution, ToolSet};
use crate::trace::Round;

fn task(expected: Expected) -> Task {
    let tool = |name: &str| ("s".to_owned(), json!({"name": name, "inputSchema": {"type": "object"}}));
    Task {
        id: "t".into(),
        category: "c".into(),
        system: None,
        query: "q".into(),
        tools: Arc::new(ToolSet::of_values(vec![tool("a"), tool("b"), tool("c")]).unwrap()),
        expected,
        solution: Solution::default(),
        guesses: vec![],
        facts: vec![],
    }
}

fn want(id: &str, step: u32, tool: &str, arguments: Value) -> ExpectedCall {
    ExpectedCall { id: id.into(), step, tools: vec![tool.into()], arguments: Arguments::Equal(arguments) }
}

fn made(tool: &str, given: Value, status: Status) -> Made {
    let is_read = status != Status::Unparsable;
    Made {
        name: tool.into(),
        arguments: given.to_string(),
        tool: Some(tool.into()),
        given: is_read.then_some(given),
        status,
        answer: "it is 42 now".into(),
    }
}

fn trace(calls: Vec<Made>) -> Trace {
    Trace { rounds: vec![Round { calls, ..Round::default() }], ..Trace::default() }
}

fn check(expected: Expected, trace: &Trace, gate: Option<Gate>) {
    let judged = judge(&task(expected), trace);
    assert_eq!((judged.stopped, judged.solved), (gate, gate.is_none()), "{trace:?}");
}

#[test]
fn each_failed_attempt_stops_at_one_gate() {
    use Status::{Failed, Invalid, Ran, Unknown, Unparsable};
    let expected =
        || Expected::Calls(vec![want("1", 1, "a", json!({"x": 1})), want("2", 2, "b", json!({"y": "<1_result>"}))]);
    let a = |status| made("a", json!({"x": 1.0}), status);
    let b = |status| made("b", json!({"y": 42}), status);
    for (calls, gate) in [
        (vec![a(Ran), b(Ran)], None),
        (vec![made("a", json!({}), Invalid), a(Ran), b(Ran)], None),
        (vec![made("a", json!({}), Unparsable), a(Ran), b(Ran)], None),
        (vec![], Some(Gate::Selected)),
        (vec![a(Ran)], Some(Gate::Selected)),
        (vec![a(Ran), made("c", json!({}), Ran)], Some(Gate::Selected)),
        (vec![a(Ran), b(Ran), b(Ran)], Some(Gate::Selected)),
        (vec![a(Unknown), b(Ran)], Some(Gate::Selected)),
        (vec![a(Unparsable), b(Ran)], Some(Gate::Unparsable)),
        (vec![a(Invalid), b(Ran)], Some(Gate::Arguments)),
        (vec![made("a", json!({"x": 2}), Ran), b(Ran)], Some(Gate::Arguments)),
        (vec![a(Ran), made("b", json!({"y": "43"}), Ran)], Some(Gate::Arguments)),
        (vec![a(Failed), b(Ran)], Some(Gate::Executed)),
        (vec![b(Ran), a(Ran)], Some(Gate::Outcome)),
    ] {
        check(expected(), &trace(calls), gate);
    }
    let unseen = Trace { unseen: vec!["b".into()], ..trace(vec![a(Ran)]) };
    check(expected(), &unseen, Some(Gate::Retrieved));
    let endless = Trace { end: End::OutOfRounds, ..trace(vec![a(Ran), b(Ran)]) };
    check(expected(), &endless, Some(Gate::Outcome));
}

#[test]
fn calling_nothing_is_right_only_where_nothing_is_wanted() {
    check(Expected::Silence, &trace(vec![]), None);
    check(Expected::Silence, &trace(vec![made("a", json!({}), Status::Ran)]), Some(Gate::Selected));
    // A call that cannot be read is no abstention.
    check(Expected::Silence, &trace(vec![made("a", json!({}), Status::Unparsable)]), Some(Gate::Unparsable));
}

#[test]
fn calls_of_one_step_may_come_in_any_order() {
    let expected = || Expected::Calls(vec![want("1", 1, "a", json!({"x": 1})), want("2", 1, "a", json!({"x": 2}))]);
    let call = |x| made("a", json!({"x": x}), Status::Ran);
    check(expected(), &trace(vec![call(2), call(1)]), None);
    check(expected(), &trace(vec![call(1), call(1)]), Some(Gate::Arguments));
}

#[test]
fn the_final_state_counts_whatever_the_way() {
    let with = |state, calls| Trace { state, ..trace(calls) };
    let expected = || Expected::State(vec![json!({}), json!({})]);
    check(expected(), &with(vec![true, true], vec![]), None);
    check(expected(), &with(vec![true, false], vec![]), Some(Gate::Outcome));
    check(expected(), &with(vec![false, true], vec![made("a", json!({}), Status::Failed)]), Some(Gate::Executed));
}

#[test]
fn accepted_values_are_read_as_bfcl_writes_them() {
    let Value::Object(wanted) = json!({"city": ["Rome", "Roma"], "unit": ["", "C"], "n": [3]}) else { return };
    for (given, expected) in [
        (json!({"city": "Roma", "n": 3}), true),
        (json!({"city": "Rome", "n": 3.0, "unit": "C"}), true),
        (json!({"city": "Rome"}), false),
        (json!({"city": "Paris", "n": 3}), false),
        (json!({"city": "Rome", "n": 3, "more": 1}), false),
    ] {
        assert_eq!(accepts(&Arguments::Accepted(wanted.clone()), &given, &Results::new()), expected, "{given}");
    }
}

#[test]
fn bindings_are_found() {
    assert_eq!(bindings("<1_result>"), ["1"]);
    assert_eq!(bindings("a <1_result> b <step2_result>"), ["1", "step2"]);
    assert!(bindings("1_result < 2 > <_result>").is_empty());
}
