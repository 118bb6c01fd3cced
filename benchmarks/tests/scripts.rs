//! Scripted models on every generated suite: the ceiling is reached, the floors are where they must be, and every failed
//! attempt stops at one gate.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_benchmarks::arm::{Arm, Shelf};
use tollgate_benchmarks::episode::{Episode, Rules};
use tollgate_benchmarks::host::Mock;
use tollgate_benchmarks::random::Random;
use tollgate_benchmarks::runner::arms_for;
use tollgate_benchmarks::score::{Gate, Judgement};
use tollgate_benchmarks::scripted::script;
use tollgate_benchmarks::suite::{Opened, Setting, Suite};
use tollgate_benchmarks::suites::SUITES;
use tollgate_benchmarks::task::{Expected, Task};
use tollgate_benchmarks::trace::Trace;
use tollgate_tokenizers::Tokenizer;

const ARMS: [Arm; 4] = [Arm::Oracle, Arm::All, Arm::Gate(500), Arm::Gate(2000)];

fn setting() -> Setting {
    Setting {
        files: None,
        distractors: None,
        seed: 3,
        tokenizer: Tokenizer::by_name("o200k_base").unwrap(),
        lengths: vec![600],
        tasks_per_cell: 2,
        budgets: vec![],
        options: BTreeMap::new(),
    }
}

/// The suites that need no data.
fn generated() -> Vec<&'static dyn Suite> {
    SUITES.iter().copied().filter(|it| it.data().is_none()).collect()
}

struct Attempt {
    task: Arc<Task>,
    arm: Arm,
    trace: Trace,
    judged: Judgement,
    /// Tools that were to be seen.
    n_seen: usize,
}

fn attempts(suite: &'static dyn Suite, name: &str) -> Vec<Attempt> {
    let Opened::Tasks(tasks) = suite.open(&setting()).unwrap() else { panic!("{} has no tasks", suite.name()) };
    let (script, host, mut shelf) = (script(name).unwrap(), Mock::default(), None::<Arc<Shelf>>);
    let mut attempts = Vec::new();
    for task in tasks.map(|it| Arc::new(it.unwrap())) {
        let fresh = || Arc::new(Shelf::new(Arc::clone(&task.tools), setting().tokenizer));
        let shelf = shelf.take_if(|it| it.tools.hash == task.tools.hash).unwrap_or_else(fresh);
        for &arm in arms_for(&task, &ARMS) {
            let listing = shelf.list(arm, &task).unwrap();
            let n_seen = listing.visible.len();
            let mut episode = Episode::new(Arc::clone(&task), Arc::clone(&shelf), listing, Rules::default());
            let mut turn = 0;
            while !episode.is_over() {
                let mut random = Random::of(9, &[&task.id, &arm.to_string(), &turn.to_string()]);
                for call in episode.replied((script.reply)(&episode, &mut random)) {
                    let (ran, _) = host.call(&task, call.tool, &call.arguments);
                    episode.ran(&call, &ran);
                }
                turn += 1;
            }
            let trace = episode.into_trace(vec![]);
            let judged = suite.judge(&task, &trace);
            attempts.push(Attempt { task: Arc::clone(&task), arm, trace, judged, n_seen });
        }
    }
    attempts
}

#[test]
fn the_oracle_solves_everything() {
    for suite in generated() {
        for it in attempts(suite, "oracle") {
            assert!(it.judged.solved, "{} {} {}: {:?} {:#?}", suite.name(), it.task.id, it.arm, it.judged, it.trace);
        }
    }
}

#[test]
fn the_abstainer_solves_abstentions_only() {
    for suite in generated() {
        for it in attempts(suite, "abstainer") {
            let is_abstention = it.task.expected == Expected::Silence;
            assert_eq!(it.judged.solved, is_abstention, "{} {} {}", suite.name(), it.task.id, it.arm);
        }
    }
}

#[test]
fn a_random_model_is_at_chance() {
    for suite in generated() {
        let (mut right, mut mean, mut variance) = (0.0, 0.0, 0.0);
        for it in attempts(suite, "random") {
            let chance = match &it.task.expected {
                Expected::Text(_) => 1.0 / it.task.guesses.len() as f64,
                // One call of one tool among those that are seen; of several calls never all, and never none.
                Expected::Calls(calls) if calls.len() == 1 && it.trace.unseen.is_empty() => 1.0 / it.n_seen as f64,
                // The oracle's list of a task that needs no tool is empty, and leaves nothing to call.
                Expected::Silence if it.n_seen == 0 => 1.0,
                _ => 0.0,
            };
            let is_text = matches!(it.task.expected, Expected::Text(_));
            let has_tool = !matches!(it.judged.stopped, Some(Gate::Retrieved | Gate::Selected));
            right += f64::from(u8::from(if is_text { it.judged.solved } else { has_tool }));
            mean += chance;
            variance += chance * (1.0 - chance);
        }
        assert!(
            (right - mean).abs() <= 4.0 * variance.sqrt() + 1.0,
            "{}: {right} right, {mean} by chance",
            suite.name()
        );
    }
}

#[test]
fn every_failed_attempt_stops_at_one_gate() {
    for suite in generated() {
        for name in ["random", "first-tool", "name-match", "searcher"] {
            for it in attempts(suite, name) {
                assert_eq!(it.judged.solved, it.judged.stopped.is_none(), "{} {}", suite.name(), it.task.id);
                assert!((0.0..=1.0).contains(&it.judged.score));
            }
        }
    }
}

#[test]
fn searches_are_paid_for_and_lists_stay_in_their_budget() {
    let suite = *generated().iter().find(|it| it.name() == "synthetic-tools").unwrap();
    let attempts = attempts(suite, "oracle");
    for it in attempts.iter().filter(|it| it.arm == Arm::Gate(500)) {
        for round in &it.trace.rounds {
            assert!(round.parts.meta_tools + round.parts.tools <= 500, "{:?}", round.parts);
        }
        let searched = it.trace.rounds.iter().flat_map(|it| &it.calls).any(|it| it.name == "search_tools");
        let paid = it.trace.rounds.last().map_or(0, |it| it.parts.results);
        assert!(!searched || paid > 50, "{}: a search cost {paid} tokens", it.task.id);
    }
    let tokens = |arm: Arm| attempts.iter().filter(|it| it.arm == arm).map(|it| it.trace.usage().total()).sum::<u64>();
    assert!(tokens(Arm::Gate(2000)) < tokens(Arm::All) / 2);
}
