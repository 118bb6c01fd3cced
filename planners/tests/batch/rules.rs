//! The rules of planning, a row or a test each.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_planners::batch::{
    BatchError, BatchPrompt, Budget, CurvePoint, Ended, Failure, Item, Limits, Order, Policy, Size, Standing, Stop,
    Task, Unanswered, third,
};

use tollgate_tokenizers::{TOKENIZERS, Tokenizer};

use super::support::{drive, items, job, number, parity, right_lines, task, tokenizer, usage};

#[test]
fn every_item_gets_its_own_answer() {
    for (size, order) in
        [(Size::UpTo(7), Order::Balanced), (Size::Fixed(100), Order::Shuffled), (Size::Auto, Order::AsGiven)]
    {
        let mut batch = job(items(100), Policy { size, order, ..Policy::default() });
        drive(&mut batch, right_lines);
        for answer in batch.answers() {
            assert_eq!(answer.label.as_deref(), Some(parity(number(&answer.id))), "{answer:?}");
            assert_eq!(answer.standing, Standing::Settled);
        }
        assert_eq!(batch.report().ended, Some(Ended::Settled));
    }
}

/// How often an only item is asked that is answered so: capitals are confident.
fn check_stop(stop: Stop, rounds: u32, said: &str, expected: usize) {
    let mut batch = job(items(1), Policy { stop, rounds, ..Policy::default() });
    let mut said = said.chars().cycle();
    let sent = drive(&mut batch, |_| {
        let (label, sure) = match said.next().unwrap() {
            'E' => ("even", "confident"),
            'O' => ("odd", "confident"),
            'e' => ("even", "not confident"),
            _ => ("odd", "not confident"),
        };
        format!("Label for Input 0: {label} ({sure})")
    });
    assert_eq!(sent.len(), expected, "{stop:?}");
}

#[test]
fn items_stop_by_the_rule() {
    let seas = Stop::Agreement { answers: 2, confident: true };
    for (said, expected) in [("EE", 2), ("EeEE", 4), ("eeeee", 5), ("EOEOE", 5), ("EOO", 3), ("eEE", 3), ("eE", 5)] {
        check_stop(seas, 5, said, expected);
    }
    check_stop(Stop::Agreement { answers: 2, confident: false }, 5, "ee", 2);
    check_stop(Stop::Never, 4, "E", 4);
    check_stop(Stop::Posterior { at_least: 0.95 }, 9, "EE", 2);
    check_stop(Stop::Posterior { at_least: 0.95 }, 9, "EOEE", 4);
    check_stop(Stop::Posterior { at_least: 0.5 }, 9, "E", 1);
}

#[test]
fn impossible_jobs_are_refused_with_the_value() {
    let policy = Policy::default;
    let error = |task: Task, items: Vec<Item>, policy: Policy| {
        BatchPrompt::new(task, items, policy, tokenizer()).unwrap_err().to_string()
    };
    let rows = [
        (error(task(), vec![Item::new("a", "1"), Item::new("a", "2")], policy()), "`a`"),
        (error(Task::new("", &["yes", "Yes"]), items(1), policy()), "`Yes`"),
        (error(Task::new("", &["a\nb"]), items(1), policy()), "`a\nb`"),
        (error(Task::new("", &["''"]), items(1), policy()), "`''`"),
        (error(task(), vec![Item { expected: Some("prime".into()), ..Item::new("a", "1") }], policy()), "`prime`"),
        (error(task(), items(1), Policy { rounds: 0, ..policy() }), "`rounds`"),
        (error(task(), items(1), Policy { size: Size::UpTo(0), ..policy() }), "`size`"),
        (error(task(), items(1), Policy { in_flight: 0, ..policy() }), "`in_flight`"),
        (error(task(), items(1), Policy { stop: Stop::Posterior { at_least: 1.5 }, ..policy() }), "`1.5`"),
        (error(task(), items(1), Policy { budget: Some(Budget::ShareOfSingle(f64::NAN)), ..policy() }), "`NaN`"),
    ];
    for (message, value) in rows {
        assert!(message.contains(value), "{message}");
    }
}

#[test]
fn an_empty_job_is_done_at_once() {
    let mut batch = job(Vec::new(), Policy::default());
    assert!(batch.next_prompts(0).is_empty() && batch.is_done());
    assert_eq!(batch.report().share, 0.0);
}

#[test]
fn keys_and_trust_labels_are_never_mixed() {
    let item = |number: usize| Item {
        key: [None, Some("one"), Some("two")][number % 3].map(str::to_owned),
        trust: (number % 2 == 1).then(|| "web".to_owned()),
        ..Item::new(format!("id-{number}"), number.to_string())
    };
    let all: Vec<Item> = (0..60).map(item).collect();
    let realm = |id: &String| (number(id) % 3, number(id) % 2);
    let mut batch = job(all, Policy { rounds: 3, stop: Stop::Never, ..Policy::default() });
    for prompt in drive(&mut batch, right_lines) {
        let realms: BTreeSet<_> = prompt.items.iter().map(realm).collect();
        assert_eq!(realms.len(), 1, "{prompt:?}");
    }
}

#[test]
fn demonstrations_are_settled_items_of_the_same_key() {
    let item = |number: usize| Item {
        key: Some(parity(number).to_owned()),
        ..Item::new(format!("id-{number}"), number.to_string())
    };
    // The second answers for two numbers differ from their first, so that there is a third wave.
    let mut asked = [0; 2];
    let mut batch = job((10..40).map(item).collect(), Policy { demos: 3, ..Policy::default() });
    let sent = drive(&mut batch, |prompt| {
        let mut lines = right_lines(prompt);
        for (place, id) in prompt.items.iter().enumerate().filter(|(_, id)| number(id) / 2 == 6) {
            let times = &mut asked[number(id) % 2];
            *times += 1;
            if *times == 2 {
                let right = format!("Input {place}: {}", parity(number(id)));
                lines = lines.replace(&right, &format!("Input {place}: {}", parity(number(id) + 1)));
            }
        }
        lines
    });
    let with_demos: Vec<_> = sent.iter().filter(|prompt| !prompt.turns.is_empty()).collect();
    assert!(!with_demos.is_empty());
    for prompt in with_demos {
        let own = parity(number(&prompt.items[0]));
        for line in prompt.turns[0].0.lines().filter(|line| line.starts_with("Input ")) {
            let shown: usize = line.split('"').nth(1).unwrap().parse().unwrap();
            assert_eq!(parity(shown), own, "{line}");
        }
    }
}

#[test]
fn the_first_bytes_of_all_prompts_are_the_same() {
    let mut batch = job(items(50), Policy { size: Size::UpTo(9), ..Policy::default() });
    let sent = drive(&mut batch, right_lines);
    let systems: BTreeSet<&str> = sent.iter().map(|prompt| prompt.system.as_str()).collect();
    assert_eq!(systems.len(), 1);
    let sizes: BTreeSet<usize> = sent.iter().map(|prompt| prompt.items.len()).collect();
    assert!(sizes.len() > 1, "sizes differ, the instructions do not");
}

#[test]
fn announced_tokens_are_those_of_the_text() {
    for entry in TOKENIZERS {
        let tokenizer = Tokenizer::by_name(&entry.name).unwrap();
        let texts = ["a b", " lead", "日本語。", "x\n\n\ny", "\"quoted\"", "🎉", "end.", "1,000", ""];
        let items = texts.iter().enumerate().map(|(number, text)| Item::new(format!("id-{number}"), *text)).collect();
        let mut batch =
            BatchPrompt::new(task(), items, Policy { size: Size::Fixed(5), ..Policy::default() }, tokenizer).unwrap();
        for prompt in drive(&mut batch, right_lines) {
            let counted = 16 + tokenizer.count(&prompt.system) + tokenizer.count(&prompt.user);
            let announced = prompt.input_tokens as usize;
            assert_eq!(announced, counted, "{tokenizer}");
        }
    }
}

/// The sizes of the first wave.
fn check_sizes(policy: Policy, n_items: usize, expected: &[usize]) {
    let mut batch = job(items(n_items), Policy { in_flight: 100, ..policy });
    let sizes: Vec<usize> = batch.next_prompts(0).iter().map(|prompt| prompt.items.len()).collect();
    assert_eq!(sizes, expected);
}

#[test]
fn sizes_are_the_largest_that_fit() {
    let policy = Policy::default;
    let at = |size, accuracy| CurvePoint { size, accuracy };
    check_sizes(Policy { size: Size::Fixed(8), ..policy() }, 20, &[8, 8, 4]);
    check_sizes(Policy { size: Size::UpTo(8), ..policy() }, 20, &[7, 7, 6]);
    check_sizes(Policy { size: Size::Fixed(100), ..policy() }, 20, &[20]);
    // An answer line is at most 12 tokens here: 64 spare and 5 lines.
    let limits = Limits { output: 64 + 5 * 12, ..Limits::default() };
    check_sizes(Policy { size: Size::Fixed(100), limits, ..policy() }, 12, &[5, 5, 2]);
    let measured = vec![at(1, 0.9), at(10, 0.9), at(40, 0.7)];
    check_sizes(Policy { curve: measured.clone(), ..policy() }, 22, &[11, 11]);
    check_sizes(Policy { curve: measured, size: Size::UpTo(6), ..policy() }, 12, &[6, 6]);
    check_sizes(Policy { curve: vec![at(1, 0.8), at(50, 0.8)], ..policy() }, 50, &[50]);
    let window = Limits { window: 400, ..Limits::default() };
    let mut batch = job(items(60), Policy { size: Size::Fixed(60), limits: window, in_flight: 99, ..policy() });
    for prompt in batch.next_prompts(0) {
        assert!(prompt.input_tokens + prompt.max_output_tokens <= 400, "{prompt:?}");
    }
}

#[test]
fn three_balanced_rounds_are_a_latin_square() {
    let policy =
        Policy { size: Size::Fixed(30), rounds: 3, stop: Stop::Never, order: Order::Balanced, ..Policy::default() };
    let mut batch = job(items(30), policy);
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for prompt in drive(&mut batch, right_lines) {
        for (place, id) in prompt.items.iter().enumerate() {
            seen.entry(id.clone()).or_default().push(third(place as u32, 30));
        }
    }
    let balanced = seen.values().filter(|thirds| thirds.iter().collect::<BTreeSet<_>>().len() == 3).count();
    assert!(balanced >= 24, "{balanced} of 30 items saw all thirds");
}

#[test]
fn what_is_left_is_gathered_only_where_that_is_asked_for() {
    for (refill, expected) in [(true, 1), (false, 4)] {
        let policy = Policy { refill, size: Size::Fixed(5), rounds: 2, ..Policy::paper(5, 2, false) };
        let mut batch = job(items(20), Policy { stop: Stop::Agreement { answers: 1, confident: true }, ..policy });
        // One item of each prompt stays unsure.
        let sent = drive(&mut batch, |prompt| right_lines(prompt).replacen("(confident)", "(not confident)", 1));
        assert_eq!(sent.len() - 4, expected, "refill {refill}");
    }
}

#[test]
fn a_refused_item_does_not_take_others_with_it() {
    for failure in [Failure::Refused, Failure::Broken] {
        let mut batch = job(items(40), Policy::default());
        while !batch.is_done() {
            for prompt in batch.next_prompts(0) {
                if prompt.items.iter().any(|id| id == "id-13") {
                    batch.fail(prompt.id, failure, None).unwrap();
                } else {
                    batch.record(prompt.id, &right_lines(&prompt), usage(&prompt)).unwrap();
                }
            }
        }
        let answers = batch.answers();
        let lost: Vec<&str> = answers.iter().filter(|it| it.label.is_none()).map(|it| it.id.as_str()).collect();
        assert_eq!(lost, ["id-13"]);
        let reason = if failure == Failure::Refused { Unanswered::Refused } else { Unanswered::NoUsableAnswer };
        assert_eq!(answers[13].standing, Standing::Unanswered(reason));
    }
}

#[test]
fn nonsense_ends_soon_and_is_paid_for_but_not_believed() {
    let mut batch = job(items(320), Policy::default());
    let first = batch.forecast().unwrap().calls;
    let sent = drive(&mut batch, |_| "As a language model I like numbers.".to_owned());
    let report = batch.report();
    assert_eq!(report.waves, 2, "the first wave, and one prompt that tries again");
    assert!((sent.len() as u64) < first, "{} calls of {first}", sent.len());
    assert_eq!((report.ended, report.unanswered), (Some(Ended::NoUsableAnswers), 320));
    assert_eq!(report.calls, sent.len() as u64);
    assert!(report.charged.input_tokens > 0);
}

#[test]
fn an_item_that_is_always_left_out_is_reported() {
    let mut batch = job(items(30), Policy::default());
    drive(&mut batch, |prompt| {
        let lines = right_lines(prompt);
        let left_out = prompt.items.iter().position(|id| id == "id-7");
        let is_it = |line: &&str| left_out.is_some_and(|at| line.starts_with(&format!("Label for Input {at}:")));
        lines.lines().filter(|line| !is_it(line)).map(|line| format!("{line}\n")).collect()
    });
    let standing = Standing::Unanswered(Unanswered::NoUsableAnswer);
    assert_eq!(batch.answers()[7].standing, standing);
    assert_eq!(batch.report().unanswered, 1);
    assert_eq!(batch.report().faults.missing, u64::from(Policy::default().attempts));
}

#[test]
fn budgets_are_not_exceeded_and_deadlines_are_kept() {
    for budget in [1, 50, 200, 1_000, 3_000, 10_000] {
        let mut batch = job(items(200), Policy { budget: Some(Budget::Tokens(budget)), ..Policy::default() });
        drive(&mut batch, right_lines);
        let charged = batch.report().charged;
        assert!(charged.input_tokens + charged.output_tokens <= budget, "{budget}: {charged:?}");
        assert!(batch.answers().iter().all(|answer| answer.standing != Standing::Open));
    }
    let mut batch = job(items(100), Policy { deadline_ms: Some(1_000), in_flight: 1, ..Policy::default() });
    let first = batch.next_prompts(999).pop().unwrap();
    assert!(batch.next_prompts(1_000).is_empty());
    assert!(!batch.is_done(), "what is on its way is still taken");
    batch.record(first.id, &right_lines(&first), usage(&first)).unwrap();
    assert!(batch.next_prompts(1_001).is_empty() && batch.is_done());
    let report = batch.report();
    assert_eq!(report.ended, Some(Ended::Deadline));
    assert_eq!(report.settled + report.undecided, first.items.len() as u64);
    assert_eq!(report.unanswered, 100 - first.items.len() as u64);
}

#[test]
fn a_provider_that_charges_more_is_asked_less() {
    for (surplus, in_flight) in [(10, 1), (50, 1), (200, 1), (10, 4), (50, 4)] {
        let policy =
            Policy { budget: Some(Budget::Tokens(8_000)), size: Size::Fixed(10), in_flight, ..Policy::default() };
        let mut batch = job(items(600), policy);
        while !batch.is_done() {
            for prompt in batch.next_prompts(0) {
                let mut charged = usage(&prompt);
                charged.input_tokens += prompt.input_tokens * surplus / 100;
                batch.record(prompt.id, &right_lines(&prompt), charged).unwrap();
            }
        }
        let report = batch.report();
        let spent = report.charged.input_tokens + report.charged.output_tokens;
        assert!(spent <= 8_000 && spent > 6_500, "{surplus} % more: {spent}");
        assert_eq!(report.ended, Some(Ended::Budget));
    }
}

#[test]
fn a_cancelled_job_ends_with_what_it_has() {
    let mut batch = job(items(100), Policy { in_flight: 2, ..Policy::default() });
    let sent = batch.next_prompts(0);
    batch.cancel();
    assert!(batch.next_prompts(0).is_empty() && !batch.is_done());
    batch.record(sent[0].id, &right_lines(&sent[0]), usage(&sent[0])).unwrap();
    batch.fail(sent[1].id, Failure::Cancelled, None).unwrap();
    assert!(batch.next_prompts(0).is_empty() && batch.is_done());
    assert_eq!(batch.report().undecided, sent[0].items.len() as u64);
}

#[test]
fn a_prompt_is_recorded_once() {
    let mut batch = job(items(4), Policy::default());
    let prompt = batch.next_prompts(0).pop().unwrap();
    assert_eq!(batch.record(77, "", usage(&prompt)), Err(BatchError::UnknownPrompt(77)));
    batch.record(prompt.id, &right_lines(&prompt), usage(&prompt)).unwrap();
    assert_eq!(batch.record(prompt.id, "", usage(&prompt)), Err(BatchError::UnknownPrompt(prompt.id)));
    assert_eq!(batch.fail(prompt.id, Failure::Broken, None), Err(BatchError::UnknownPrompt(prompt.id)));
    assert_eq!(batch.report().calls, 1);
}

#[test]
fn a_forecast_changes_nothing() {
    let batch = job(items(100), Policy::default());
    let forecast = batch.forecast().unwrap();
    assert!(forecast.calls >= 4 && forecast.settled + forecast.undecided == 100, "{forecast:?}");
    assert_eq!(batch.report().calls, 0);
}

#[test]
fn shares_are_of_what_single_prompts_would_cost() {
    let mut single = job(items(30), Policy::single());
    let sent = drive(&mut single, right_lines);
    let counted: usize = sent.iter().map(|it| 16 + tokenizer().count(&it.system) + tokenizer().count(&it.user)).sum();
    assert_eq!(single.report().single_sent, counted as u64);
    let mut batch = job(items(30), Policy::paper(10, 2, false));
    drive(&mut batch, right_lines);
    let report = batch.report();
    assert_eq!((report.calls, report.asked), (6, 60));
    assert!(report.share_paper < report.share_sent, "{report:?}");
    let tokens: f64 = batch.answers().iter().map(|answer| answer.tokens).sum();
    let charged = (report.charged.input_tokens + report.charged.output_tokens) as f64;
    assert!((tokens - charged).abs() < 1.0, "{tokens} of {charged}");
}
