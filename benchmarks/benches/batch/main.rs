//! What BatchPrompt costs and how often it is right, in the simulator, beside arXiv 2309.00384 (printed as "paper").
//!
//! `cargo bench -p tollgate-benchmarks --bench batch -- [--json] [--seeds N] [TABLE...]` prints the tables. The time of
//! the last one is this process' wall time on one thread; say so when the machine is shared.

mod paper;
mod runs;
mod table;

use std::{error::Error, io::Write, time::Instant};

use serde_json::{Value, json};
use tollgate_benchmarks::{metrics::rmse, sim::FaultRates};
use tollgate_planners::batch::{Budget, Order, Policy, Size, Stop, Vote};

use runs::{Setup, Sums, run};
use table::{Table, interval, percent};

const N_ITEMS: usize = 320;
type Rows = Result<Vec<Value>, Box<dyn Error>>;
/// A table's name, its title, and what makes its rows.
type Printed = (&'static str, &'static str, fn(u64) -> Rows);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let at = arguments.iter().position(|it| it == "--seeds");
    let seeds = at.and_then(|at| arguments.get(at + 1)).map_or(Ok(20), |it| it.parse())?;
    let is_json = arguments.iter().any(|it| it == "--json");
    let tables: [Printed; 7] = [
        ("accuracy", "Plain rounds: accuracy, simulated (paper)", accuracy),
        ("stopping", "The paper's early stopping: accuracy and share of single-prompting", stopping),
        ("bar", "At a quarter of the tokens of single-prompting, every call charged", bar),
        ("policies", "What each policy does (BoolQ GPT-4, batch up to 32, a quarter of the tokens)", policies),
        ("models", "The default policy on each simulated model", models),
        ("faults", "Spoilt answers, 5 % each (BoolQ GPT-4, default policy)", faults),
        ("large", "100,000 items, planned and settled", large),
    ];
    let mut out = std::io::stdout().lock();
    for (name, title, rows) in tables {
        let named = |it: &&String| tables.iter().any(|(name, ..)| name == it);
        if arguments.iter().any(|it| it == name) || !arguments.iter().any(|it| named(&it)) {
            let table = Table { name, title, seeds, rows: rows(seeds)? };
            writeln!(out, "{}", if is_json { table.json() } else { table.text() })?;
        }
    }
    Ok(())
}

fn setup(model: &'static str) -> Setup {
    Setup { model, n_items: N_ITEMS, faults: FaultRates::default(), lone_place: true }
}

/// Plain rounds of the paper's method, beside its table.
fn accuracy(seeds: u64) -> Rows {
    let row = |row: &paper::Row| -> Result<Value, Box<dyn Error>> {
        let mut cells = serde_json::Map::new();
        cells.insert("row".to_owned(), json!(format!("{} batch {}", row.model, row.size)));
        let mut ours = Vec::new();
        for (rounds, theirs) in paper::ROUNDS.iter().zip(row.accuracy) {
            let sums = run(&setup(row.model), &Policy::paper(row.size, *rounds, false), seeds)?;
            ours.push(sums.accuracy().0);
            cells.insert(format!("round {rounds}"), json!(format!("{} ({theirs})", interval(sums.accuracy()))));
        }
        cells.insert("rmse".to_owned(), json!(percent(rmse(&ours, &row.accuracy))));
        let single = run(&setup(row.model), &Policy::single(), seeds)?.accuracy();
        let theirs = row.single.map_or(String::new(), |single| format!(" ({single})"));
        cells.insert("single".to_owned(), json!(format!("{}{theirs}", interval(single))));
        let nowhere = Setup { lone_place: false, ..setup(row.model) };
        let single = run(&nowhere, &Policy::single(), seeds)?.accuracy();
        cells.insert("single without a place".to_owned(), json!(interval(single)));
        Ok(Value::Object(cells))
    };
    paper::PLAIN.iter().map(row).collect()
}

/// The paper's early stopping. The honest share comes first.
fn stopping(seeds: u64) -> Rows {
    let row = |row: &paper::Stopped| -> Result<Value, Box<dyn Error>> {
        let sums = run(&setup(row.model), &Policy::paper(row.size, row.rounds, true), seeds)?;
        Ok(json!({
            "row": format!("{} batch {}, {} rounds", row.model, row.size, row.rounds),
            "accuracy (paper)": format!("{} ({})", interval(sums.accuracy()), row.accuracy),
            "share sent, every call charged": interval(sums.share_sent()),
            "with what is returned": interval(sums.share()),
            "share as the paper counts (paper)": format!("{} ({})", interval(sums.share_paper()), percent(row.share())),
            "calls": percent(sums.calls()),
        }))
    };
    paper::STOPPED.iter().map(row).collect()
}

fn quarter(size: Size) -> Policy {
    Policy { size, budget: Some(Budget::ShareOfSingle(0.25)), ..Policy::default() }
}

fn against(name: &str, sums: &Sums, single: &Sums) -> Value {
    json!({
        "policy": name,
        "accuracy": interval(sums.accuracy()),
        "against single": interval(sums.difference(single)),
        "share": interval(sums.share()),
        "share sent": interval(sums.share_sent()),
        "as the paper counts": interval(sums.share_paper()),
        "calls": percent(sums.calls()),
        "waves": percent(sums.waves()),
    })
}

fn bar(seeds: u64) -> Rows {
    let policies = [
        ("single", Policy::single()),
        ("32, as given, 1 round", Policy { order: Order::AsGiven, ..Policy::paper(32, 1, false) }),
        ("32, as given, 5 rounds", Policy { order: Order::AsGiven, ..Policy::paper(32, 5, false) }),
        ("paper, 32, 1 round", Policy::paper(32, 1, false)),
        ("paper, 32, 5 rounds", Policy::paper(32, 5, false)),
        ("paper, 32, 5 rounds, early stop", Policy::paper(32, 5, true)),
        ("paper, 64, 5 rounds, early stop", Policy::paper(64, 5, true)),
        ("every prompt of 32, a quarter", quarter(Size::Fixed(32))),
        ("every prompt of 64, a quarter", quarter(Size::Fixed(64))),
        ("up to 32, a quarter", quarter(Size::UpTo(32))),
        ("up to 64, a quarter", quarter(Size::UpTo(64))),
        ("default, no budget", Policy::default()),
    ];
    let mut rows = compare("boolq-gpt4", &policies, seeds)?;
    let nowhere = Setup { lone_place: false, ..setup("boolq-gpt4") };
    let single = run(&setup("boolq-gpt4"), &Policy::single(), seeds)?;
    rows.push(against("single, were a lone item nowhere", &run(&nowhere, &Policy::single(), seeds)?, &single));
    Ok(rows)
}

fn compare(model: &'static str, policies: &[(&str, Policy)], seeds: u64) -> Rows {
    let single = run(&setup(model), &Policy::single(), seeds)?;
    let row = |(name, policy): &(&str, Policy)| Ok(against(name, &run(&setup(model), policy, seeds)?, &single));
    policies.iter().map(row).collect()
}

fn policies(seeds: u64) -> Rows {
    let base = quarter(Size::UpTo(32));
    let agreement = Stop::Agreement { answers: 2, confident: true };
    let policies = [
        ("default", base.clone()),
        ("order as given", Policy { order: Order::AsGiven, ..base.clone() }),
        ("blind shuffles", Policy { order: Order::Shuffled, ..base.clone() }),
        ("equal votes", Policy { vote: Vote::Equal, ..base.clone() }),
        ("weighted votes", Policy { vote: Vote::Weighted { not_confident: 0.2 }, ..base.clone() }),
        ("two agreeing answers settle", Policy { stop: agreement, ..base.clone() }),
        ("no early stop", Policy { stop: Stop::Never, ..base.clone() }),
        ("no refill", Policy { refill: false, ..base.clone() }),
        ("4 demonstrations", Policy { demos: 4, ..base.clone() }),
        ("size fixed at 32", Policy { size: Size::Fixed(32), ..base.clone() }),
        ("size fixed at 16", Policy { size: Size::Fixed(16), ..base.clone() }),
        ("no repeats", Policy { rounds: 1, ..base }),
    ];
    compare("boolq-gpt4", &policies, seeds)
}

fn models(seeds: u64) -> Rows {
    let mut rows = Vec::new();
    for fit in tollgate_benchmarks::sim::MODELS {
        let policies = [
            ("paper, 32, 5 rounds, early stop", Policy::paper(32, 5, true)),
            ("default, a quarter", quarter(Size::Auto)),
            ("default, no budget", Policy::default()),
        ];
        let named = policies.map(|(name, policy)| (format!("{}: {name}", fit.name), policy));
        let borrowed: Vec<(&str, Policy)> =
            named.iter().map(|(name, policy)| (name.as_str(), policy.clone())).collect();
        rows.extend(compare(fit.name, &borrowed, seeds)?);
    }
    Ok(rows)
}

fn faults(seeds: u64) -> Rows {
    let kinds = [
        ("-", FaultRates::default()),
        ("missing", FaultRates { missing: 0.05, ..FaultRates::default() }),
        ("duplicate", FaultRates { duplicate: 0.05, ..FaultRates::default() }),
        ("shuffled", FaultRates { shuffled: 0.05, ..FaultRates::default() }),
        ("out of range", FaultRates { out_of_range: 0.05, ..FaultRates::default() }),
        ("unparsable", FaultRates { unparsable: 0.05, ..FaultRates::default() }),
        ("first three", FaultRates { missing: 0.05, duplicate: 0.05, shuffled: 0.05, ..FaultRates::default() }),
    ];
    let mut rows = Vec::new();
    for (budget, policy) in [("a quarter", quarter(Size::UpTo(32))), ("none", Policy::default())] {
        let fine = run(&setup("boolq-gpt4"), &policy, seeds)?;
        for (name, faults) in &kinds {
            let sums = run(&Setup { faults: *faults, ..setup("boolq-gpt4") }, &policy, seeds)?;
            rows.push(json!({
                "faults": name,
                "budget": budget,
                "accuracy": interval(sums.accuracy()),
                "against no faults": interval(sums.difference(&fine)),
                "share": interval(sums.share()),
                "spoilt": sums.injected(),
                "counted": sums.counted(),
                "items without an answer": sums.unanswered(),
            }));
        }
    }
    Ok(rows)
}

fn large(_: u64) -> Rows {
    let mut rows = Vec::new();
    for (name, policy) in [("default", Policy::default()), ("a quarter", quarter(Size::Auto))] {
        for n_items in [10_000, 100_000] {
            let mut job = runs::short_job(n_items, &policy)?;
            let started = Instant::now();
            job.start()?;
            let planned = started.elapsed();
            let report = job.settle()?;
            rows.push(json!({
                "job": format!("{n_items} items, {name}"),
                "counted and checked, s": format!("{:.2}", planned.as_secs_f64()),
                "in all, s": format!("{:.2}", started.elapsed().as_secs_f64()),
                "calls": report.calls,
                "answered": report.settled + report.undecided,
                "bytes of state an item": job.state_bytes() / n_items,
            }));
        }
    }
    Ok(rows)
}
