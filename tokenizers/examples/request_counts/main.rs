//! Counts recorded requests and says, by family and shape, how close the counts are to what the providers charged.
//!
//! `cargo run -p tollgate-tokenizers --release --example request_counts -- DIR [--json] [--misses]
//! [--leave-out file|source|tools]`, where `DIR` holds recordings as `*.jsonl`.
//!
//! Calibrated rows leave out, for each request, all recordings of the same file, of the same project (`source`), or with
//! the same tools. The latter two add rows in which the constants of exact rules were fitted without those recordings;
//! recordings that no other can stand in for are not in them.

mod held_out;
mod recordings;
mod table;

use std::{error::Error, io::Write as _, path::Path};

use held_out::LeaveOut;
use recordings::Recording;
use table::{Count, Counted, Each, Row, Table};
use tollgate_tokenizers::chat::{Calibrator, Kind};

fn main() -> Result<(), Box<dyn Error>> {
    let (options, rest) = options(std::env::args().skip(1))?;
    let [folder] = rest.as_slice() else { return Err("name one folder of recordings".into()) };
    let (recordings, excluded) = recordings::load(Path::new(folder))?;
    let counted: Vec<Each> = recordings.iter().map(|it| each(it, &recordings, options.leave_out)).collect();
    let table = Table { rows: rows(&counted), recordings: counted, excluded };
    let mut out = std::io::stdout().lock();
    if options.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&table)?)?;
    } else {
        writeln!(out, "{table}{}", if options.misses { misses(&recordings) } else { String::new() })?;
    }
    Ok(())
}

struct Options {
    json: bool,
    misses: bool,
    leave_out: LeaveOut,
}

fn options(arguments: impl Iterator<Item = String>) -> Result<(Options, Vec<String>), Box<dyn Error>> {
    let (mut options, mut rest) = (Options { json: false, misses: false, leave_out: LeaveOut::File }, Vec::new());
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--misses" => options.misses = true,
            "--leave-out" => options.leave_out = arguments.next().unwrap_or_default().parse()?,
            flag if flag.starts_with("--") => {
                return Err(format!("unknown flag `{flag}`; see the first lines of main.rs").into());
            }
            _ => rest.push(argument),
        }
    }
    Ok((options, rest))
}

fn each(recording: &Recording, all: &[Recording], leave_out: LeaveOut) -> Each {
    let (cold, bound) = (recording.count.total, recording.count.error_bound);
    let by_rule = recording.count.kind == Kind::ExactRule && leave_out != LeaveOut::File;
    let refitted = by_rule.then(|| held_out::refitted(recording, all, leave_out)).flatten();
    Each {
        place: recording.place.clone(),
        family: recording.group.clone(),
        shape: recording.shape,
        model: recording.model.clone(),
        charged: recording.actual,
        cold: (cold, bound),
        calibrated: calibrated(recording, all, leave_out),
        refitted: refitted.map(|tokens| (tokens, bound)),
    }
}

fn rows(all: &[Each]) -> Vec<Row> {
    let mut groups: Vec<(&str, &'static str)> = all.iter().map(|it| (it.family.as_str(), it.shape)).collect();
    groups.sort_unstable();
    groups.dedup();
    let of = |(family, shape): (&str, &'static str)| {
        let members: Vec<&Each> = all.iter().filter(|it| it.family == family && it.shape == shape).collect();
        let counts = |get: fn(&Each) -> Option<Count>| -> Vec<Counted> {
            members.iter().filter_map(|it| get(it).map(|(tokens, bound)| (tokens, bound, it.charged))).collect()
        };
        let states = [
            ("cold", counts(|it| Some(it.cold))),
            ("calibrated", counts(|it| Some(it.calibrated))),
            ("refitted", counts(|it| it.refitted)),
        ];
        let filled = states.into_iter().filter(|(_, counts)| !counts.is_empty());
        filled.map(|(state, counts)| Row::new(family, shape, state, &counts)).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(of).collect()
}

/// The count after all recordings that are not left out were reported.
fn calibrated(recording: &Recording, all: &[Recording], leave_out: LeaveOut) -> Count {
    let mut calibrator = Calibrator::default();
    for other in all.iter().filter(|it| it.family == recording.family && !leave_out.holds(recording, it)) {
        calibrator.observe(&other.subject, other.count.total, other.actual);
    }
    let corrected = calibrator.correct(&recording.subject, &recording.count);
    (corrected.tokens, corrected.error_bound)
}

/// Every cold miss with what the rules look at, for whoever looks for a rule.
fn misses(recordings: &[Recording]) -> String {
    let missed = recordings.iter().filter(|it| it.count.total != it.actual);
    missed
        .map(|it| {
            let off = it.count.total as i64 - it.actual as i64;
            let Recording { group, shape, model, place, actual, features, .. } = it;
            format!("{group} {shape} {model} {place} {off:+} of {actual} ({features})\n")
        })
        .collect()
}
