//! `tollgate count`: what texts cost, in the tokens of one model or of many side by side.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    ConfigSource, Failure, print,
    table::{Table, thousands},
};
use crate::serve::DEFAULT_PROFILE;
use tollgate_config::{Config, Models, Price};
use tollgate_tokenizers::{TOKENIZERS, Tokenizer};

/// Larger inputs are refused; they would not fit any window.
const MAX_BYTES: u64 = 1 << 30;

/// Count the tokens of files, or of standard input.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate count README.md                       in the tokens of the default profile's model
  tollgate count *.md --model gpt-5,gpt-4,qwen3-32b
  git diff | tollgate count --all                every tokenizer side by side
  tollgate count prompt.txt --model gpt-5 --json")]
pub struct CountArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Text files; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Models whose tokens are counted, separated by commas
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',')]
    model: Vec<String>,
    /// Count with every tokenizer
    #[arg(long, conflicts_with = "model")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// In whose tokens a text is counted, and what is known of the model.
struct Counter {
    name: String,
    tokenizer: Tokenizer,
    is_exact: bool,
    window_tokens: Option<u32>,
    price: Option<Price>,
}

struct Text {
    name: String,
    content: String,
}

struct Counted<'a> {
    text: &'a Text,
    counter: &'a Counter,
    tokens: usize,
}

pub fn run(args: &CountArgs) -> Result<(), Failure> {
    let config = args.source.load()?.config;
    let counters = if args.all { every_tokenizer() } else { models(&config, &args.model)? };
    let texts = texts(&args.files)?;
    let rows: Vec<_> = texts.iter().flat_map(|text| counters.iter().map(|it| count(text, it))).collect();
    print(&if args.json { as_json(&rows) } else { as_table(&rows, texts.len() > 1) })
}

fn every_tokenizer() -> Vec<Counter> {
    let named = TOKENIZERS.iter().filter_map(|it| Tokenizer::by_name(&it.name).ok());
    let counter = |tokenizer: Tokenizer| Counter {
        name: tokenizer.name().to_owned(),
        tokenizer,
        is_exact: true,
        window_tokens: None,
        price: None,
    };
    named.map(counter).collect()
}

fn models(config: &Config, names: &[String]) -> Result<Vec<Counter>, Failure> {
    let default = config.profiles.get(DEFAULT_PROFILE).map(|it| it.model.clone());
    let names = if names.is_empty() { default.as_slice() } else { names };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for name in names {
        match model(&config.models, name) {
            Ok(counter) => found.push(counter),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Failure(wrong)) }
}

fn model(models: &Models, name: &str) -> Result<Counter, String> {
    let model = models.find(name).map_err(|error| error.to_string())?;
    let tokenizer = Tokenizer::by_name(&model.tokenizer).map_err(|error| error.to_string())?;
    let (window_tokens, price) = (model.window_tokens, model.price);
    Ok(Counter { name: name.to_owned(), tokenizer, is_exact: model.exact, window_tokens, price })
}

fn texts(files: &[PathBuf]) -> Result<Vec<Text>, Failure> {
    let stdin = [PathBuf::from("-")];
    let files = if files.is_empty() { &stdin } else { files };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        match read(file) {
            Ok(content) => found.push(Text { name: file.display().to_string(), content }),
            Err(error) => wrong.push(format!("`{}` {error}", file.display())),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Failure(wrong)) }
}

fn read(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read ({error})");
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(file).map_err(unreadable)?.take(MAX_BYTES + 1).read_to_end(&mut bytes),
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is over the limit of {MAX_BYTES} bytes; count parts of it"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is no UTF-8 text (byte {at}); models are sent text, so turn it into some first")
    })
}

fn count<'a>(text: &'a Text, counter: &'a Counter) -> Counted<'a> {
    Counted { text, counter, tokens: counter.tokenizer.count(&text.content) }
}

impl Counted<'_> {
    /// Share of the model's window, 0 to 1 and more.
    fn window_share(&self) -> Option<f64> {
        self.counter.window_tokens.map(|window| self.tokens as f64 / f64::from(window))
    }

    /// What sending it once costs.
    fn input_usd(&self) -> Option<f64> {
        self.counter.price.map(|it| it.input_usd * self.tokens as f64 / 1e6)
    }

    fn per_token(&self, units: usize) -> Option<f64> {
        (self.tokens > 0).then(|| units as f64 / self.tokens as f64)
    }
}

fn as_json(rows: &[Counted<'_>]) -> String {
    let row = |it: &Counted<'_>| {
        json!({
            "file": it.text.name,
            "model": it.counter.name,
            "tokenizer": it.counter.tokenizer.name(),
            "exact": it.counter.is_exact,
            "tokens": it.tokens,
            "bytes": it.text.content.len(),
            "chars": it.text.content.chars().count(),
            "window_share": it.window_share(),
            "input_usd": it.input_usd(),
        })
    };
    format!("{}\n", Value::Array(rows.iter().map(row).collect()))
}

fn as_table(rows: &[Counted<'_>], names_files: bool) -> String {
    let mut header = vec!["model", ">tokens", ">bytes/token", ">chars/token", ">of window", ">input $", "count"];
    if names_files {
        header.insert(0, "file");
    }
    let mut table = Table::new(&header);
    for row in rows {
        let mut cells = cells(row);
        if names_files {
            cells.insert(0, row.text.name.clone());
        }
        table.row(&cells);
    }
    table.to_string()
}

fn cells(row: &Counted<'_>) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let ratio = |units| or_dash(row.per_token(units).map(|it| format!("{it:.2}")));
    let kind = if row.counter.is_exact { "exact" } else { "estimate" };
    vec![
        row.counter.name.clone(),
        thousands(row.tokens as u64),
        ratio(row.text.content.len()),
        ratio(row.text.content.chars().count()),
        or_dash(row.window_share().map(|it| format!("{:.2} %", 100.0 * it))),
        or_dash(row.input_usd().map(|it| format!("{it:.4}"))),
        format!("{kind}, {}", row.counter.tokenizer.name()),
    ]
}
