//! Counting speed beside peers, in one run.
//!
//! `cargo bench -p tollgate-tokenizers -- [speed] [adverse] [linear] [threads] [--vocab NAME] [--corpus DIR] [--runs N]
//! [--json]`
//!
//! `speed` counts documents of 4 kB, `adverse` texts of 1 MB that are hard, `linear` the same texts at doubled lengths,
//! and 100 MB of one character. Without `--vocab`, `speed` takes the vocabularies of OpenAI's current models and the
//! others `o200k_base`. Peers are those that have the vocabulary.
//!
//! Every figure comes from a process of its own, so that *cold* is the first sight of a text: the first half of a
//! corpus in documents of 4 kB, after the tables are loaded and one line in other scripts is counted. *Warm* is the
//! second half, *repeated* that half once more. Runs of all contestants alternate; the best of each is shown, since
//! other work on a machine only ever slows one down. Seconds are those of work (`clock`), but for `threads`.
//!
//! What limits us: a piece of text, four to five bytes of it, takes some 90 instructions and one line of a 1 MiB cache;
//! at four instructions a cycle and 4 GHz that is 0.8 GB/s, and a missed line of memory more than doubles its cost.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "what cannot be measured ends the run")]

mod child;
mod clock;
mod contestants;
mod corpus;
mod hugging;
mod texts;

use std::{path::PathBuf, process::Command};

use contestants::contestants;
use serde_json::{Value, json};
use tollgate_tokenizers::Tokenizer;

const VOCABULARIES: [&str; 2] = ["o200k_base", "cl100k_base"];
const ADVERSE_BYTES: usize = 1_000_000;
const HUGE_BYTES: usize = 100_000_000;
const HUGE_TEXTS: [&str; 2] = ["a million a", "spaces"];

/// A name, and what it measures and shows.
type Mode = (&'static str, fn(&Options));

struct Options {
    vocabulary: Option<&'static str>,
    corpus: Option<PathBuf>,
    runs: usize,
    as_json: bool,
}

impl Options {
    fn vocabulary(&self) -> &'static str {
        self.vocabulary.unwrap_or(VOCABULARIES[0])
    }

    fn vocabularies(&self) -> Vec<&'static str> {
        self.vocabulary.map_or_else(|| VOCABULARIES.to_vec(), |it| vec![it])
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let option = |name: &str| args.iter().position(|it| it == name).and_then(|at| args.get(at + 1)).cloned();
    let has = |name: &str| args.iter().any(|it| it == name);
    if let Some(at) = args.iter().position(|it| it == "--child") {
        return println!("{}", child::measure(&args[at + 1..]));
    }
    let named = |name: &str| Tokenizer::by_name(name).unwrap_or_else(|error| panic!("{error}")).name();
    let options = Options {
        vocabulary: option("--vocab").as_deref().map(named),
        corpus: option("--corpus").map(PathBuf::from),
        runs: option("--runs").map_or(5, |it| it.parse().expect("--runs N")),
        as_json: has("--json"),
    };
    let modes: [Mode; 4] = [("speed", speed), ("adverse", adverse), ("linear", linear), ("threads", threads)];
    let all = !modes.iter().any(|(name, _)| has(name));
    modes.iter().filter(|(name, _)| all || has(name)).for_each(|(_, run)| run(&options));
}

/// The best of several processes, figure by figure.
fn best(runs: usize, args: &[&str]) -> Value {
    let program = std::env::current_exe().expect("this program");
    let mut best = json!({});
    for _ in 0..runs {
        let output = Command::new(&program).arg("--child").args(args).output().expect("a child");
        let Ok(found) = serde_json::from_slice::<Value>(&output.stdout) else { return json!({"failed": true}) };
        for (key, value) in found.as_object().expect("an object") {
            let (old, new) = (best[key].as_f64(), value.as_f64().unwrap_or(f64::NAN));
            let is_less = matches!(&**key, "load_ms" | "memory_mb");
            if old.is_none_or(|it| if is_less { new < it } else { new > it }) {
                best[key] = json!(new);
            }
        }
    }
    best
}

fn get(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

fn speed(options: &Options) {
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, file) in corpus::files(options.corpus.as_deref(), folder.path()) {
        for vocabulary in options.vocabularies() {
            let rows: Vec<_> = contestants(vocabulary)
                .map(|it| (it.name, best(options.runs, &["speed", it.name, vocabulary, &file])))
                .collect();
            report(&kind, vocabulary, &rows, options.as_json);
        }
    }
}

fn report(kind: &str, vocabulary: &str, rows: &[(&str, Value)], as_json: bool) {
    if as_json {
        for (name, row) in rows {
            println!("{}", json!({"kind": kind, "vocabulary": vocabulary, "name": name, "figures": row}));
        }
        return;
    }
    println!(
        "\n{kind}, {vocabulary}: MB/s\n{:<14} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10}",
        "", "cold", "warm", "repeated", "ratio", "load ms", "tokens"
    );
    let ours = get(&rows[0].1, "cold");
    for (name, row) in rows {
        println!(
            "{name:<14} {:>8.0} {:>8.0} {:>8.0} {:>8.2} {:>9.1} {:>10.0}",
            get(row, "cold"),
            get(row, "warm"),
            get(row, "repeated"),
            ours / get(row, "cold"),
            get(row, "load_ms"),
            get(row, "tokens")
        );
    }
}

fn adverse(options: &Options) {
    let vocabulary = options.vocabulary();
    let names: String = contestants(vocabulary).map(|it| format!("{:>14}", it.name)).collect();
    println!("\none text of 1 MB, {vocabulary}, cold: MB/s\n{:<22}{names}", "");
    let mut lowest = f64::INFINITY;
    for (text, _) in texts::TEXTS {
        let bytes = ADVERSE_BYTES.to_string();
        let rows: Vec<Value> = contestants(vocabulary)
            .map(|it| best(options.runs.min(3), &["adverse", it.name, vocabulary, text, &bytes]))
            .collect();
        lowest = lowest.min(get(&rows[0], "speed"));
        println!("{text:<22}{}", rows.iter().map(|it| format!("{:>14.1}", get(it, "speed"))).collect::<String>());
    }
    println!("{:<22}{lowest:>14.1}", "our slowest");
}

/// Linear time: the same speed at every length.
fn linear(options: &Options) {
    let vocabulary = options.vocabulary();
    let lengths = [1, 2, 4, 8].map(|it| it * ADVERSE_BYTES);
    println!("\n1, 2, 4 and 8 MB, {vocabulary}, cold: MB/s, and the first by the last");
    let measure = |text: &str, bytes: usize| {
        best(options.runs.min(3), &["adverse", "tollgate", vocabulary, text, &bytes.to_string()])
    };
    for (text, _) in texts::TEXTS {
        let speeds = lengths.map(|it| get(&measure(text, it), "speed"));
        let cells: String = speeds.iter().map(|it| format!("{it:>10.1}")).collect();
        println!("{text:<22}{cells}{:>10.2}", speeds[0] / speeds[3]);
    }
    for text in HUGE_TEXTS {
        let row = measure(text, HUGE_BYTES);
        println!("100 MB of {text:<22}{:>10.1} MB/s, {:>6.0} MB of memory", get(&row, "speed"), get(&row, "memory_mb"));
    }
}

fn threads(options: &Options) {
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, file) in corpus::files(options.corpus.as_deref(), folder.path()) {
        let row = best(options.runs, &["threads", options.vocabulary(), &file]);
        let (one, two) = (get(&row, "one"), get(&row, "two"));
        println!("{kind}: one thread {one:.0} MB/s, two {two:.0} MB/s, {:.2} times", two / one);
    }
}
