//! What a suite is: a source of tasks with a judge, or a measurement that needs no model.
//!
//! A suite is one file in `suites/` and one line in [`SUITES`](crate::suites::SUITES). It reads through [`Files`] and
//! never touches a disk itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_tokenizers::Tokenizer;

use crate::score::{self, Judgement};
use crate::table::Table;
use crate::task::Task;
use crate::trace::{Line, Trace};

/// Data that the user named with `--data`: a folder, or one file.
pub trait Files: Send + Sync {
    /// The paths of all files below, with `/` between folders, sorted.
    ///
    /// # Errors
    /// What cannot be listed, and why.
    fn list(&self) -> Result<Vec<String>, String>;

    /// The text of one of them.
    ///
    /// # Errors
    /// The file, and why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// What a run asks of a suite.
#[derive(Clone)]
pub struct Setting {
    /// The data, for suites that read any.
    pub files: Option<Arc<dyn Files>>,
    /// Tools that nobody needs, as JSON lines, for suites that mix them in.
    pub distractors: Option<Arc<str>>,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Whose tokens lengths and budgets are in.
    pub tokenizer: Tokenizer,
    /// Lengths of generated contexts, in tokens; empty for the suite's own choice.
    pub lengths: Vec<usize>,
    /// How many tasks are generated for each cell (a length at a depth, a length of a list); 0 for the suite's own choice.
    pub tasks_per_cell: usize,
    /// Budgets of tools, in tokens.
    pub budgets: Vec<u32>,
    /// What only this suite knows, from `--option NAME=VALUE`.
    pub options: BTreeMap<String, String>,
}

impl Setting {
    /// The data folder.
    ///
    /// # Errors
    /// That `--data` is missing.
    pub fn data(&self, what: &str) -> Result<&Arc<dyn Files>, String> {
        self.files.as_ref().ok_or_else(|| format!("this suite reads {what}; give it with `--data`"))
    }
}

/// The tasks of a suite, one by one; what is broken in the data is said in its place and the rest goes on.
pub type Tasks = Box<dyn Iterator<Item = Result<Task, String>> + Send>;

/// What a suite gives.
pub enum Opened {
    /// Things for a model to do. The same setting gives the same tasks in the same order.
    Tasks(Tasks),
    /// Tables; no model is asked.
    Tables(Vec<Table>),
}

/// Numbers that need more than one line of a record at once, such as pass@k, or that need the task again.
pub trait Tally: Send {
    /// Takes a line. `task` is there when the record is read with its data at hand.
    fn add(&mut self, line: &Line, task: Option<&Task>);

    /// What it came to.
    fn tables(&self) -> Vec<Table>;
}

/// A suite.
pub trait Suite: Sync {
    /// As the command line has it.
    fn name(&self) -> &'static str;

    /// What it is, in one line.
    fn about(&self) -> &'static str;

    /// What `--data` has to name, for suites that read data.
    fn data(&self) -> Option<&'static str> {
        None
    }

    /// Its tasks, or its tables.
    ///
    /// # Errors
    /// What of the setting or the data cannot be used.
    fn open(&self, setting: &Setting) -> Result<Opened, String>;

    /// How well a task was done.
    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        score::judge(task, trace)
    }

    /// What is counted over the whole run.
    fn tally(&self) -> Option<Box<dyn Tally>> {
        None
    }
}
