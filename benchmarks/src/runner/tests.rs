//! Runs that stop anywhere, and what of a suite is chosen.

use super::*;
use crate::random::Random;
use crate::task::Expected;
use crate::task::{Solution, ToolSet};
use crate::trace::{End, Trace};

const ARMS: [Arm; 3] = [Arm::Oracle, Arm::All, Arm::Gate(500)];

fn tasks(count: usize) -> Tasks {
    let tool = ("s".to_owned(), serde_json::json!({"name": "a", "inputSchema": {"type": "object"}}));
    let tools = Arc::new(ToolSet::of_values(vec![tool]).unwrap());
    Box::new((0..count).map(move |at| {
        Ok(Task {
            id: format!("t{at}"),
            category: if at % 2 == 0 { "even".into() } else { "odd".into() },
            system: None,
            query: String::new(),
            tools: Arc::clone(&tools),
            expected: Expected::Silence,
            solution: Solution::default(),
            guesses: vec![],
            facts: vec![],
        })
    }))
}

fn line(attempt: &Attempt) -> Line {
    Line {
        n: attempt.n,
        task: attempt.task.id.clone(),
        arm: attempt.arm.to_string(),
        trial: attempt.trial,
        ..Line::default()
    }
}

#[test]
fn a_run_that_stops_anywhere_goes_on_without_loss_or_repetition() {
    let mut random = Random::new(11);
    for _ in 0..200 {
        let (mut record, mut given) = (Vec::<Line>::new(), 0);
        loop {
            let mut runner = Runner::new(tasks(20), &Choice::default(), ARMS.to_vec(), 2);
            record.iter().for_each(|it| runner.resume(it));
            let (mut under_way, stops_after) = (Vec::new(), random.below(40));
            for _ in 0..stops_after {
                under_way.extend(runner.next_attempt());
                // What is under way comes back in any order, or is lost with the process.
                if !under_way.is_empty() && random.below(3) > 0 {
                    let attempt = under_way.swap_remove(random.below(under_way.len()));
                    let line = line(&attempt);
                    assert!(runner.record(&line));
                    record.push(line);
                }
            }
            given += 1;
            if record.len() == 120 {
                break;
            }
        }
        let mut keys: Vec<_> = record.iter().map(|it| (it.n, it.arm.clone(), it.trial)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), given > 1), (120, true));
    }
}

#[test]
fn what_broke_is_given_out_again() {
    let mut runner = Runner::new(tasks(1), &Choice::default(), vec![Arm::All], 1);
    let attempt = runner.next_attempt().unwrap();
    let broken = Trace { end: End::Broken("no network".into()), ..Trace::default() };
    let line = Line { trace: broken, ..line(&attempt) };
    let mut again = Runner::new(tasks(1), &Choice::default(), vec![Arm::All], 1);
    again.resume(&line);
    assert!(again.next_attempt().is_some());
    assert_eq!(again.progress().broken, 1);
}

#[test]
fn filters_and_limits_choose() {
    for (filter, limit, expected) in
        [(None, None, 20), (Some("odd"), None, 10), (Some("t1"), None, 11), (None, Some(3), 3)]
    {
        let choice = Choice { filter: filter.map(str::to_owned), limit };
        let found = survey(tasks(20), &choice, &ARMS, 2);
        assert_eq!((found.tasks, found.attempts), (expected, expected * 6));
    }
}

#[test]
fn surveys_tell_sets_of_tasks_apart() {
    let of = |count| survey(tasks(count), &Choice::default(), &ARMS, 1);
    assert_eq!(of(5), of(5));
    assert_ne!(of(5).task_set, of(6).task_set);
    let broken: Tasks = Box::new(tasks(2).chain([Err("`x.json`: line 3".to_owned())]));
    assert_eq!(survey(broken, &Choice::default(), &ARMS, 1).broken, ["`x.json`: line 3"]);
}
