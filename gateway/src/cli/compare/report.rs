//! A comparison for people and for programs.

use serde_json::{Value, json};

use crate::cli::{
    counters::Counter,
    table::{Table, clean, count, or_dash, percent, terminal_width, thousands, usd},
};
use tollgate_tokenizers::{Comparison, Measure};

/// What tells estimates apart.
const ESTIMATE: &str = "~";

/// One object: all texts, and then kind by kind.
pub fn as_json(counters: &[Counter], comparison: &Comparison) -> String {
    let kind = |(kind, measure): (&str, &Measure)| {
        let mut fields = measured(counters, measure);
        fields["kind"] = kind.into();
        fields
    };
    let mut out = measured(counters, comparison.total());
    out["kinds"] = comparison.kinds().map(kind).collect();
    format!("{out}\n")
}

fn measured(counters: &[Counter], measure: &Measure) -> Value {
    let model = |(idx, counter): (usize, &Counter)| {
        let tokens = measure.tokens[idx];
        json!({
            "model": counter.name,
            "tokenizer": counter.tokenizer.name(),
            "exact": counter.is_exact,
            "tokens": tokens,
            "ratio": measure.ratio(idx, 0),
            "chars_per_token": measure.chars_per_token(idx),
            "bytes_per_token": measure.bytes_per_token(idx),
            "window_share": counter.window_share(tokens),
            "input_usd": counter.input_usd(tokens),
        })
    };
    let models: Vec<Value> = counters.iter().enumerate().map(model).collect();
    json!({"files": measure.n_texts, "bytes": measure.bytes, "chars": measure.chars, "models": models})
}

/// A table of all texts, and one of the tokens of each kind where there are several. The fewest tokens come first.
pub fn as_text(counters: &[Counter], comparison: &Comparison) -> String {
    let total = comparison.total();
    let mut order: Vec<usize> = (0..counters.len()).collect();
    order.sort_by_key(|idx| total.tokens[*idx]);
    let mut table = Table::new(&["model", ">tokens", ">ratio", ">chars/token", ">bytes/token", ">window", ">input $"]);
    order.iter().for_each(|idx| table.row(&cells(&counters[*idx], total, *idx)));
    let kinds = if comparison.kinds().len() > 1 { by_kind(counters, comparison, &order) } else { String::new() };
    format!("{table}{kinds}\n{}", notes(counters, total))
}

fn cells(counter: &Counter, total: &Measure, idx: usize) -> Vec<String> {
    let two_digits = |value: Option<f64>| or_dash(value.map(|it| format!("{it:.2}")));
    vec![
        counter.name.clone(),
        tokens(counter, total, idx),
        two_digits(total.ratio(idx, 0)),
        two_digits(total.chars_per_token(idx)),
        two_digits(total.bytes_per_token(idx)),
        or_dash(counter.window_share(total.tokens[idx]).map(percent)),
        or_dash(counter.input_usd(total.tokens[idx]).map(usd)),
    ]
}

fn tokens(counter: &Counter, measure: &Measure, idx: usize) -> String {
    format!("{}{}", if counter.is_exact { "" } else { ESTIMATE }, thousands(measure.tokens[idx] as u64))
}

/// Tokens, a column for a kind, the largest kinds first and as many as fit; the others are one column.
fn by_kind(counters: &[Counter], comparison: &Comparison, order: &[usize]) -> String {
    let mut kinds: Vec<(&str, &Measure)> = comparison.kinds().collect();
    kinds.sort_by_key(|(_, measure)| std::cmp::Reverse(measure.bytes));
    for n_shown in (1..=kinds.len()).rev() {
        let table = kinds_table(counters, &kinds, order, n_shown);
        if n_shown == 1 || table.widest() <= terminal_width() {
            return format!("\n{table}");
        }
    }
    String::new()
}

fn kinds_table(counters: &[Counter], kinds: &[(&str, &Measure)], order: &[usize], n_shown: usize) -> Table {
    let (shown, others) = kinds.split_at(n_shown);
    let mut header = vec!["tokens".to_owned()];
    header.extend(shown.iter().map(|(kind, _)| format!(">{}", clean(kind))));
    if !others.is_empty() {
        header.push(format!(">{} others", others.len()));
    }
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for idx in order {
        let mut cells = vec![counters[*idx].name.clone()];
        cells.extend(shown.iter().map(|(_, measure)| tokens(&counters[*idx], measure, *idx)));
        if !others.is_empty() {
            let sum: usize = others.iter().map(|(_, measure)| measure.tokens[*idx]).sum();
            cells.push(thousands(sum as u64));
        }
        table.row(&cells);
    }
    table
}

fn notes(counters: &[Counter], total: &Measure) -> String {
    let size = [(total.n_texts, "file"), (total.bytes, "byte"), (total.chars, "character")];
    let size = size.map(|(number, noun)| count(number as u64, noun)).join(", ");
    let first = counters.first().map(|it| format!("; ratios are to {} ({})", it.name, it.tokenizer.name()));
    let estimates = counters.iter().any(|it| !it.is_exact);
    let estimates =
        if estimates { "~ an estimate: the model's own vocabulary is not public or not built in\n" } else { "" };
    format!("{size}{}\n{estimates}", first.unwrap_or_default())
}
