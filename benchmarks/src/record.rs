//! A record of a run: JSON lines, the first of which says what was run, each other one attempt. Lines are only ever added.

use serde::{Deserialize, Serialize};

use crate::trace::{End, Line};

/// The version of the format.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub tollgate_bench: u32,
    /// The suite's name.
    pub suite: String,
    /// Who answered.
    pub target: String,
    /// Who ran the tools.
    pub host: String,
    /// The arms, in order.
    pub arms: Vec<String>,
    /// Attempts at each task in each arm.
    pub trials: u32,
    /// Decides all that is drawn.
    pub seed: u64,
    /// Whose tokens are counted.
    pub tokenizer: String,
    /// How many tasks.
    pub tasks: u64,
    /// SHA-256 over all tasks, in order.
    pub task_set: String,
    /// SHA-256 over all sets of tools, in order of their first use.
    pub schemas: String,
    /// The options that made the tasks, for whoever runs it again.
    pub setting: serde_json::Value,
    /// What the gateway that ran it says it is.
    pub version: String,
}

impl Header {
    /// Whether a record with this header goes on with a run of `other`.
    ///
    /// # Errors
    /// What differs.
    pub fn continues(&self, other: &Self) -> Result<(), String> {
        let pairs = [
            ("suite", &self.suite, &other.suite),
            ("target", &self.target, &other.target),
            ("tool host", &self.host, &other.host),
            ("tokenizer", &self.tokenizer, &other.tokenizer),
            ("task set", &self.task_set, &other.task_set),
            ("tool schemas", &self.schemas, &other.schemas),
        ];
        let texts = pairs.into_iter().find(|(_, mine, theirs)| mine != theirs);
        let differs = texts.map(|(what, mine, theirs)| format!("its {what} is `{mine}`, and not `{theirs}`"));
        let others = (self.arms != other.arms, self.trials != other.trials, self.seed != other.seed);
        let differs = differs.or(match others {
            (true, ..) => Some(format!("its arms are {}", self.arms.join(","))),
            (_, true, _) => Some(format!("its trials are {}", self.trials)),
            (.., true) => Some(format!("its seed is {}", self.seed)),
            _ => None,
        });
        differs.map_or(Ok(()), Err)
    }

    /// Whether results of both may stand side by side: they are of the same tasks with the same tools.
    ///
    /// # Errors
    /// What differs.
    pub fn compares(&self, other: &Self) -> Result<(), String> {
        let pairs = [
            ("suite", &self.suite, &other.suite),
            ("task set", &self.task_set, &other.task_set),
            ("tool schemas", &self.schemas, &other.schemas),
        ];
        match pairs.into_iter().find(|(_, mine, theirs)| mine != theirs) {
            Some((what, mine, theirs)) => Err(format!("the {what} differs: `{mine}` and `{theirs}`")),
            None => Ok(()),
        }
    }
}

/// Reads a line of a record.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &str) -> Result<Line, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

/// Whether an attempt says something about the model; one that broke is made again by a resumed run.
#[must_use]
pub fn counts(line: &Line) -> bool {
    !matches!(line.trace.end, End::Broken(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_tasks_are_no_continuation() {
        let header = Header { suite: "s".into(), task_set: "1".into(), trials: 1, ..Header::default() };
        assert_eq!(header.continues(&header), Ok(()));
        for other in [
            Header { task_set: "2".into(), ..header.clone() },
            Header { schemas: "2".into(), ..header.clone() },
            Header { suite: "t".into(), ..header.clone() },
        ] {
            assert!(header.continues(&other).is_err() && header.compares(&other).is_err());
        }
        let other = Header { trials: 2, seed: 4, target: "t".into(), ..header.clone() };
        assert!(header.continues(&other).is_err() && header.compares(&other).is_ok());
    }
}
