//! `tollgate bench run`: all attempts of a suite, many at a time, each recorded when it is done.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{
    attempt::{Bench, Shelves},
    default_out,
    files::{Folder, WithLists},
    host::{Host, HostArgs},
    journal::Journal,
    report,
    whom::{Whom, WhomArgs},
};
use crate::{
    cli::{ConfigSource, Failure, key_value, print, table::thousands},
    sync::lock,
};
use tollgate_benchmarks::{
    arm::Arm,
    episode::Rules,
    record::{Header, VERSION},
    runner::{Choice, Progress, Runner, Survey, survey},
    suite::{Files, Opened, Setting, Suite, Tasks},
    suites::suite,
    table::Table,
    trace::Line,
};
use tollgate_tokenizers::Tokenizer;

/// Attempts under way at once with a model.
const MODEL_CONCURRENCY: usize = 8;

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The suite; `tollgate bench list` shows them
    #[arg(value_name = "SUITE")]
    suite: String,
    /// The suite's data: a folder or a file
    #[arg(short, long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Tools that nobody needs, mixed in: JSON lines
    #[arg(long, value_name = "FILE")]
    distractors: Option<PathBuf>,
    #[command(flatten)]
    whom: WhomArgs,
    /// What is shown: oracle, all, gate (at each budget), gate@TOKENS
    #[arg(long, value_name = "ARM", value_delimiter = ',', default_value = "oracle,all,gate")]
    arms: Vec<String>,
    /// Budgets of tools, in tokens
    #[arg(short, long, value_name = "TOKENS", value_delimiter = ',', default_value = "500,1000,2000,4000")]
    budgets: Vec<u32>,
    /// Attempts at each task in each arm
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Decides everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// No more tasks than this
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only tasks whose id or category holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Where the record goes; an existing one is gone on with
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Attempts under way at once
    #[arg(long, value_name = "N")]
    concurrency: Option<NonZero<usize>>,
    #[command(flatten)]
    tasks: TaskArgs,
    #[command(flatten)]
    host: HostArgs,
    /// Requests to the model in one attempt, at most
    #[arg(long, value_name = "N", default_value_t = Rules::default().max_rounds)]
    max_rounds: usize,
    #[command(flatten)]
    shown: report::ShownArgs,
    #[command(flatten)]
    pub(in crate::cli) source: ConfigSource,
}

/// How tasks are made.
#[derive(Debug, Args)]
struct TaskArgs {
    /// The vocabulary that lengths and budgets are counted in, instead of the model's
    #[arg(long, value_name = "NAME")]
    tokenizer: Option<String>,
    /// Lengths of generated contexts, in tokens
    #[arg(long, value_name = "TOKENS", value_delimiter = ',')]
    lengths: Vec<usize>,
    /// Generated tasks for each cell of the suite
    #[arg(long, value_name = "N", default_value_t = 0)]
    tasks_per_cell: usize,
    /// What only this suite knows
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = key_value)]
    options: Vec<(String, String)>,
}

pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let (suite, arms) = (suite(&args.suite)?, arms(args)?);
    let whom = args.whom.open(&args.source, &arms, args.seed)?;
    let (runtime, mut setting) = (runtime()?, setting(args, whom.tokenizer)?);
    let host = args.host.open(&args.source, &runtime, args.seed)?;
    if let (Some(files), Some(lists)) = (&setting.files, host.lists()) {
        setting.files = Some(Arc::new(WithLists { files: Arc::clone(files), lists }));
    }
    match suite.open(&setting)? {
        Opened::Tables(tables) => show(&tables, args.shown.is_json()),
        Opened::Tasks(tasks) => run_tasks(args, &Chosen { suite, arms, setting }, Who { runtime, whom, host }, tasks),
    }
}

/// What is run.
struct Chosen {
    suite: &'static dyn Suite,
    arms: Vec<Arm>,
    setting: Setting,
}

/// Who answers, and who runs the tools.
struct Who {
    runtime: Runtime,
    whom: Whom,
    host: Box<dyn Host>,
}

fn setting(args: &RunArgs, of_model: Tokenizer) -> Result<Setting, Failure> {
    Ok(Setting {
        files: args.data.as_deref().map(open_data).transpose()?,
        distractors: args.distractors.as_deref().map(read_distractors).transpose()?,
        seed: args.seed,
        tokenizer: match &args.tasks.tokenizer {
            Some(name) => Tokenizer::by_name(name).map_err(|error| error.to_string())?,
            None => of_model,
        },
        lengths: args.tasks.lengths.clone(),
        tasks_per_cell: args.tasks.tasks_per_cell,
        budgets: args.budgets.clone(),
        options: args.tasks.options.iter().cloned().collect::<BTreeMap<_, _>>(),
    })
}

/// The setting that a record was made with; data has to be named again.
pub fn setting_of(header: &Header, data: Option<&Path>, distractors: Option<&Path>) -> Result<Setting, String> {
    let member = |name: &str| header.setting[name].clone();
    let wrong = |error: serde_json::Error| format!("the record's setting cannot be read ({error})");
    Ok(Setting {
        files: data.map(open_data).transpose()?,
        distractors: distractors.map(read_distractors).transpose()?,
        seed: header.seed,
        tokenizer: Tokenizer::by_name(&header.tokenizer).map_err(|error| error.to_string())?,
        lengths: serde_json::from_value(member("lengths")).map_err(wrong)?,
        tasks_per_cell: serde_json::from_value(member("tasks_per_cell")).map_err(wrong)?,
        budgets: serde_json::from_value(member("budgets")).map_err(wrong)?,
        options: serde_json::from_value(member("options")).map_err(wrong)?,
    })
}

/// Which tasks a record is of.
pub fn choice_of(header: &Header) -> Choice {
    Choice { filter: header.setting["filter"].as_str().map(str::to_owned), limit: header.setting["limit"].as_u64() }
}

fn open_data(path: &Path) -> Result<Arc<dyn Files>, String> {
    Ok(Arc::new(Folder::open(path)?))
}

fn read_distractors(path: &Path) -> Result<Arc<str>, String> {
    fs::read_to_string(path).map(Arc::from).map_err(|error| super::unusable(path, &error))
}

fn run_tasks(args: &RunArgs, chosen: &Chosen, who: Who, tasks: Tasks) -> Result<(), Failure> {
    let Chosen { suite, arms, setting } = chosen;
    let choice = Choice { filter: args.filter.clone(), limit: args.limit };
    let survey = survey(tasks, &choice, arms, args.trials);
    survey.broken.iter().for_each(|told| anstream::eprintln!("broken data: {told}"));
    if survey.tasks == 0 {
        return Err(format!("the suite `{}` has no task here; see --data, --filter and --limit", suite.name()).into());
    }
    let Opened::Tasks(tasks) = suite.open(setting)? else { return Ok(()) };
    let mut runner = Runner::new(tasks, &choice, arms.clone(), args.trials);
    let out = args.out.clone().unwrap_or_else(|| default_out(suite.name(), &args.whom.model));
    let journal = Journal::open(&out, &header(args, chosen, &survey), |line| runner.resume(&line))?;
    let bench = Bench {
        suite: *suite,
        target: who.whom.target,
        host: who.host,
        rules: Rules { max_rounds: args.max_rounds, ..Rules::default() },
        tokenizer: setting.tokenizer,
        price: who.whom.price,
        shelves: Shelves::default(),
    };
    drive(args, &who.runtime, bench, State { runner, journal, failure: None, bar: bar(survey.attempts) })?;
    report::show_record(&out, &args.shown)
}

fn arms(args: &RunArgs) -> Result<Vec<Arm>, String> {
    let mut arms = Vec::new();
    for text in &args.arms {
        match text.as_str() {
            "gate" => arms.extend(args.budgets.iter().map(|budget| Arm::Gate(*budget))),
            "served" => arms.extend(args.budgets.iter().map(|budget| Arm::Served(*budget))),
            text => arms.push(text.parse()?),
        }
    }
    let mut seen = Vec::new();
    arms.retain(|arm| {
        !seen.contains(arm) && {
            seen.push(*arm);
            true
        }
    });
    Ok(arms)
}

fn header(args: &RunArgs, chosen: &Chosen, survey: &Survey) -> Header {
    Header {
        tollgate_bench: VERSION,
        suite: chosen.suite.name().to_owned(),
        target: args.whom.name(),
        host: args.host.name(),
        arms: chosen.arms.iter().map(ToString::to_string).collect(),
        trials: args.trials,
        seed: args.seed,
        tokenizer: chosen.setting.tokenizer.name().to_owned(),
        tasks: survey.tasks,
        task_set: survey.task_set.clone(),
        schemas: survey.schemas.clone(),
        setting: json!({
            "limit": args.limit,
            "filter": args.filter,
            "lengths": args.tasks.lengths,
            "tasks_per_cell": args.tasks.tasks_per_cell,
            "budgets": args.budgets,
            "options": chosen.setting.options,
            "max_rounds": args.max_rounds,
        }),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// What attempts change, one at a time.
struct State {
    runner: Runner,
    journal: Journal,
    /// Why nothing can be recorded any more.
    failure: Option<String>,
    bar: ProgressBar,
}

impl State {
    fn take(&mut self, line: &Line) {
        if self.runner.record(line)
            && let Err(told) = self.journal.add(line)
        {
            self.failure = Some(told);
        }
        let progress = self.runner.progress();
        self.bar.set_position(progress.done);
        self.bar.set_message(spent(&progress));
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// A thread for each core: scripts count and plan on them.
fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(cores()).enable_all().build();
    built.map_err(|error| format!("the runtime did not start ({error})").into())
}

/// Makes all attempts that are left.
fn drive(args: &RunArgs, runtime: &Runtime, bench: Bench, state: State) -> Result<(), Failure> {
    let is_instant = args.whom.is_script() && args.host.is_instant();
    let usual = if is_instant { cores() } else { MODEL_CONCURRENCY };
    let workers = if args.host.is_one_by_one() { 1 } else { args.concurrency.map_or(usual, NonZero::get) };
    let (bench, state) = (Arc::new(bench), Arc::new(Mutex::new(state)));
    state_bar(&state, |bar, progress| bar.set_position(progress.done));
    let cancel = CancellationToken::new();
    runtime.spawn(crate::cli::batch::ended_by_hand(cancel.clone()));
    runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..workers {
            running.spawn(work(Arc::clone(&bench), Arc::clone(&state), cancel.clone()));
        }
        running.join_all().await;
        bench.host.close().await;
    });
    state_bar(&state, |bar, _| bar.finish_and_clear());
    match lock(&state).failure.take() {
        Some(told) => Err(told.into()),
        None => Ok(()),
    }
}

fn state_bar(state: &Mutex<State>, then: impl FnOnce(&ProgressBar, Progress)) {
    let state = lock(state);
    then(&state.bar, state.runner.progress());
}

async fn work(bench: Arc<Bench>, state: Arc<Mutex<State>>, cancel: CancellationToken) {
    while !cancel.is_cancelled() {
        let next = {
            let mut state = lock(&state);
            if state.failure.is_some() { None } else { state.runner.next_attempt() }
        };
        let Some(attempt) = next else { return };
        let line = bench.attempt(&attempt).await;
        lock(&state).take(&line);
        // A script never waits, and its neighbours want their turn.
        tokio::task::yield_now().await;
    }
}

fn bar(attempts: u64) -> ProgressBar {
    let bar = ProgressBar::new(attempts);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} attempts  {msg}  {elapsed} (ETA {eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn spent(progress: &Progress) -> String {
    let share = 100.0 * progress.solved as f64 / progress.done.max(1) as f64;
    let cost = if progress.cost_usd > 0.0 { format!(", ${:.2}", progress.cost_usd) } else { String::new() };
    format!("{share:.1} % solved, {} tokens{cost}", thousands(progress.usage.total()))
}

fn show(tables: &[Table], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print(&format!("{:#}\n", report::tables_json(tables)));
    }
    print(&report::text(tables))
}
