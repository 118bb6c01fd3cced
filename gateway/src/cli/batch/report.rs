//! What a batch will cost, what it did cost, and its answers.

use std::path::Path;

use serde_json::json;

use crate::cli::{
    Failure,
    table::{Table, percent, thousands, usd},
};
use tollgate_config::Price;
use tollgate_planners::batch::{Answer, BatchPrompt, Ended, Prompt, Report, Usage};

/// A share of single-prompting from which on batches are not worth it.
const DEAR: f64 = 0.9;
const SHORT_INSTRUCTIONS: &str = "The instructions are short beside the items, so that prompts of many items save little; \
`--size 1 --rounds 1` asks each item once, alone.\n";

/// Millionths of a dollar.
const MICRO: f64 = 1e6;

/// The answers, a row each, in the form that the file's name asks for.
///
/// # Errors
/// That a row cannot be written.
pub fn rows(batch: &BatchPrompt, out: Option<&Path>) -> Result<String, Failure> {
    let answers = batch.answers();
    let is_csv = out.and_then(Path::extension).is_some_and(|it| it.eq_ignore_ascii_case("csv"));
    if is_csv {
        return csv_rows(&answers).map_err(|error| error.to_string().into());
    }
    let lines: Result<Vec<String>, _> = answers.iter().map(serde_json::to_string).collect();
    lines.map(|it| it.join("\n") + "\n").map_err(|error| error.to_string().into())
}

fn csv_rows(answers: &[Answer]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "answer", "standing", "confidence", "answers", "tokens", "flags"])?;
    for answer in answers {
        let asked: u32 = answer.votes.iter().map(|it| it.count).sum();
        writer.write_record([
            answer.id.as_str(),
            answer.label.as_deref().unwrap_or_default(),
            &word(&answer.standing),
            &format!("{:.3}", answer.confidence),
            &asked.to_string(),
            &format!("{:.1}", answer.tokens),
            &answer.flags.iter().map(word).collect::<Vec<_>>().join(" "),
        ])?;
    }
    writer.into_inner().map(|it| String::from_utf8_lossy(&it).into_owned()).map_err(|error| error.into_error().into())
}

/// What a value is called in JSON; of a value with a reason, the reason.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value).unwrap_or_default() {
        serde_json::Value::String(word) => word,
        serde_json::Value::Object(fields) => {
            fields.values().next().and_then(|it| it.as_str()).unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether there is nothing left to ask.
pub fn is_whole(batch: &BatchPrompt) -> bool {
    batch.report().ended == Some(Ended::Settled)
}

/// What was spent so far, in a few words.
pub fn spent(report: &Report) -> String {
    let tokens = report.charged.input_tokens + report.charged.output_tokens;
    format!("{} calls, {} tokens", thousands(report.calls), thousands(tokens))
}

/// The first wave, which is certain, and what all are likely to cost.
///
/// # Errors
/// That no forecast can be made.
pub fn plan(mut batch: BatchPrompt, price: Option<Price>, as_json: bool) -> Result<String, Failure> {
    let (single, all) = (batch.report(), batch.forecast().map_err(|error| error.to_string())?);
    let prompts = batch.next_prompts(0);
    let sum = |tokens: fn(&Prompt) -> u64| prompts.iter().map(tokens).sum();
    let first = Usage {
        input_tokens: sum(|it| it.input_tokens),
        output_tokens: sum(|it| it.max_output_tokens),
        cached_input_tokens: 0,
    };
    let calls = prompts.len() as u64;
    let one_each =
        Usage { input_tokens: single.single_sent, output_tokens: single.single_returned, ..Usage::default() };
    if as_json {
        let row = |calls: u64, usage: Usage| {
            let cost = price.map(|it| dollars(it, usage));
            json!({"calls": calls, "sent": usage.input_tokens, "returned": usage.output_tokens, "cost_usd": cost})
        };
        let plan = json!({
            "first_wave": row(calls, first),
            "all_waves_likely": row(all.calls, all.charged),
            "one_prompt_an_item": row(single.items, one_each),
        });
        return Ok(format!("{plan:#}\n"));
    }
    let mut table = Table::new(&["", ">calls", ">tokens sent", ">returned", ">cost, USD"]);
    let mut row = |name: &str, calls: u64, usage: Usage| {
        table.row(&[
            name.to_owned(),
            thousands(calls),
            thousands(usage.input_tokens),
            thousands(usage.output_tokens),
            price.map_or_else(|| "-".to_owned(), |it| usd(dollars(it, usage))),
        ]);
    };
    row("the first wave, at most", calls, first);
    row("all waves, likely", all.calls, all.charged);
    row("one prompt an item", single.items, one_each);
    let hint = if all.share > DEAR { SHORT_INSTRUCTIONS } else { "" };
    Ok(format!("{table}Later waves ask only what is not settled; `--budget` bounds all of them together.\n{hint}"))
}

fn dollars(price: Price, usage: Usage) -> f64 {
    (usage.input_tokens as f64 * price.input_usd + usage.output_tokens as f64 * price.output_usd) / MICRO
}

/// What it came to.
pub fn summary(batch: &BatchPrompt, last_failure: Option<&str>, as_json: bool) -> String {
    let report = batch.report();
    if as_json {
        return serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
    }
    let mut table = Table::new(&["", ">"]);
    let mut row = |name: &str, value: String| table.row(&[name.to_owned(), value]);
    row("items", thousands(report.items));
    row("settled", thousands(report.settled));
    row("undecided, with the best answer so far", thousands(report.undecided));
    row("without an answer", thousands(report.unanswered));
    if let Some(accuracy) = report.accuracy {
        row("accuracy", format!("{} of {}", percent(accuracy), thousands(report.labelled)));
    }
    row("calls", thousands(report.calls));
    row("tokens sent", thousands(report.charged.input_tokens));
    row("of these from the provider's cache", thousands(report.charged.cached_input_tokens));
    row("tokens returned", thousands(report.charged.output_tokens));
    row("share of one prompt an item, every call charged", percent(report.share));
    row("the same with instructions once a batch, as the paper counts", percent(report.share_paper));
    let faults = serde_json::to_value(report.faults).unwrap_or_default();
    for (name, count) in faults.as_object().into_iter().flatten().filter(|(_, count)| **count != 0) {
        row(&format!("answers: {}", name.replace('_', " ")), count.to_string());
    }
    if report.flagged > 0 {
        row("items with a suspicious text", thousands(report.flagged));
    }
    let failure = last_failure.filter(|_| report.failed_calls > 0).map_or_else(String::new, |told| {
        format!("{} calls failed; the last one: {told}\n", thousands(report.failed_calls))
    });
    let ended = match report.ended {
        Some(Ended::Settled) | None => String::new(),
        Some(ended) => format!("Ended early: {}.\n", word(&ended).replace('_', " ")),
    };
    format!("{table}{failure}{ended}")
}
