//! BatchPrompt's state machine, driven by a model of a few lines.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use tollgate_planners::batch::{BatchPrompt, Failure, Item, Policy, Prompt, Size, Standing, Task, Usage};
use tollgate_tokenizers::Tokenizer;

fn tokenizer() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap()
}

fn task() -> Task {
    Task::new("Is the number even?", &["even", "odd"])
}

fn items(n_items: usize) -> Vec<Item> {
    (0..n_items).map(|number| Item::new(format!("id-{number}"), number.to_string())).collect()
}

fn usage(prompt: &Prompt) -> Usage {
    Usage { input_tokens: prompt.input_tokens, output_tokens: 8 * prompt.items.len() as u64, cached_input_tokens: 0 }
}

fn parity(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "even" } else { "odd" }
}

/// Label lines by what each item's id says.
fn right_lines(prompt: &Prompt) -> String {
    let line = |(place, id): (usize, &String)| {
        let number: usize = id.trim_start_matches("id-").parse().unwrap();
        format!("Label for Input {place}: {} (confident)\n", parity(number))
    };
    prompt.items.iter().enumerate().map(line).collect()
}

#[test]
fn every_item_gets_its_own_answer() {
    let policy = Policy { size: Size::UpTo(7), ..Policy::default() };
    let mut batch = BatchPrompt::new(task(), items(100), policy, tokenizer()).unwrap();
    while !batch.is_done() {
        for prompt in batch.next_prompts(0) {
            batch.record(prompt.id, &right_lines(&prompt), usage(&prompt)).unwrap();
        }
    }
    for (number, answer) in batch.answers().into_iter().enumerate() {
        assert_eq!(answer.label.as_deref(), Some(parity(number)), "{number}");
        assert_eq!(answer.standing, Standing::Settled);
    }
}

#[test]
fn a_refused_item_does_not_take_others_with_it() {
    let mut batch = BatchPrompt::new(task(), items(20), Policy::default(), tokenizer()).unwrap();
    while !batch.is_done() {
        for prompt in batch.next_prompts(0) {
            if prompt.items.iter().any(|id| id == "id-13") {
                batch.fail(prompt.id, Failure::Refused, None).unwrap();
            } else {
                batch.record(prompt.id, &right_lines(&prompt), usage(&prompt)).unwrap();
            }
        }
    }
    let unanswered: Vec<String> =
        batch.answers().into_iter().filter(|it| it.label.is_none()).map(|answer| answer.id).collect();
    assert_eq!(unanswered, ["id-13"]);
}

#[test]
fn a_forecast_changes_nothing() {
    let batch = BatchPrompt::new(task(), items(100), Policy::default(), tokenizer()).unwrap();
    let forecast = batch.forecast().unwrap();
    assert!(forecast.calls >= 14 && forecast.settled + forecast.undecided == 100, "{forecast:?}");
    assert_eq!(batch.report().calls, 0);
}
