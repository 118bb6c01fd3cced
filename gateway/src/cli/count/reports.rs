//! Counted requests for people and for programs.

use serde_json::{Value, json};

use super::{
    parts::{self, Line},
    requests::{Bill, Counted},
};
use crate::cli::table::{Table, clean, count, or_dash, percent, signed, terminal_width, thousands, usd};
use tollgate_tokenizers::chat::{Kind, Uncounted};

/// So many models have their parts side by side.
const MOST_SIDE_BY_SIDE: usize = 3;

/// An object for each request and model.
pub fn as_json(counted: &[Counted]) -> String {
    let rows = counted.iter().flat_map(|it| it.bills.iter().map(move |bill| (it, bill)));
    let row = |(it, bill): (&Counted, &Bill)| {
        let Bill { counter, count } = bill;
        json!({
            "request": it.name,
            "format": it.format.name(),
            "model": counter.name,
            "family": counter.family.name,
            "tokenizer": counter.request_tokenizer().name(),
            "chat_template": counter.template.as_ref().map(|it| it.display().to_string()),
            "tokens": count.total,
            "kind": count.kind,
            "error_bound": count.error_bound,
            "window_share": counter.window_share(count.total),
            "input_usd": counter.input_usd(count.total),
            "parts": parts::as_json(&it.labels, bill),
            "uncounted": it.uncounted.iter().map(uncounted_json).collect::<Vec<_>>(),
        })
    };
    format!("{}\n", rows.map(row).collect::<Value>())
}

fn uncounted_json(it: &Uncounted) -> Value {
    json!({"path": it.path, "what": it.what, "bound": it.bound})
}

/// One request with its parts, or a row for each of many.
pub fn as_text(counted: &[Counted], largest_first: bool, most_parts: usize) -> String {
    match counted {
        [only] => one(only, largest_first, most_parts),
        many => format!("{}\n{}", rows(many), sums(many)),
    }
}

fn one(it: &Counted, largest_first: bool, most_parts: usize) -> String {
    let messages = count(it.n_messages as u64, "message");
    let tools = count(it.n_tools as u64, "tool");
    let head = format!("{}: {}, {messages}, {tools}\n\n", clean(&it.name), it.format.name());
    let parts =
        if it.bills.len() <= MOST_SIDE_BY_SIDE { breakdown(it, largest_first, most_parts) } else { String::new() };
    format!("{head}{}{}{parts}", bills(it), notes(it))
}

fn bills(it: &Counted) -> String {
    let mut table = Table::new(&["model", ">tokens", ">+/-", ">window", ">input $", "counted by"]);
    for bill in &it.bills {
        let mut cells = vec![bill.counter.name.clone()];
        cells.extend(cost(bill));
        cells.push(rule(bill));
        table.row(&cells);
    }
    table.to_string()
}

/// Tokens, their bound, share of the window, price.
fn cost(bill: &Bill) -> [String; 4] {
    let Bill { counter, count } = bill;
    [
        thousands(count.total as u64),
        count.error_bound.map_or_else(|| "?".into(), |it| thousands(it as u64)),
        or_dash(counter.window_share(count.total).map(percent)),
        or_dash(counter.input_usd(count.total).map(usd)),
    ]
}

fn rule(bill: &Bill) -> String {
    let kind = match bill.count.kind {
        Kind::ExactRule => "exact rule",
        Kind::Template => "template",
        Kind::Calibrated => "calibrated",
    };
    let file = bill.counter.template.as_ref().and_then(|it| it.file_name()).map(|it| it.to_string_lossy());
    format!("{kind}, {}", file.as_deref().unwrap_or(bill.counter.family.name))
}

/// What the table cannot say.
fn notes(it: &Counted) -> String {
    let note = |uncounted: &Uncounted| {
        let bound = match uncounted.bound {
            Some(most) => format!("at most {}", count(most as u64, "token")),
            None => "nobody can say how much it costs".into(),
        };
        clean(&format!("not in the count: `{}` ({}), {bound}", uncounted.path, uncounted.what)) + "\n"
    };
    let notes: String = it.uncounted.iter().map(note).collect();
    if notes.is_empty() { notes } else { format!("\n{notes}") }
}

fn breakdown(it: &Counted, largest_first: bool, most_parts: usize) -> String {
    let mut lines = parts::lines(&it.labels, &it.bills);
    if largest_first {
        lines.sort_by_key(|line| std::cmp::Reverse(line.tokens.first().copied()));
    }
    let n_shown = if most_parts == 0 { lines.len() } else { most_parts };
    let rest = lines.split_off(n_shown.min(lines.len()));
    let names: Vec<String> = it.bills.iter().map(|bill| format!(">{}", bill.counter.name)).collect();
    let header: Vec<&str> = match names.as_slice() {
        [_] => vec![">tokens", ">%", "part", "begins"],
        many => many.iter().map(String::as_str).chain(["part", "begins"]).collect(),
    };
    let mut table = Table::new(&header);
    lines.iter().for_each(|line| table.row(&cells(it, &line.tokens, &line.label.name, &line.label.begins)));
    if !rest.is_empty() {
        let name = format!("{} more", rest.len());
        table.row(&cells(it, &sum(&rest, it.bills.len()), &name, "`--parts 0` lists them"));
    }
    format!("\n{}", table.fit(terminal_width()))
}

fn cells(it: &Counted, tokens: &[i64], name: &str, begins: &str) -> Vec<String> {
    let mut cells: Vec<String> = tokens.iter().map(|tokens| signed(*tokens)).collect();
    if let ([tokens], [bill]) = (tokens, it.bills.as_slice()) {
        cells.push(or_dash(parts::share(*tokens, bill.count.total).map(|it| format!("{:.1}", 100.0 * it))));
    }
    cells.extend([name.to_owned(), begins.to_owned()]);
    cells
}

fn sum(lines: &[Line<'_>], n_bills: usize) -> Vec<i64> {
    (0..n_bills).map(|idx| lines.iter().filter_map(|line| line.tokens.get(idx)).sum()).collect()
}

fn rows(counted: &[Counted]) -> String {
    let mut table = Table::new(&["request", "model", ">tokens", ">+/-", ">window", ">input $"]);
    for it in counted {
        for bill in &it.bills {
            let mut cells = vec![clean(&it.name), bill.counter.name.clone()];
            cells.extend(cost(bill));
            table.row(&cells);
        }
    }
    table.to_string()
}

/// What each model gets of all requests together.
fn sums(counted: &[Counted]) -> String {
    let bills: Vec<&Bill> = counted.iter().flat_map(|it| &it.bills).collect();
    let mut models: Vec<&str> = Vec::new();
    for bill in &bills {
        if !models.contains(&bill.counter.name.as_str()) {
            models.push(&bill.counter.name);
        }
    }
    let mut table = Table::new(&["together", ">requests", ">tokens", ">+/-", ">input $"]);
    for model in models {
        let own: Vec<&Bill> = bills.iter().filter(|bill| bill.counter.name == model).copied().collect();
        table.row(&total(model, &own));
    }
    table.to_string()
}

fn total(model: &str, bills: &[&Bill]) -> Vec<String> {
    let tokens: usize = bills.iter().map(|bill| bill.count.total).sum();
    let bound = bills.iter().map(|bill| bill.count.error_bound).sum::<Option<usize>>();
    let price = bills.iter().map(|bill| bill.counter.input_usd(bill.count.total)).sum::<Option<f64>>();
    vec![
        model.to_owned(),
        thousands(bills.len() as u64),
        thousands(tokens as u64),
        bound.map_or_else(|| "?".into(), |it| thousands(it as u64)),
        or_dash(price.map(usd)),
    ]
}
