//! `tollgate bench`: tasks with and without the gate, and what of them is left under a budget.

mod attempt;
mod files;
mod host;
mod journal;
mod model;
mod pace;
mod recorded;
mod report;
mod rescore;
mod run;
mod target;
mod whom;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigSource, Failure, print, table::Table};
use tollgate_benchmarks::{scripted::SCRIPTS, suites::SUITES};

/// Run tasks with and without the gate.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate bench run synthetic-tools         a generated suite and a scripted model: no key, no data
  tollgate bench run bfcl --data bfcl/ --budgets 500,1000,2000
                                             what a perfect model does with what the gate lists
  tollgate bench run bfcl --data bfcl/ --model gpt-5-mini --limit 50 --out run.jsonl
                                             a model; the same command goes on where it was ended
  tollgate bench report run.jsonl --html run.html
  tollgate bench list                        suites and scripted models")]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Run a suite, or go on with a run
    Run(Box<run::RunArgs>),
    /// Show what records come to
    Report(report::ReportArgs),
    /// Judge recorded attempts again, without asking or running anything
    Rescore(rescore::RescoreArgs),
    /// List suites and scripted models
    List,
}

impl BenchArgs {
    /// Where the configuration comes from.
    pub(super) fn source(&mut self) -> Option<&mut ConfigSource> {
        match &mut self.command {
            BenchCommand::Run(args) => Some(&mut args.source),
            BenchCommand::Report(_) | BenchCommand::Rescore(_) | BenchCommand::List => None,
        }
    }
}

pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    match &args.command {
        BenchCommand::Run(args) => run::run(args),
        BenchCommand::Report(args) => report::run(args),
        BenchCommand::Rescore(args) => rescore::run(args),
        BenchCommand::List => list(),
    }
}

fn list() -> Result<(), Failure> {
    let mut suites = Table::new(&["suite", "data", "about"]);
    for suite in SUITES {
        suites.row(&[suite.name().into(), suite.data().unwrap_or("generated").into(), suite.about().into()]);
    }
    let mut scripts = Table::new(&["model", "about"]);
    for script in SCRIPTS {
        scripts.row(&[format!("{}{}", target::SCRIPT, script.name), script.about.into()]);
    }
    print(&format!("{suites}\n{scripts}"))
}

/// A file and why it cannot be used.
fn unusable(path: &std::path::Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be used ({error})", path.display())
}

/// Where a run is kept unless the user says.
fn default_out(suite: &str, target: &str) -> PathBuf {
    let word = |text: &str| -> String {
        text.chars().map(|it| if it.is_ascii_alphanumeric() || "-.".contains(it) { it } else { '-' }).collect()
    };
    PathBuf::from(format!("bench-{}-{}.jsonl", word(suite), word(target)))
}
