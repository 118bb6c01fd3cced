//! Sums and metrics of records with known outcomes.

use super::*;
use crate::trace::Trace;

fn line(n: u64, arm: &str, solved: bool, tokens: u64) -> Line {
    Line {
        n,
        arm: arm.into(),
        category: if n.is_multiple_of(2) { "even".into() } else { "odd".into() },
        solved,
        stopped: (!solved).then_some(Gate::Retrieved),
        usage: Usage { input: tokens, ..Usage::default() },
        ..Line::default()
    }
}

fn summary() -> Summary {
    let mut summary = Summary::new(&["oracle".into(), "all".into(), "gate@500".into()]);
    for n in 0..100 {
        summary.add(&line(n, "gate@500", n % 10 < 7, 200));
        summary.add(&line(n, "oracle", n % 10 < 9, 100));
        summary.add(&line(n, "all", n % 10 < 8, 1000));
    }
    summary
}

#[test]
fn arms_are_set_against_each_other() {
    let (summary, gate) = (summary(), Arm::Gate(500));
    for (name, expected) in [
        ("accuracy", 0.7),
        ("accuracy_kept", 0.7 / 0.9),
        ("tokens_saved", 0.8),
        ("tokens_per_solved", 200.0 / 0.7),
        ("retrieved", 0.7),
        ("unparsable", 0.0),
        ("broken", 0.0),
    ] {
        let value = summary.metric(name, gate).unwrap();
        assert!((value - expected).abs() < 1e-9, "{name}: {value}");
    }
    assert_eq!(summary.metric("accuracy", Arm::Gate(1)), None);
    assert_eq!(summary.discordant(gate, Arm::Oracle), Discordant { first_only: 0, second_only: 20 });
    assert_eq!(summary.discordant(Arm::Oracle, gate), Discordant { first_only: 20, second_only: 0 });
    assert!(summary.pending.is_empty());
}

#[test]
fn every_attempt_is_in_every_table() {
    let tables = summary().tables();
    let names: Vec<&str> = tables.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["arms", "costs", "gates", "categories", "tests"]);
    let gates = tables[2].json();
    for (row, (solved, retrieved)) in [(90, 10), (80, 20), (70, 30)].iter().enumerate() {
        assert_eq!(
            (&gates["rows"][row]["solved"], &gates["rows"][row]["retrieved"]),
            (&(*solved).into(), &(*retrieved).into())
        );
    }
}

#[test]
fn what_broke_counts_for_nothing() {
    let mut summary = summary();
    let trace = Trace { end: crate::trace::End::Broken("away".into()), ..Trace::default() };
    summary.add(&Line { trace, ..line(100, "all", false, 5) });
    assert_eq!((summary.arm(Arm::All).unwrap().attempts, summary.broken), (100, 1));
}
