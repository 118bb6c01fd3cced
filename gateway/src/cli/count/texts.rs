//! Texts: a row for each text and model.

use serde_json::{Value, json};

use super::CountArgs;
use crate::cli::{
    Failure,
    counters::{self, Counter},
    inputs, print,
    table::{Table, or_dash, percent, thousands, usd},
};
use tollgate_config::Config;

/// One text in one model's tokens.
struct Counted<'a> {
    file: String,
    bytes: usize,
    chars: usize,
    counter: &'a Counter,
    tokens: usize,
}

pub fn run(args: &CountArgs, config: &Config) -> Result<(), Failure> {
    let counters = match (args.all, args.tokenizer.is_empty()) {
        (true, _) => counters::every_tokenizer(),
        (false, false) => counters::tokenizers(&args.tokenizer)?,
        (false, true) => counters::models(config, &args.model)?,
    };
    let files = inputs::or_stdin(&args.files);
    let counted = inputs::all(&files, |file| {
        let text = inputs::text(file)?;
        let (bytes, chars) = (text.len(), text.chars().count());
        let file = file.display().to_string();
        let row =
            |counter| Counted { file: file.clone(), bytes, chars, counter, tokens: counter.tokenizer.count(&text) };
        Ok::<_, String>(counters.iter().map(row).collect::<Vec<_>>())
    });
    let rows: Vec<_> = counted?.into_iter().flatten().collect();
    print(&if args.json { as_json(&rows) } else { as_table(&rows, files.len() > 1) })
}

fn as_json(rows: &[Counted<'_>]) -> String {
    let row = |it: &Counted<'_>| {
        json!({
            "file": it.file,
            "model": it.counter.name,
            "tokenizer": it.counter.tokenizer.name(),
            "exact": it.counter.is_exact,
            "tokens": it.tokens,
            "bytes": it.bytes,
            "chars": it.chars,
            "window_share": it.counter.window_share(it.tokens),
            "input_usd": it.counter.input_usd(it.tokens),
        })
    };
    format!("{}\n", Value::Array(rows.iter().map(row).collect()))
}

fn as_table(rows: &[Counted<'_>], names_files: bool) -> String {
    let mut header = vec!["model", ">tokens", ">window", ">input $", "count"];
    if names_files {
        header.insert(0, "file");
    }
    let mut table = Table::new(&header);
    for row in rows {
        let mut cells = cells(row);
        if names_files {
            cells.insert(0, row.file.clone());
        }
        table.row(&cells);
    }
    table.to_string()
}

fn cells(row: &Counted<'_>) -> Vec<String> {
    let kind = if row.counter.is_exact { "exact" } else { "estimate" };
    vec![
        row.counter.name.clone(),
        thousands(row.tokens as u64),
        or_dash(row.counter.window_share(row.tokens).map(percent)),
        or_dash(row.counter.input_usd(row.tokens).map(usd)),
        format!("{kind}, {}", row.counter.tokenizer.name()),
    ]
}
