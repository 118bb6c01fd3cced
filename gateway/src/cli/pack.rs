//! `tollgate pack`: what of a folder a question needs, within a budget.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{
    ConfigSource, Failure,
    counters::{self, Counter},
    print,
    table::{Table, count, thousands},
};
use crate::context::{Ask, BinaryAsk, Files, Folder, open_folder, pack, pack_binary};
use tollgate_config::Config;
use tollgate_planners::context::{BinaryPack, Pack, Packed, Shown};

/// Larger files are not read, unless asked for.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How a reader of the context reaches what it leaves out.
const REMEDY: &str = "raise the budget, narrow the question, or read the files";

/// Pack what a question needs of a folder into a budget.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate pack --query 'where are retries decided' | pbcopy
  tollgate pack src --model gpt-5 --budget 8000 --query 'add a new store'
  tollgate pack --budget 2000 --plan       what a folder is about, and what was chosen
  tollgate pack --query 'retries' --json
  tollgate pack target/release/tollgate --query 'which errors name a remedy'

Files that `.gitignore` names, hidden ones and links are left out.")]
pub struct PackArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// The folder, or a binary file
    #[arg(value_name = "PATH", default_value = ".")]
    folder: PathBuf,
    /// The model whose tokens are counted, instead of the default profile's
    #[arg(short, long)]
    model: Option<String>,
    /// The most tokens that the context may cost
    #[arg(short, long, value_name = "TOKENS", default_value_t = 4_000)]
    budget: u64,
    /// What the context is for; without it, what the folder is about
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
    /// Files with more bytes are not read
    #[arg(long, value_name = "BYTES", default_value_t = MAX_FILE_BYTES)]
    max_file_bytes: u64,
    /// Print what was chosen instead of the context
    #[arg(long)]
    plan: bool,
    /// Print JSON, with the context and the plan
    #[arg(long)]
    json: bool,
}

pub fn run(args: &PackArgs) -> Result<(), Failure> {
    let config = args.source.load()?.config;
    let counter = counter(args, &config)?;
    if args.folder.is_file() {
        return binary(args, &counter);
    }
    let files = Files::open(&args.folder, args.max_file_bytes)?;
    let mut folder = open_folder(files, &config.store);
    let ask = Ask { query: args.query.as_deref(), budget: args.budget, tokenizer: counter.tokenizer, remedy: REMEDY };
    let packed = pack(&mut folder, &ask)?;
    let report = Report { args, packed: &packed, folder: &folder, counter: &counter };
    print(&match (args.json, args.plan) {
        (true, _) => report.as_json(),
        (false, true) => report.as_plan(),
        (false, false) => packed.text.clone(),
    })
}

fn counter(args: &PackArgs, config: &Config) -> Result<Counter, Failure> {
    let names: Vec<String> = args.model.iter().cloned().collect();
    let found = counters::models(config, &names)?.into_iter().next();
    found.ok_or_else(|| "there is no model; name one".to_owned().into())
}

/// A file instead of a folder: what of a binary matters.
fn binary(args: &PackArgs, counter: &Counter) -> Result<(), Failure> {
    let name = args.folder.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let parent = args.folder.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = Files::open(parent, args.max_file_bytes)?;
    let ask = BinaryAsk {
        path: &name,
        query: args.query.as_deref(),
        budget: args.budget,
        tokenizer: counter.tokenizer,
        remedy: "raise the budget, or narrow the question",
    };
    let packed = pack_binary(&files, &ask)?;
    print(&match (args.json, args.plan) {
        (true, _) => binary_json(args, counter, &packed),
        (false, true) => binary_plan(args, counter, &packed),
        (false, false) => packed.text,
    })
}

fn binary_json(args: &PackArgs, counter: &Counter, packed: &BinaryPack) -> String {
    let item = |it: &Shown| {
        json!({
            "group": it.group,
            "offset": it.offset,
            "view": it.view,
            "tokens": it.tokens,
            "relevance": it.relevance,
        })
    };
    let out = json!({
        "model": counter.name,
        "tokenizer": counter.tokenizer.name(),
        "exact": counter.is_exact,
        "budget": args.budget,
        "tokens": packed.tokens,
        "gap": packed.gap,
        "context": packed.text,
        "plan": packed.shown.iter().map(item).collect::<Vec<Value>>(),
        "left_out": packed.n_left_out,
    });
    format!("{out}\n")
}

fn binary_plan(args: &PackArgs, counter: &Counter, packed: &BinaryPack) -> String {
    let mut table = Table::new(&["group", ">offset", "view", ">tokens", ">relevance"]);
    for it in &packed.shown {
        let relevance = format!("{:.3}", it.relevance);
        let tokens = thousands(u64::from(it.tokens));
        table.row(&[it.group.into(), format!("{:#x}", it.offset), it.view.into(), tokens, relevance]);
    }
    let tokens = count(packed.tokens, "token");
    let budget = thousands(args.budget);
    let left = count(packed.n_left_out as u64, "item");
    format!("{table}{tokens} of {budget} budgeted, counted for {}; {left} left out\n", counter.name)
}

struct Report<'a> {
    args: &'a PackArgs,
    packed: &'a Pack,
    folder: &'a Folder,
    counter: &'a Counter,
}

impl Report<'_> {
    fn as_json(&self) -> String {
        let item = |it: &Packed| {
            json!({
                "path": *it.path,
                "first_line": it.lines.0,
                "last_line": it.lines.1,
                "kind": it.kind.name(),
                "name": it.name,
                "view": it.view.name(),
                "tokens": it.tokens,
                "relevance": it.relevance,
            })
        };
        let unread = self.folder.unread().iter().map(|(path, bytes)| json!({"path": path, "bytes": bytes}));
        let out = json!({
            "model": self.counter.name,
            "tokenizer": self.counter.tokenizer.name(),
            "exact": self.counter.is_exact,
            "budget": self.args.budget,
            "tokens": self.packed.tokens,
            "gap": self.packed.gap,
            "context": self.packed.text,
            "plan": self.packed.packed.iter().map(item).collect::<Vec<Value>>(),
            "left_out": {"symbols": self.packed.left_out.0, "files": self.packed.left_out.1},
            "not_read": unread.collect::<Vec<Value>>(),
            "note": self.folder.note(),
        });
        format!("{out}\n")
    }

    fn as_plan(&self) -> String {
        let mut table = Table::new(&["view", ">tokens", ">relevance", "lines", "symbol"]);
        for it in &self.packed.packed {
            let place = format!("{}:{}-{}", it.path, it.lines.0, it.lines.1);
            let relevance = format!("{:.3}", it.relevance);
            let symbol = format!("{} {}", it.kind.name(), it.name);
            table.row(&[it.view.name().into(), thousands(u64::from(it.tokens)), relevance, place, symbol]);
        }
        let (symbols, files) = self.packed.left_out;
        let exact = if self.counter.is_exact { "exact" } else { "an estimate for this model" };
        let lines = [
            Some(table.to_string()),
            Some(format!(
                "{} of {} budgeted, counted for {} ({}), {exact}\n",
                count(self.packed.tokens, "token"),
                thousands(self.args.budget),
                self.counter.name,
                self.counter.tokenizer.name()
            )),
            Some(format!(
                "{} are left out, and all of {}; at most {:.2} % from the best plan that is possible\n",
                count(symbols as u64, "symbol"),
                count(files as u64, "file"),
                100.0 * self.packed.gap
            )),
            self.unread_line(),
            self.folder.note().map(|it| format!("{it}\n")),
        ];
        lines.into_iter().flatten().collect()
    }

    fn unread_line(&self) -> Option<String> {
        let unread = self.folder.unread();
        let shown: Vec<&str> = unread.keys().take(5).map(String::as_str).collect();
        let more = if unread.len() > shown.len() { ", ..." } else { "" };
        let told = || {
            let n = count(unread.len() as u64, "file");
            format!(
                "{n} not read, being no text or over {} bytes: {}{more}\n",
                self.args.max_file_bytes,
                shown.join(", ")
            )
        };
        (!unread.is_empty()).then(told)
    }
}
