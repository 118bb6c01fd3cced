//! `tollgate usage`: what keys used of models, from the store, while gateways write to it.

use std::collections::{BTreeMap, HashMap};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{
    ConfigSource, Failure, print,
    table::{Table, thousands},
};
use crate::{
    auth::file::load,
    ledger::{
        limit::usd,
        moment::{Day, Moment},
        rows::{Used, used_from},
        settlement::Failure as Fault,
        totals::Totals,
    },
    store::{self, data_folder},
};
use tollgate_config::StoreKind;

/// Show what was used: requests, tokens, cost and errors.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate usage                                   the last 30 days, by key and model
  tollgate usage --by day --since 7d
  tollgate usage --by key,day --since 2026-11-01 --csv > november.csv
  tollgate usage --json | jq 'map(.cost_usd) | add'

Days are those of UTC. Tokens are as the providers returned them. Requests that the exact cache answered (`from cache`)
were not sent and are counted apart.")]
pub struct UsageArgs {
    /// What makes a row
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["key", "model"])]
    by: Vec<By>,
    /// The first day: a date, or a number of days such as `7d`
    #[arg(long, value_name = "WHEN", default_value = "30d", value_parser = since)]
    since: Since,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print comma-separated values (RFC 4180)
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    pub(super) source: ConfigSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Key,
    Model,
    Day,
}

#[derive(Clone, Copy, Debug)]
enum Since {
    On(Day),
    Days(u32),
}

fn since(text: &str) -> Result<Since, String> {
    match text.strip_suffix('d').and_then(|days| days.parse().ok()) {
        Some(days) => Ok(Since::Days(days)),
        None => {
            text.parse().map(Since::On).map_err(|error: String| format!("{error}, or a number of days such as `7d`"))
        }
    }
}

pub fn run(args: &UsageArgs) -> Result<(), Failure> {
    let config = args.source.load()?.config.store;
    if config.kind == StoreKind::Memory {
        return Err("a store of the kind `memory` ends with its gateway; set `store.kind` to \"sqlite\""
            .to_owned()
            .into());
    }
    let first = match args.since {
        Since::On(day) => day,
        // Today is one of them.
        Since::Days(days) => Day((Moment::now().day().0 + 1).saturating_sub(days)),
    };
    let read = || {
        let used = used_from(&*store::open(&config)?, first)?;
        let keys = load(&data_folder(&config)?)?;
        Ok((used, keys.into_iter().map(|key| (key.id, key.name)).collect()))
    };
    let (used, names): (_, Names) = read().map_err(|error: store::StoreError| error.to_string())?;
    let rows = grouped(&used, &args.by);
    let text = match (args.json, args.csv) {
        (true, _) => json_text(&rows, &names),
        (_, true) => csv_text(&rows, &args.by, &names),
        _ if rows.is_empty() => format!("nothing was used since {first}\n"),
        _ => table_text(&rows, &args.by, &names),
    };
    print(&text)
}

/// Names of keys by their ids.
type Names = HashMap<String, String>;

/// A row's texts, in the order of `--by`, and its sums.
type Row = (Vec<(By, String)>, Totals);

fn grouped(used: &[Used], by: &[By]) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<&str>, Totals> = BTreeMap::new();
    let days: Vec<String> = used.iter().map(|it| it.day.to_string()).collect();
    for (row, day) in used.iter().zip(&days) {
        let texts = by.iter().map(|by| match by {
            By::Key => row.key.as_str(),
            By::Model => &row.model,
            By::Day => day,
        });
        groups.entry(texts.collect()).or_default().merge(&row.totals);
    }
    let named = |texts: Vec<&str>| by.iter().copied().zip(texts.into_iter().map(visible)).collect();
    groups.into_iter().map(|(texts, totals)| (named(texts), totals)).collect()
}

/// Clients choose names of models; these must not steer a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

/// The numbers of a row by their names.
fn numbers(totals: &Totals) -> [(&'static str, u64); 11] {
    [
        ("requests", totals.requests),
        ("errors", totals.errors()),
        ("prompt_tokens", totals.prompt_tokens),
        ("cached_tokens", totals.cached_tokens),
        ("completion_tokens", totals.completion_tokens),
        ("reasoning_tokens", totals.reasoning_tokens),
        ("saved_tokens", totals.saved_tokens),
        ("estimated_tokens", totals.estimated_tokens),
        ("estimate_off_tokens", totals.estimate_off_tokens),
        ("cache_hits", totals.cache_hits),
        ("cache_unspent_tokens", totals.cache_unspent_tokens),
    ]
}

fn name_of(by: By) -> &'static str {
    match by {
        By::Key => "key",
        By::Model => "model",
        By::Day => "day",
    }
}

fn json_text(rows: &[Row], names: &Names) -> String {
    let rows: Vec<Value> = rows.iter().map(|row| Value::Object(json_row(row, names))).collect();
    format!("{}\n", json!(rows))
}

fn json_row((texts, totals): &Row, names: &Names) -> Map<String, Value> {
    let mut object = Map::new();
    for (by, text) in texts {
        object.insert(name_of(*by).to_owned(), json!(text));
        if *by == By::Key {
            object.insert("key_name".to_owned(), json!(names.get(text)));
        }
    }
    object.extend(numbers(totals).map(|(name, number)| (name.to_owned(), json!(number))));
    object.insert("unreported_requests".to_owned(), json!(totals.unreported_requests));
    object.insert("cost_micro_usd".to_owned(), json!(totals.cost_micro_usd));
    object.insert("cost_usd".to_owned(), json!(totals.cost_micro_usd as f64 / 1e6));
    let by_kind = Fault::ALL.iter().zip(totals.failures).filter(|(_, count)| *count > 0);
    let by_kind: Map<_, _> = by_kind.map(|((name, _), count)| ((*name).to_owned(), json!(count))).collect();
    object.insert("errors_by_kind".to_owned(), Value::Object(by_kind));
    object
}

fn csv_text(rows: &[Row], by: &[By], names: &Names) -> String {
    let fields = numbers(&Totals::default()).map(|(name, _)| name);
    let heads = by.iter().flat_map(|by| match by {
        By::Key => &["key", "key_name"][..],
        By::Model => &["model"],
        By::Day => &["day"],
    });
    let mut text = [&heads.copied().collect::<Vec<_>>()[..], &fields, &["cost_usd"]].concat().join(",");
    text.push_str("\r\n");
    for (texts, totals) in rows {
        let mut cells: Vec<String> = Vec::new();
        for (by, text) in texts {
            cells.push(csv_cell(text));
            if *by == By::Key {
                cells.push(csv_cell(names.get(text).map_or("", String::as_str)));
            }
        }
        cells.extend(numbers(totals).map(|(_, number)| number.to_string()));
        cells.push(usd(totals.cost_micro_usd));
        text.push_str(&format!("{}\r\n", cells.join(",")));
    }
    text
}

fn csv_cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn table_text(rows: &[Row], by: &[By], names: &Names) -> String {
    let columns =
        [">requests", ">errors", ">from cache", ">prompt", ">cached", ">completion", ">saved", ">count off", ">USD"];
    let heads: Vec<_> = by.iter().map(|by| name_of(*by)).chain(columns).collect();
    let mut table = Table::new(&heads);
    let mut total = Totals::default();
    for (texts, totals) in rows {
        total.merge(totals);
        let texts = texts.iter().map(|(by, text)| match by {
            By::Key => names.get(text).unwrap_or(text).clone(),
            By::Model | By::Day => text.clone(),
        });
        table.row(&texts.chain(table_cells(totals)).collect::<Vec<_>>());
    }
    if rows.len() > 1 {
        let empty = std::iter::once("total".to_owned()).chain(std::iter::repeat(String::new())).take(by.len());
        table.row(&empty.chain(table_cells(&total)).collect::<Vec<_>>());
    }
    table.to_string()
}

fn table_cells(totals: &Totals) -> [String; 9] {
    let off = match totals.prompt_tokens {
        0 => "-".to_owned(),
        tokens => format!("{:.1} %", totals.estimate_off_tokens as f64 * 100.0 / tokens as f64),
    };
    [
        thousands(totals.requests),
        thousands(totals.errors()),
        thousands(totals.cache_hits),
        thousands(totals.prompt_tokens),
        thousands(totals.cached_tokens),
        thousands(totals.completion_tokens),
        thousands(totals.saved_tokens),
        off,
        usd(totals.cost_micro_usd),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(day: u32, key: &str, model: &str, requests: u64) -> Used {
        let mut totals =
            Totals { requests, prompt_tokens: 1000 * requests, cost_micro_usd: 1_500_000, ..Totals::default() };
        totals.estimate_off_tokens = 25;
        (totals.cache_hits, totals.cache_unspent_tokens) = if key == "k2" { (9, 90) } else { (0, 0) };
        totals.failures[Fault::Timeout as usize] = requests - 1;
        Used { day: Day(day), key: key.into(), model: model.into(), totals }
    }

    fn rows() -> Vec<Used> {
        vec![used(20_781, "k1", "a,\"b\"", 1), used(20_782, "k1", "m\u{1b}[31m", 2), used(20_782, "k2", "a,\"b\"", 4)]
    }

    fn names() -> Names {
        Names::from([("k1".to_owned(), "ci".to_owned())])
    }

    #[test]
    fn rows_are_grouped_in_the_order_asked_for() {
        let check = |by: &[By], expected: &[(&str, u64)]| {
            let rows = grouped(&rows(), by);
            let found: Vec<_> = rows
                .iter()
                .map(|(texts, totals)| {
                    (texts.iter().map(|(_, it)| it.as_str()).collect::<Vec<_>>().join("|"), totals.requests)
                })
                .collect();
            let found: Vec<_> = found.iter().map(|(texts, requests)| (texts.as_str(), *requests)).collect();
            assert_eq!(found, expected);
        };
        check(&[By::Key], &[("k1", 3), ("k2", 4)]);
        check(&[By::Day], &[("2026-11-24", 1), ("2026-11-25", 6)]);
        check(&[By::Model, By::Key], &[("a,\"b\"|k1", 1), ("a,\"b\"|k2", 4), ("m\u{fffd}[31m|k1", 2)]);
    }

    #[test]
    fn tables_have_a_total() {
        let text = table_text(&grouped(&rows(), &[By::Key]), &[By::Key], &names());
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = "\
key    requests  errors  from cache  prompt  cached  completion  saved  count off  USD
ci            3       1           0   3,000       0           0      0      1.7 %    3
k2            4       3           9   4,000       0           0      0      0.6 %  1.5
total         7       4           9   7,000       0           0      0      1.1 %  4.5
";
        assert_eq!(plain, expected);
    }

    #[test]
    fn exports_carry_everything() {
        let rows = grouped(&rows(), &[By::Key, By::Model]);
        let csv = csv_text(&rows, &[By::Key, By::Model], &names());
        let lines: Vec<_> = csv.split("\r\n").collect();
        assert!(
            lines[0].starts_with("key,key_name,model,requests,errors,prompt_tokens,")
                && lines[0].ends_with(",cost_usd")
        );
        assert_eq!(lines[1], "k1,ci,\"a,\"\"b\"\"\",1,0,1000,0,0,0,0,0,25,0,0,1.5");
        assert_eq!((lines.len(), lines[4]), (5, ""));
        let json: Value = serde_json::from_str(&json_text(&rows, &names())).unwrap();
        let row = &json[1];
        assert_eq!((&row["key"], &row["key_name"], &row["requests"]), (&json!("k1"), &json!("ci"), &json!(2)));
        assert_eq!((&row["cost_micro_usd"], &row["cost_usd"]), (&json!(1_500_000), &json!(1.5)));
        assert_eq!((&row["errors_by_kind"], &json[2]["key_name"]), (&json!({"timeout": 1}), &Value::Null));
    }
}
