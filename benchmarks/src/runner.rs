//! Which attempt is next, what was recorded, and what is left: a state machine that whoever does the IO drives.
//!
//! Tasks stream through; what is held is the task at hand, ranges of what is done, and running sums, whatever the number
//! of tasks.

mod done;

use std::sync::Arc;

use crate::arm::Arm;
use crate::random::digest;
use crate::record;
use crate::suite::Tasks;
use crate::task::Task;
use crate::trace::{Line, Usage};
pub use done::Done;

/// Which of a suite's tasks are run.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only tasks whose id or category holds this.
    pub filter: Option<String>,
    /// No more than so many.
    pub limit: Option<u64>,
}

/// An attempt to make.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The place of the task among those chosen.
    pub n: u64,
    /// The task.
    pub task: Arc<Task>,
    /// What is shown.
    pub arm: Arm,
    /// Which trial.
    pub trial: u32,
}

/// What a first look at all tasks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many are chosen.
    pub tasks: u64,
    /// How many attempts that makes.
    pub attempts: u64,
    /// SHA-256 over the chosen tasks.
    pub task_set: String,
    /// SHA-256 over their sets of tools.
    pub schemas: String,
    /// What is broken in the data.
    pub broken: Vec<String>,
}

/// Sums so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Attempts recorded.
    pub done: u64,
    /// Of these, solved.
    pub solved: u64,
    /// Attempts that broke.
    pub broken: u64,
    /// Tokens.
    pub usage: Usage,
    /// What it cost, where there is a price.
    pub cost_usd: f64,
}

/// The run.
pub struct Runner {
    tasks: Chosen,
    arms: Vec<Arm>,
    trials: u32,
    done: Done,
    progress: Progress,
    n: u64,
    current: Option<(u64, Arc<Task>)>,
    /// The next attempt of the current task.
    slot: u64,
}

/// The tasks that are chosen; what is broken is left to the survey.
pub struct Chosen(Box<dyn Iterator<Item = Task> + Send>);

impl Chosen {
    /// Of all tasks these.
    #[must_use]
    pub fn new(tasks: Tasks, choice: &Choice) -> Self {
        let filter = choice.filter.clone();
        let is_wanted = move |task: &Task| {
            filter.as_ref().is_none_or(|it| task.id.contains(it.as_str()) || task.category.contains(it.as_str()))
        };
        let limit = choice.limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
        Self(Box::new(tasks.filter_map(Result::ok).filter(is_wanted).take(limit)))
    }
}

impl Iterator for Chosen {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        self.0.next()
    }
}

/// The arms that make sense for a task: without tools there is only one.
#[must_use]
pub fn arms_for<'a>(task: &Task, arms: &'a [Arm]) -> &'a [Arm] {
    if task.tools.defs.is_empty() { &[Arm::Plain] } else { arms }
}

/// Goes through all tasks once: how many there are, and the digests by which runs are compared.
pub fn survey(tasks: Tasks, choice: &Choice, arms: &[Arm], trials: u32) -> Survey {
    let mut survey = Survey::default();
    let (mut task_set, mut schemas, mut last_tools) = (String::new(), String::new(), String::new());
    let broken = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&broken);
    let watched = tasks.inspect(move |task| {
        if let Err(told) = task {
            noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(told.clone());
        }
    });
    for task in Chosen::new(Box::new(watched), choice) {
        survey.tasks += 1;
        survey.attempts += arms_for(&task, arms).len() as u64 * u64::from(trials);
        // A chain of digests: order counts, and nothing has to be kept.
        task_set = digest([task_set.as_bytes(), task.hash().as_bytes()]);
        if task.tools.hash != last_tools {
            last_tools.clone_from(&task.tools.hash);
            schemas = digest([schemas.as_bytes(), last_tools.as_bytes()]);
        }
    }
    let broken = std::mem::take(&mut *broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Survey { task_set, schemas, broken, ..survey }
}

impl Runner {
    /// A run from its beginning.
    #[must_use]
    pub fn new(tasks: Tasks, choice: &Choice, arms: Vec<Arm>, trials: u32) -> Self {
        Self {
            tasks: Chosen::new(tasks, choice),
            arms,
            trials,
            done: Done::default(),
            progress: Progress::default(),
            n: 0,
            current: None,
            slot: 0,
        }
    }

    /// Takes what a record says was done; nothing of it is given out again. Call before [`next_attempt`](Self::next_attempt).
    pub fn resume(&mut self, line: &Line) {
        self.record(line);
    }

    /// The next attempt, or nothing when all were given out.
    pub fn next_attempt(&mut self) -> Option<Attempt> {
        loop {
            let (n, task) = match &self.current {
                Some((n, task)) => (*n, Arc::clone(task)),
                None => self.advance()?,
            };
            let arms = arms_for(&task, &self.arms);
            let (n_arms, trials) = (arms.len() as u64, u64::from(self.trials));
            if self.slot >= n_arms * trials {
                self.current = None;
                continue;
            }
            let (arm_idx, trial) = (self.slot / trials, self.slot % trials);
            let arm = arms[usize::try_from(arm_idx).unwrap_or(0)];
            self.slot += 1;
            let trial = u32::try_from(trial).unwrap_or(0);
            if !self.done.has(self.key(n, arm, trial)) {
                return Some(Attempt { n, task, arm, trial });
            }
        }
    }

    fn advance(&mut self) -> Option<(u64, Arc<Task>)> {
        let task = Arc::new(self.tasks.next()?);
        let n = self.n;
        self.n += 1;
        self.slot = 0;
        self.current = Some((n, Arc::clone(&task)));
        Some((n, task))
    }

    /// Takes what came of an attempt. False if it was there before.
    pub fn record(&mut self, line: &Line) -> bool {
        if !record::counts(line) {
            self.progress.broken += 1;
            return true;
        }
        let Ok(arm) = line.arm.parse::<Arm>() else { return false };
        let key = self.key(line.n, arm, line.trial);
        if !self.done.add(key) {
            return false;
        }
        self.progress.done += 1;
        self.progress.solved += u64::from(line.solved);
        self.progress.usage = self.progress.usage.plus(line.usage);
        self.progress.cost_usd += line.cost_usd.unwrap_or(0.0);
        true
    }

    /// Sums so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    fn key(&self, n: u64, arm: Arm, trial: u32) -> u64 {
        let arm_idx = self.arms.iter().position(|it| *it == arm).unwrap_or(0) as u64;
        (n * self.arms.len().max(1) as u64 + arm_idx) * u64::from(self.trials) + u64::from(trial)
    }
}

#[cfg(test)]
mod tests;
