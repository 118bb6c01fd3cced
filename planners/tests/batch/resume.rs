//! A job that is stopped after any step goes on as if it had not been.

use std::collections::BTreeSet;

use tollgate_planners::batch::{BatchError, BatchPrompt, Policy, Progress, Prompt, Size, Standing, mix};

use super::support::{items, job, right_lines, task, tokenizer, usage};

fn policy() -> Policy {
    Policy { size: Size::UpTo(5), in_flight: 3, ..Policy::default() }
}

/// Right lines, but for some that are wrong or missing, the same for the same prompt.
fn reply(prompt: &Prompt) -> String {
    let line = |(place, line): (usize, &str)| match mix(&[prompt.id, place as u64]) % 8 {
        0 => String::new(),
        1 => format!("{}\n", line.replace("odd", "even")),
        _ => format!("{line}\n"),
    };
    right_lines(prompt).lines().enumerate().map(line).collect()
}

/// Runs until `steps` prompts were recorded, and stores rows after each as a gateway would.
fn run(batch: &mut BatchPrompt, stored: &mut Progress, steps: usize) -> bool {
    let mut waiting: Vec<Prompt> = Vec::new();
    for _ in 0..steps {
        waiting.extend(batch.next_prompts(0));
        stored.apply(batch.take_changes());
        let Some(prompt) = waiting.pop() else { return true };
        batch.record(prompt.id, &reply(&prompt), usage(&prompt)).unwrap();
        stored.apply(batch.take_changes());
    }
    batch.is_done()
}

#[test]
fn a_job_goes_on_after_any_step() {
    let mut whole = job(items(33), policy());
    let mut stored = whole.progress();
    assert!(run(&mut whole, &mut stored, usize::MAX));
    assert_eq!(stored, whole.progress(), "rows add up to the whole");
    let n_steps = whole.report().calls as usize;
    for steps in 0..=n_steps {
        let mut first = job(items(33), policy());
        let mut stored = first.progress();
        run(&mut first, &mut stored, steps);
        drop(first);
        let stored = serde_json::to_string(&stored).unwrap();
        let progress: Progress = serde_json::from_str(&stored).unwrap();
        let settled: BTreeSet<usize> =
            (0..33).filter(|item| progress.items[*item].standing == Standing::Settled).collect();
        let planned: usize = progress.planned.len();
        let mut second = BatchPrompt::resume(task(), items(33), policy(), tokenizer(), progress.clone()).unwrap();
        let again = second.next_prompts(0);
        assert!(planned == 0 || again.len() == planned.min(3), "{steps}: what was on its way is given out again");
        for id in again.iter().flat_map(|prompt| &prompt.items) {
            assert!(!settled.contains(&super::support::number(id)), "{steps}: {id} was settled");
        }
        let mut second = BatchPrompt::resume(task(), items(33), policy(), tokenizer(), progress).unwrap();
        let mut rows = second.progress();
        run(&mut second, &mut rows, usize::MAX);
        assert_eq!(second.answers(), whole.answers(), "after {steps} steps");
        assert_eq!(second.report(), whole.report(), "after {steps} steps");
    }
}

#[test]
fn a_state_of_other_items_is_refused() {
    let mut batch = job(items(5), policy());
    batch.next_prompts(0);
    let progress = batch.progress();
    let resume = |n_items| BatchPrompt::resume(task(), items(n_items), policy(), tokenizer(), progress.clone());
    assert!(resume(5).is_ok());
    assert_eq!(resume(4).unwrap_err(), BatchError::Progress(4));
}
