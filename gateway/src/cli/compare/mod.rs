//! `tollgate compare`: the same texts in many tokenizers, in one table.

mod report;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    ConfigSource, Failure,
    counters::{self, Counter},
    inputs, print,
};
use tollgate_config::Config;
use tollgate_tokenizers::Comparison;

/// Compare what tokenizers make of the same texts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate compare src/*.rs docs/*.md      the default profile's model and every
                                           tokenizer
  tollgate compare src/*.rs --model gpt-5,claude-sonnet-4-5,qwen3-32b
  git diff | tollgate compare - --json

Files are summed, by extension and together. Ratios are to the first model.")]
pub struct CompareArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Text files; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Models to compare, separated by commas
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',')]
    model: Vec<String>,
    /// Compare every tokenizer, as happens without `--model`
    #[arg(long, conflicts_with = "model")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &CompareArgs) -> Result<(), Failure> {
    let config = args.source.load()?.config;
    let counters = counters(&config, &args.model)?;
    let mut comparison = Comparison::new(counters.iter().map(|it| it.tokenizer).collect());
    inputs::all(&inputs::or_stdin(&args.files), |file| {
        comparison.add(&kind(file), &inputs::text(file)?);
        Ok::<_, String>(())
    })?;
    print(&if args.json { report::as_json(&counters, &comparison) } else { report::as_text(&counters, &comparison) })
}

/// The models that were named, or the default profile's and every tokenizer but its own.
fn counters(config: &Config, names: &[String]) -> Result<Vec<Counter>, Failure> {
    let mut counters = counters::models(config, names)?;
    if names.is_empty() {
        let others = counters::every_tokenizer();
        let is_new = |it: &Counter| counters.iter().all(|known| known.tokenizer.name() != it.tokenizer.name());
        let others: Vec<Counter> = others.into_iter().filter(is_new).collect();
        counters.extend(others);
    }
    Ok(counters)
}

/// The extension of a file in lower case.
fn kind(file: &Path) -> String {
    file.extension().map_or_else(|| "no extension".into(), |it| format!(".{}", it.to_string_lossy().to_lowercase()))
}
