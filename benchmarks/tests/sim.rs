//! The simulated models: what they read, what they answer, what they charge.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use tollgate_benchmarks::sim::{FaultRates, MODELS, Message, Role, Simulator, dataset, drive};
use tollgate_planners::batch::{BatchPrompt, Format, Order, Policy, Size, input_line, system, tail};
use tollgate_tokenizers::Tokenizer;

fn tokenizer() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap()
}

fn simulator(name: &str) -> Simulator {
    Simulator::by_name(name, 1).unwrap()
}

fn job(simulator: &Simulator, n_items: usize, policy: Policy) -> BatchPrompt {
    let data = dataset(simulator, n_items, 1, tokenizer());
    BatchPrompt::new(data.task, data.items, policy, tokenizer()).unwrap()
}

#[test]
fn models_are_found_by_name_and_unknown_ones_name_the_known() {
    for fit in MODELS {
        assert_eq!(simulator(&format!("sim:{}", fit.name)).fit().name, fit.name);
        assert_eq!(simulator(fit.name).fit().name, fit.name);
    }
    let error = Simulator::by_name("sim:gpt9", 0).unwrap_err().to_string();
    assert!(error.contains("`sim:gpt9`") && error.contains("sim:boolq-gpt4"), "{error}");
}

#[test]
fn prompts_are_as_long_as_those_of_the_measurements() {
    for fit in MODELS {
        let data = dataset(&simulator(fit.name), 2_000, 1, tokenizer());
        let fixed = 16 + tokenizer().count(&system(&data.task)) + tokenizer().count(&tail(&data.task, 32));
        assert!(fixed.abs_diff(fit.instruction_tokens as usize) <= 2, "{}: {fixed}", fit.name);
        let lines = data.items.iter().map(|item| tokenizer().count(&input_line(10, &item.text)));
        let mean = lines.sum::<usize>() as f64 / 2_000.0;
        assert!((mean - fit.item_tokens).abs() < fit.item_tokens * 0.02, "{}: {mean}", fit.name);
    }
}

#[test]
fn the_same_prompt_gets_the_same_answer() {
    let simulator = simulator("boolq-gpt4");
    for rounds in [2, 5] {
        let policy = |rounds| Policy { order: Order::AsGiven, ..Policy::paper(32, rounds, false) };
        let (mut once, mut often) = (job(&simulator, 96, policy(1)), job(&simulator, 96, policy(rounds)));
        drive(&mut once, &simulator).unwrap();
        drive(&mut often, &simulator).unwrap();
        assert_eq!(once.report().right, often.report().right, "asking again without permuting gains nothing");
        assert!(often.answers().iter().all(|answer| answer.votes.len() == 1));
    }
    let mut permuted = job(&simulator, 96, Policy::paper(32, 5, false));
    drive(&mut permuted, &simulator).unwrap();
    assert!(permuted.answers().iter().any(|answer| answer.votes.len() > 1));
}

/// A chat with one question of two inputs.
fn chat(task: &tollgate_planners::batch::Task, texts: [&str; 2]) -> Vec<Message> {
    let user: String = texts.iter().enumerate().map(|(at, text)| input_line(at, text)).collect();
    let message = |role, text: &str| Message { role, text: text.to_owned() };
    let question = format!("{user}{}", tail(task, 2));
    vec![message(Role::System, &system(task)), message(Role::User, "Hello"), message(Role::User, &question)]
}

#[test]
fn answers_use_the_labels_and_the_form_of_the_prompt() {
    let mut simulator = simulator("qqp-gpt4");
    let mut task = tollgate_planners::batch::Task::new("Which?", &["red", "green", "blue"]);
    simulator.tell("one\n\"text\"", "green");
    for format in [Format::Lines, Format::Json] {
        task.format = format;
        let reply = simulator.answer(&chat(&task, ["one\n\"text\"", "another"]), None);
        let starts = if format == Format::Lines { "Label for Input 0: " } else { "{\"labels\":[{\"input\":0" };
        assert!(reply.text.starts_with(starts), "{}", reply.text);
        assert!(["red", "green", "blue"].iter().any(|label| reply.text.contains(label)));
        assert_eq!(reply.usage.output_tokens, tokenizer().count(&reply.text) as u64);
    }
    assert_eq!(simulator.truth(&["red".into(), "green".into()], "one\n\"text\""), "green");
}

#[test]
fn answers_break_off_at_the_limit() {
    let simulator = simulator("boolq-gpt4");
    let task = tollgate_planners::batch::Task::new("Which?", &["yes", "no"]);
    let whole = simulator.answer(&chat(&task, ["a", "b"]), None);
    let cut = simulator.answer(&chat(&task, ["a", "b"]), Some(5));
    assert!(!whole.cut && cut.cut && whole.text.starts_with(&cut.text));
    assert_eq!(cut.usage.output_tokens, 5);
    assert_eq!(simulator.answer(&[], None).text, "");
}

#[test]
fn every_injection_is_counted() {
    let faults = FaultRates { missing: 0.1, duplicate: 0.05, shuffled: 0.1, out_of_range: 0.05, unparsable: 0.05 };
    let mut simulator = simulator("rte-gpt4");
    simulator.faults = faults;
    let limits = tollgate_planners::batch::Limits { spare_output: 1_000, ..Default::default() };
    let mut batch = job(&simulator, 320, Policy { size: Size::UpTo(32), attempts: 12, limits, ..Policy::default() });
    let injected = drive(&mut batch, &simulator).unwrap();
    let counted = batch.report().faults;
    assert!(injected.missing > 20 && injected.duplicate > 10 && injected.shuffled > 10, "{injected:?}");
    assert_eq!(counted.missing, injected.missing + injected.out_of_range);
    assert_eq!(counted.contradictory, injected.duplicate);
    assert_eq!(counted.out_of_order, injected.shuffled);
    assert_eq!(counted.out_of_range, injected.out_of_range);
    assert_eq!(counted.unparsable, injected.unparsable);
    assert_eq!(batch.report().unanswered, 0);
}
