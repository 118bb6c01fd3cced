//! Recorded requests, counted as the gateway counts them, against what their providers charged. No model is asked.
//!
//! Counts are cold, as of a gateway that has never seen a charge, and calibrated with all recordings of the same family but
//! those of the same file.

mod recorded;

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_tokenizers::chat::Calibrator;

use crate::suite::{Files, Opened, Setting, Suite};
use crate::table::{Cell, Table};
use recorded::Recording;

/// The suite.
pub struct TokenCounts;

impl Suite for TokenCounts {
    fn name(&self) -> &'static str {
        "token-counts"
    }

    fn about(&self) -> &'static str {
        "recorded requests: counts against what was charged, by family and shape; no model"
    }

    fn data(&self) -> Option<&'static str> {
        Some("a folder with recordings as JSON lines (`kind`, `request`, `usage`)")
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("recordings as `*.jsonl`")?;
        let (recordings, excluded) = load(files.as_ref())?;
        if recordings.is_empty() {
            return Err("no recording in the data can be counted; name a folder with `*.jsonl`".to_owned());
        }
        Ok(Opened::Tables(vec![counts(&recordings), left_out(&excluded)]))
    }
}

/// How many lines were left out, by reason.
type Excluded = BTreeMap<String, u64>;

fn load(files: &dyn Files) -> Result<(Vec<Recording>, Excluded), String> {
    let (mut recordings, mut excluded) = (Vec::new(), Excluded::new());
    for path in files.list()?.iter().filter(|path| path.ends_with(".jsonl")) {
        let text = files.read(path)?;
        for (idx, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line: Value = serde_json::from_str(line).map_err(|error| format!("{path}:{}: {error}", idx + 1))?;
            match recorded::recording(&line) {
                Ok(recording) => recordings.push(recording),
                Err(reason) => *excluded.entry(reason).or_default() += 1,
            }
        }
    }
    Ok((recordings, excluded))
}

/// A count, and what was charged.
type Pair = (usize, usize);

fn counts(recordings: &[Recording]) -> Table {
    let columns = ["family", "shape", "state", "requests", "exact %", "within 3 %", "MAPE %", "bias %"];
    let mut table = Table::new("counts", "Counts against charges", &columns);
    table.notes.push(
        "calibrated: after every other recording of the family was reported, but those of the same file.".to_owned(),
    );
    let mut groups: BTreeMap<(&str, &str), Vec<&Recording>> = BTreeMap::new();
    for it in recordings {
        groups.entry((&it.group, it.shape)).or_default().push(it);
    }
    for ((family, shape), members) in &groups {
        let cold: Vec<Pair> = members.iter().map(|it| (it.count.total, it.charged)).collect();
        let calibrated: Vec<Pair> = members.iter().map(|it| (calibrated(it, recordings), it.charged)).collect();
        table.row(row((family, shape, "cold"), &cold));
        table.row(row((family, shape, "calibrated"), &calibrated));
    }
    let all: Vec<Pair> = recordings.iter().map(|it| (it.count.total, it.charged)).collect();
    table.row(row(("all", "all", "cold"), &all));
    table
}

fn calibrated(recording: &Recording, all: &[Recording]) -> usize {
    let mut calibrator = Calibrator::default();
    let others = all.iter().filter(|it| it.family == recording.family && it.source != recording.source);
    others.for_each(|other| calibrator.observe(&other.subject, other.count.total, other.charged));
    calibrator.correct(&recording.subject, &recording.count).tokens
}

fn row((family, shape, state): (&str, &str, &str), pairs: &[Pair]) -> Vec<Cell> {
    let n = pairs.len().max(1) as f64;
    let share = |most: usize| {
        let near = pairs.iter().filter(|(counted, charged)| counted.abs_diff(*charged) <= most);
        Cell::Number(100.0 * near.count() as f64 / n)
    };
    let error = |(counted, charged): &Pair| counted.abs_diff(*charged) as f64 / (*charged).max(1) as f64;
    let sum = |of: fn(&Pair) -> usize| pairs.iter().map(|it| of(it) as f64).sum::<f64>();
    let (counted, charged) = (sum(|it| it.0), sum(|it| it.1));
    let mut cells: Vec<Cell> = [family, shape, state].map(|word| Cell::Text(word.to_owned())).into();
    cells.push(Cell::Count(pairs.len() as u64));
    cells.extend([share(0), share(3)]);
    cells.push(Cell::Number(100.0 * pairs.iter().map(error).sum::<f64>() / n));
    cells.push(Cell::Number(100.0 * (counted - charged) / charged.max(1.0)));
    cells
}

fn left_out(excluded: &Excluded) -> Table {
    let mut table = Table::new("left_out", "Lines that are not counted", &["reason", "lines"]);
    excluded.iter().for_each(|(reason, count)| table.row(vec![Cell::Text(reason.clone()), Cell::Count(*count)]));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_means_are_of_the_requests() {
        let cells = row(("f", "plain", "cold"), &[(10, 10), (13, 10), (20, 40), (44, 40)]);
        assert_eq!(cells[3], Cell::Count(4));
        for (cell, expected) in cells[4..].iter().zip([25.0, 50.0, 22.5, -13.0]) {
            assert!(matches!(cell, Cell::Number(found) if (found - expected).abs() < 1e-9), "{cells:?}, {expected}");
        }
    }
}
