//! `tollgate batch`: one task over many items, many to a prompt, from files to a table that says what it cost and saved.

mod input;
mod journal;
mod report;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::{ConfigSource, Failure, print, runtime};
use crate::{
    batch::{self, Answers, Outcome, Sender, Simulated, Target},
    proxy::{Proxy, Routes},
};
use journal::Journal;
use tollgate_config::Config;
use tollgate_planners::batch::{BatchPrompt, Budget, Item, Policy, Size, Task};

/// Ask one question of many items, many to a prompt.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate batch --task 'Is this review positive?' --labels yes,no \\
      --items reviews.csv --model gpt-5-mini --out labels.csv
  tollgate batch --task task.toml --items items.jsonl --model claude-haiku-4-5 --plan
                                             calls, tokens and cost before anything is spent
  tollgate batch --task task.toml --items items.jsonl --model sim:boolq-gpt4
                                             a simulated model, which costs nothing

A task is a text, or a file: TOML or JSON with `instructions`, `labels`, `examples` and `format` (lines or json), or
plain text. Items are JSON lines or CSV with the columns `text`, and if there are any `id`, `label` (the right answer,
compared and never sent) and `trust` (items of different trust are never in one prompt).
With `--out`, what was answered is kept beside it until all is done: the same command goes on where it was ended.")]
pub struct BatchArgs {
    /// The question: a text, or a file with the task
    #[arg(short, long, value_name = "TEXT|FILE")]
    task: String,
    /// The answers to choose from, separated by commas, where the task does not say
    #[arg(short, long, value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// The items: a .jsonl or .csv file
    #[arg(short, long, value_name = "FILE")]
    items: PathBuf,
    /// The model, by any name that the gateway routes, or a simulated one (`sim:boolq-gpt4`)
    #[arg(short, long)]
    model: String,
    /// Where the answers go, .jsonl or .csv; standard output without it
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what it will cost, and send nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    /// The column of the text
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text_column: String,
    /// The column of the ids; numbers from 0 where it is absent
    #[arg(long, value_name = "COLUMN", default_value = "id")]
    id_column: String,
    /// The column of the right answers, where they are known
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label_column: String,
    /// Print the report, or the plan, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) source: ConfigSource,
}

/// How items are asked.
#[derive(Debug, Args)]
struct PolicyArgs {
    /// A TOML or JSON file with the whole policy (docs/batch.md); the options below win over it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Most items in a prompt, or `auto`
    #[arg(long, value_name = "N|auto", value_parser = size)]
    size: Option<Size>,
    /// The most answers that an item gets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Most tokens to spend, or a share of what one prompt an item would cost, as in `25%`
    #[arg(long, value_name = "TOKENS|SHARE", value_parser = budget)]
    budget: Option<Budget>,
    /// Stop with the best answers so far after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    deadline: Option<u64>,
    /// Prompts on their way at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: Option<u32>,
    /// Decides every shuffle
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn size(text: &str) -> Result<Size, String> {
    match text.parse() {
        _ if text == "auto" => Ok(Size::Auto),
        Ok(size) if size > 0 => Ok(Size::UpTo(size)),
        _ => Err("write a number from 1 on, or `auto`".to_owned()),
    }
}

fn budget(text: &str) -> Result<Budget, String> {
    let wrong = || "write a number of tokens such as `200000`, or a share such as `25%`".to_owned();
    match text.strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.trim().parse().map_err(|_| wrong())?;
            if share > 0.0 && share.is_finite() { Ok(Budget::ShareOfSingle(share / 100.0)) } else { Err(wrong()) }
        }
        None => text.replace(['_', ','], "").parse().map(Budget::Tokens).map_err(|_| wrong()),
    }
}

/// All that makes a job.
struct Job {
    task: Task,
    items: Vec<Item>,
    policy: Policy,
    target: Target,
}

pub fn run(args: &BatchArgs) -> Result<(), Failure> {
    let config = args.source.load()?.config;
    let job = job(args, &config)?;
    if args.plan {
        // The whole first wave is given out at once.
        let policy = Policy { in_flight: u32::MAX, ..job.policy.clone() };
        return print(&report::plan(job.start(policy)?, job.target.price, args.json)?);
    }
    let mut journal = args.out.as_deref().map(|out| Journal::open(out, &args.model, &job)).transpose()?;
    let mut batch = match journal.as_mut().and_then(Journal::take_progress) {
        Some(progress) => {
            let resumed = BatchPrompt::resume(
                job.task.clone(),
                job.items.clone(),
                job.policy.clone(),
                job.target.tokenizer,
                progress,
            );
            resumed.map_err(|error| error.to_string())?
        }
        None => job.start(job.policy.clone())?,
    };
    let outcome = answered(args, &config, &job, &mut batch, journal.as_mut())?;
    let rows = report::rows(&batch, args.out.as_deref())?;
    match &args.out {
        Some(out) => input::write(out, &rows)?,
        None => print(&rows)?,
    }
    // What is not settled yet may be asked on.
    if let Some(journal) = journal.filter(|_| report::is_whole(&batch)) {
        journal.remove()?;
    }
    let told = report::summary(&batch, outcome.last_failure.as_deref(), args.json);
    if args.out.is_some() {
        return print(&told);
    }
    anstream::eprint!("{told}");
    Ok(())
}

fn job(args: &BatchArgs, config: &Config) -> Result<Job, Failure> {
    let task = input::task(&args.task, &args.labels)?;
    let columns = input::Columns { id: &args.id_column, text: &args.text_column, label: &args.label_column };
    let items = input::items(&args.items, &columns)?;
    let target = Target::find(&Routes::new(config), &args.model)?;
    let policy = policy(&args.policy, &target)?;
    Ok(Job { task, items, policy, target })
}

impl Job {
    fn start(&self, policy: Policy) -> Result<BatchPrompt, Failure> {
        let started = BatchPrompt::new(self.task.clone(), self.items.clone(), policy, self.target.tokenizer);
        started.map_err(|error| error.to_string().into())
    }
}

/// The file's policy, else the model's, and what was said on the command line.
fn policy(args: &PolicyArgs, target: &Target) -> Result<Policy, Failure> {
    let mut policy: Policy = match &args.policy {
        Some(file) => input::structured(file)?,
        None => target.policy(),
    };
    if let Some(size) = args.size {
        policy.size = size;
    }
    policy.rounds = args.rounds.unwrap_or(policy.rounds);
    policy.budget = args.budget.or(policy.budget);
    policy.in_flight = args.in_flight.unwrap_or(policy.in_flight);
    policy.seed = args.seed.unwrap_or(policy.seed);
    policy.deadline_ms = args.deadline.map(|it| batch::now_ms() + it * 1000).or(policy.deadline_ms);
    Ok(policy)
}

/// Asks until all is answered, with a bar on the terminal.
fn answered(
    args: &BatchArgs,
    config: &Config,
    job: &Job,
    batch: &mut BatchPrompt,
    mut journal: Option<&mut Journal>,
) -> Result<Outcome, Failure> {
    let bar = bar(batch.answers().len());
    let step = |batch: &mut BatchPrompt| {
        if let Some(journal) = journal.as_deref_mut() {
            journal.add(&batch.take_changes())?;
        }
        let report = batch.report();
        bar.set_position(report.items - report.open);
        bar.set_message(report::spent(&report));
        Ok(())
    };
    let runtime = runtime()?;
    let cancel = CancellationToken::new();
    runtime.spawn(ended_by_hand(cancel.clone()));
    let answers = answers(args, config, job)?;
    let outcome = runtime.block_on(batch::run(batch, &*answers, &cancel, step));
    bar.finish_and_clear();
    outcome.map_err(|error| format!("no item can be answered: {error}").into())
}

/// The first Ctrl-C stops asking, and what is on its way is awaited; a second one ends the process as it always does.
pub(in crate::cli) async fn ended_by_hand(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        anstream::eprintln!("stopping with what is on its way; once more ends at once");
        cancel.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    }
}

fn answers(args: &BatchArgs, config: &Config, job: &Job) -> Result<Arc<dyn Answers>, Failure> {
    if batch::is_simulated(&args.model) {
        return Ok(Arc::new(Simulated::new(&args.model, job.policy.seed, &job.items)?));
    }
    let proxy = Proxy::open(config, &indexmap::IndexMap::new())?;
    Ok(Arc::new(Sender { proxy, key: None, model: args.model.clone(), tokenizer: job.target.tokenizer }))
}

fn bar(n_items: usize) -> ProgressBar {
    let bar = ProgressBar::new(n_items as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} items  {msg}  {elapsed} (ETA {eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_and_sizes_are_read() {
        assert_eq!(budget("200_000"), Ok(Budget::Tokens(200_000)));
        assert_eq!(budget("25%"), Ok(Budget::ShareOfSingle(0.25)));
        assert!(["", "-3", "0%", "x%", "1.5"].iter().all(|it| budget(it).is_err()));
        assert_eq!((size("auto"), size("32")), (Ok(Size::Auto), Ok(Size::UpTo(32))));
        assert!(["0", "many", "-1"].iter().all(|it| size(it).is_err()));
    }
}
