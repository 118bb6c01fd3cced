//! What is left out when a recording is judged by the others.

use std::{collections::BTreeMap, str::FromStr};

use super::recordings::Recording;

/// Which others tell nothing about a recording, because they are too much like it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LeaveOut {
    /// Those of the same file.
    File,
    /// Those of the same project.
    Source,
    /// Those with the same tools, and those of the same file.
    Tools,
}

impl LeaveOut {
    /// Whether `other` is left out for `recording`.
    pub fn holds(self, recording: &Recording, other: &Recording) -> bool {
        match self {
            Self::File => recording.source == other.source,
            Self::Source => recording.project == other.project,
            Self::Tools => {
                let same = !recording.tools.is_empty() && recording.tools == other.tools;
                same || recording.source == other.source
            }
        }
    }
}

impl FromStr for LeaveOut {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "file" => Ok(Self::File),
            "source" => Ok(Self::Source),
            "tools" => Ok(Self::Tools),
            _ => Err(format!("unknown group `{word}`; leave out file, source or tools")),
        }
    }
}

/// The count with its additive constants fitted again on what is not left out: the most frequent residual of recordings
/// that differ in nothing that the rules look at. `None` where there is none: the rule stands on those left out alone.
pub fn refitted(recording: &Recording, all: &[Recording], leave_out: LeaveOut) -> Option<usize> {
    let mut residuals: BTreeMap<i64, usize> = BTreeMap::new();
    for other in all.iter().filter(|it| it.family == recording.family && it.features == recording.features) {
        if !leave_out.holds(recording, other) {
            *residuals.entry(other.actual as i64 - other.count.total as i64).or_default() += 1;
        }
    }
    let (residual, _) = residuals.into_iter().max_by_key(|(residual, n)| (*n, -residual.abs()))?;
    usize::try_from(recording.count.total as i64 + residual).ok()
}
