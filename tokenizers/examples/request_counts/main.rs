//! Counts recorded requests and says, by family and shape, how close the counts are to what the providers charged.
//!
//! `cargo run -p tollgate-tokenizers --release --example request_counts -- DIR [--json]`, where `DIR` holds recordings
//! as `*.jsonl`. Calibrated rows leave out, for each request, all recordings of the same source file.

mod recordings;
mod table;

use std::{error::Error, io::Write as _, path::Path};

use recordings::Recording;
use table::{Counted, Row, Table};
use tollgate_tokenizers::chat::Calibrator;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let [folder] = paths.as_slice() else { return Err("name one folder of recordings".into()) };
    let (recordings, excluded) = recordings::load(Path::new(folder))?;
    let table = Table { rows: rows(&recordings), excluded };
    let detail = flags.iter().any(|flag| flag == "--misses").then(|| misses(&recordings));
    let mut out = std::io::stdout().lock();
    if flags.iter().any(|flag| flag == "--json") {
        writeln!(out, "{}", serde_json::to_string_pretty(&table)?)?;
    } else {
        writeln!(out, "{table}{}", detail.unwrap_or_default())?;
    }
    Ok(())
}

fn rows(recordings: &[Recording]) -> Vec<Row> {
    let mut groups: Vec<(String, &str)> = recordings.iter().map(|it| (it.group.clone(), it.shape)).collect();
    groups.sort();
    groups.dedup();
    let of = |(group, shape): &(String, &'static str)| {
        let members: Vec<&Recording> =
            recordings.iter().filter(|it| it.group == *group && it.shape == *shape).collect();
        let cold = members.iter().map(|it| (it.count.total, it.count.error_bound, it.actual)).collect::<Vec<_>>();
        let warm = members.iter().map(|it| calibrated(it, recordings)).collect::<Vec<_>>();
        [Row::new(group, shape, "cold", &cold), Row::new(group, shape, "calibrated", &warm)]
    };
    groups.iter().flat_map(of).collect()
}

/// The count after all recordings of other sources were reported.
fn calibrated(recording: &Recording, all: &[Recording]) -> Counted {
    let mut calibrator = Calibrator::default();
    for other in all.iter().filter(|it| it.family == recording.family && it.source != recording.source) {
        calibrator.observe(&other.subject, other.count.total, other.actual);
    }
    let corrected = calibrator.correct(&recording.subject, &recording.count);
    (corrected.tokens, corrected.error_bound, recording.actual)
}

/// Every cold miss, for whoever looks for a rule.
fn misses(recordings: &[Recording]) -> String {
    let missed = recordings.iter().filter(|it| it.count.total != it.actual);
    missed
        .map(|it| {
            let off = it.count.total as i64 - it.actual as i64;
            format!("{} {} {} {} {off:+} of {}\n", it.group, it.shape, it.model, it.place, it.actual)
        })
        .collect()
}
