//! `tollgate bench rescore`: judges recorded attempts again, as after a suite's judge was mended; nothing is asked or run.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    journal, report,
    run::{choice_of, setting_of},
    unusable,
};
use crate::cli::Failure;
use tollgate_benchmarks::{
    record::{Header, counts},
    runner::{Choice, Chosen, survey},
    suite::{Opened, Setting, Suite, Tasks},
    suites::suite,
    task::Task,
    trace::Line,
};

/// Tasks behind the one that was read last that are kept; lines come nearly in the order of their tasks.
const WINDOW: u64 = 1024;

#[derive(Debug, Args)]
pub struct RescoreArgs {
    /// The record
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The suite's data, as the run had it
    #[arg(short, long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// The distractors, as the run had them
    #[arg(long, value_name = "FILE")]
    distractors: Option<PathBuf>,
    /// Where the new record goes; over the old one without it
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    shown: report::ShownArgs,
}

pub fn run(args: &RescoreArgs) -> Result<(), Failure> {
    let header = journal::header(&args.run)?;
    let (suite, setting) =
        (suite(&header.suite)?, setting_of(&header, args.data.as_deref(), args.distractors.as_deref())?);
    let choice = choice_of(&header);
    check_same(suite, &setting, &choice, &header)?;
    let to = args.out.clone().unwrap_or_else(|| args.run.clone());
    // Whatever happens, the old record is whole until the new one is.
    let mut unfinished = to.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let changed = write(args, suite, &setting, &choice, &header, &unfinished)?;
    fs::rename(&unfinished, &to).map_err(|error| unusable(&to, &error))?;
    anstream::eprintln!("{changed} attempts are judged otherwise now");
    report::show_record(&to, &args.shown)
}

/// The tasks must be those of the run.
fn check_same(suite: &dyn Suite, setting: &Setting, choice: &Choice, header: &Header) -> Result<(), String> {
    let arms: Vec<_> = header.arms.iter().filter_map(|it| it.parse().ok()).collect();
    let found = survey(tasks(suite, setting)?, choice, &arms, header.trials);
    if (&found.task_set, &found.schemas) == (&header.task_set, &header.schemas) {
        return Ok(());
    }
    Err(format!(
        "the tasks are others now ({:.12}, and {:.12} in the record); give --data and --distractors as the run had them",
        found.task_set, header.task_set
    ))
}

fn tasks(suite: &dyn Suite, setting: &Setting) -> Result<Tasks, String> {
    match suite.open(setting)? {
        Opened::Tasks(tasks) => Ok(tasks),
        Opened::Tables(_) => Err(format!("the suite `{}` has no attempts to judge", suite.name())),
    }
}

fn write(
    args: &RescoreArgs,
    suite: &dyn Suite,
    setting: &Setting,
    choice: &Choice,
    header: &Header,
    to: &Path,
) -> Result<u64, String> {
    let io = |error: std::io::Error| unusable(to, &error);
    let mut file = BufWriter::new(File::create(to).map_err(io)?);
    let first = serde_json::to_string(header).map_err(|error| error.to_string())?;
    writeln!(file, "{first}").map_err(io)?;
    let mut known = Known { suite, setting, choice, tasks: None, kept: BTreeMap::new(), next: 0 };
    let (mut failure, mut changed) = (None, 0);
    journal::read(&args.run, |line| {
        if failure.is_none() {
            let judged = known.judged(&line);
            let written = judged.and_then(|judged| {
                changed += u64::from(judged.solved != line.solved || judged.stopped != line.stopped);
                let text = serde_json::to_string(&judged).map_err(|error| error.to_string())?;
                writeln!(file, "{text}").map_err(io)
            });
            failure = written.err();
        }
    })?;
    file.flush().map_err(io)?;
    failure.map_or(Ok(changed), Err)
}

/// The tasks around the one that was asked for last.
struct Known<'a> {
    suite: &'a dyn Suite,
    setting: &'a Setting,
    choice: &'a Choice,
    tasks: Option<Chosen>,
    kept: BTreeMap<u64, Task>,
    next: u64,
}

impl Known<'_> {
    fn judged(&mut self, line: &Line) -> Result<Line, String> {
        if !counts(line) {
            return Ok(line.clone());
        }
        let suite = self.suite;
        let task = self.task(line.n)?;
        if task.id != line.task {
            return Err(format!("task {} is `{}` now, and `{}` in the record", line.n, task.id, line.task));
        }
        let judged = suite.judge(task, &line.trace);
        Ok(Line {
            solved: judged.solved,
            score: judged.score,
            stopped: judged.stopped,
            numbers: judged.numbers,
            ..line.clone()
        })
    }

    fn task(&mut self, n: u64) -> Result<&Task, String> {
        // A task before the window: from the beginning again.
        if n < self.next && !self.kept.contains_key(&n) {
            (self.tasks, self.next) = (None, 0);
            self.kept.clear();
        }
        if self.tasks.is_none() {
            self.tasks = Some(Chosen::new(tasks(self.suite, self.setting)?, self.choice));
        }
        while self.next <= n {
            let task =
                self.tasks.as_mut().and_then(Iterator::next).ok_or_else(|| format!("there is no task {n} any more"))?;
            self.kept.insert(self.next, task);
            self.next += 1;
            if self.next > WINDOW {
                self.kept.remove(&(self.next - WINDOW - 1));
            }
        }
        self.kept.get(&n).ok_or_else(|| format!("task {n} was lost"))
    }
}
