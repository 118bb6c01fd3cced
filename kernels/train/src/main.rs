//! The command line: a command for each step from files to a model and its report.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tollgate_train::{corpus, curves, data, draft, error, eval, progress, target, tokenizer};

/// Trains small targets and LongSpec drafts on the CPU.
#[derive(Debug, Parser)]
#[command(name = "tollgate-train")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Gather texts with their licences, and write transcripts
    Data(data::Args),
    /// Train a vocabulary and write tokenizer.json
    Tokenizer {
        /// Folder of `data`
        #[arg(long)]
        data: PathBuf,
        /// Folder of the model
        #[arg(long)]
        model: PathBuf,
        /// Tokens, control tokens included
        #[arg(long, default_value_t = 1536)]
        vocab: usize,
    },
    /// Train a small Llama
    Target(target::Args),
    /// Train a LongSpec draft for a target
    Draft(draft::Args),
    /// Measure a target and its drafts on held-out text
    Eval(eval::Args),
    /// Draw the losses of several runs in one picture
    Curves {
        /// Folders of runs
        #[arg(long = "run", required = true)]
        runs: Vec<PathBuf>,
        /// The picture
        #[arg(long)]
        out: PathBuf,
    },
}

fn draw(runs: &[PathBuf], out: &std::path::Path) -> error::Result<()> {
    let rows: Vec<_> = runs.iter().map(|it| progress::read(it)).collect::<error::Result<_>>()?;
    let names: Vec<_> =
        runs.iter().map(|it| it.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    let curves: Vec<_> = names.iter().zip(&rows).map(|(name, rows)| (&**name, &**rows)).collect();
    error::write_whole(out, curves::losses(&curves).map_err(error::Error::bad)?.as_bytes())
}

fn run(command: Command) -> error::Result<()> {
    match command {
        Command::Data(args) => data::gather(&args),
        Command::Tokenizer { data, model, vocab } => {
            tokenizer::train(&corpus::documents(&data.join("train.jsonl"))?, vocab, &model)
        }
        Command::Target(args) => target::run(&args),
        Command::Draft(args) => draft::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Curves { runs, out } => draw(&runs, &out),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
