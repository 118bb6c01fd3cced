//! Counting speed beside peers, in one run.
//!
//! `cargo bench -p tollgate-tokenizers -- [speed] [adverse] [threads] [--corpus DIR] [--runs N] [--json]`
//!
//! Every figure comes from a process of its own, so that *cold* is the first sight of a text: the first half of a
//! corpus in documents of 4 kB, after the tables are loaded and one line in other scripts is counted. *Warm* is the
//! second half, *repeated* that half once more. Runs of all contestants alternate; the best of each is shown, since
//! other work on a machine only ever slows one down.
//!
//! What limits us: a piece of text, four to five bytes of it, takes some 90 instructions and one line of a 1 MiB cache;
//! at four instructions a cycle and 4 GHz that is 0.8 GB/s, and a missed line of memory more than doubles its cost.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "what cannot be measured ends the run")]

mod contestants;
mod corpus;
mod texts;

use std::{path::PathBuf, process::Command, time::Instant};

use contestants::{CONTESTANTS, Count};
use corpus::{KINDS, documents};
use serde_json::{Value, json};

const VOCABULARIES: [&str; 2] = ["o200k", "cl100k"];
const WARM_UP: &str = "Пусть всегда будет солнце, 中文 и naïve café, 12345.";

struct Options {
    corpus: Option<PathBuf>,
    runs: usize,
    as_json: bool,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let option = |name: &str| args.iter().position(|it| it == name).and_then(|at| args.get(at + 1)).cloned();
    let has = |name: &str| args.iter().any(|it| it == name);
    if let Some(at) = args.iter().position(|it| it == "--child") {
        return println!("{}", child(&args[at + 1..]));
    }
    let options = Options {
        corpus: option("--corpus").map(PathBuf::from),
        runs: option("--runs").map_or(5, |it| it.parse().expect("--runs N")),
        as_json: has("--json"),
    };
    let all = !["speed", "adverse", "threads"].iter().any(|it| has(it));
    if all || has("speed") {
        speed(&options);
    }
    if all || has("adverse") {
        adverse(&options);
    }
    if all || has("threads") {
        threads(&options);
    }
}

/// One measurement, in this process: `speed CONTESTANT VOCABULARY FILE`, `adverse CONTESTANT VOCABULARY TEXT`,
/// `threads VOCABULARY FILE`.
fn child(args: &[String]) -> Value {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["speed", name, vocabulary, file] => measure_speed(name, vocabulary, file),
        ["adverse", name, vocabulary, text] => measure_adverse(name, vocabulary, text),
        ["threads", vocabulary, file] => measure_threads(vocabulary, file),
        _ => panic!("unknown measurement {args:?}"),
    }
}

fn load(name: &str, vocabulary: &str) -> (Count, f64) {
    let contestant = CONTESTANTS.iter().find(|it| it.name == name).expect("a known contestant");
    let begun = Instant::now();
    let count = (contestant.load)(vocabulary);
    count(WARM_UP);
    (count, begun.elapsed().as_secs_f64() * 1e3)
}

fn measure_speed(name: &str, vocabulary: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(file).expect("the corpus is readable");
    let documents = documents(&text);
    let (count, load_ms) = load(name, vocabulary);
    let (first, second) = documents.split_at(documents.len() / 2);
    let [cold, warm, repeated] = [first, second, second].map(|it| rate(&count, it));
    let tokens: usize = documents.iter().map(|it| count(it)).sum();
    json!({"load_ms": load_ms, "cold": cold, "warm": warm, "repeated": repeated, "tokens": tokens})
}

/// MB/s.
fn rate(count: &Count, documents: &[&str]) -> f64 {
    let bytes: usize = documents.iter().map(|it| it.len()).sum();
    let begun = Instant::now();
    let tokens: usize = documents.iter().map(|it| count(it)).sum();
    let seconds = begun.elapsed().as_secs_f64();
    assert!(tokens > 0, "something was counted");
    bytes as f64 / 1e6 / seconds
}

fn measure_adverse(name: &str, vocabulary: &str, text: &str) -> Value {
    let text = texts::TEXTS.iter().find(|it| it.0 == text).expect("a known text").1();
    let (count, _) = load(name, vocabulary);
    let half = text.floor_char_boundary(text.len() / 2);
    let [half, whole] = [&text[..half], &text].map(|it| rate(&count, &[it]));
    json!({"half": half, "whole": whole})
}

/// MB/s of one thread, and of two together, each on a corpus of its own.
fn measure_threads(vocabulary: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(file).expect("the corpus is readable");
    let documents = documents(&text);
    let (count, _) = load("tollgate", vocabulary);
    let (first, second) = documents.split_at(documents.len() / 2);
    let together = || {
        std::thread::scope(|scope| {
            for part in [first, second] {
                let count = &count;
                scope.spawn(move || rate(count, part));
            }
        });
    };
    // Both have met their text before, so that only the work itself is compared.
    together();
    let (first_alone, second_alone) = (rate(&count, first), rate(&count, second));
    let one = 2.0 / (1.0 / first_alone + 1.0 / second_alone);
    let begun = Instant::now();
    together();
    let two = text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
    json!({"one": one, "two": two})
}

/// The best of several processes, figure by figure.
fn best(runs: usize, args: &[&str]) -> Value {
    let program = std::env::current_exe().expect("this program");
    let mut best = json!({});
    for _ in 0..runs {
        let output = Command::new(&program).arg("--child").args(args).output().expect("a child");
        let Ok(found) = serde_json::from_slice::<Value>(&output.stdout) else { return json!({"failed": true}) };
        for (key, value) in found.as_object().expect("an object") {
            let (old, new) = (best[key].as_f64(), value.as_f64().expect("a number"));
            let better = if key == "load_ms" { old.is_none_or(|it| new < it) } else { old.is_none_or(|it| new > it) };
            if better {
                best[key] = json!(new);
            }
        }
    }
    best
}

fn speed(options: &Options) {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in KINDS {
        let file = corpus::file(kind, options.corpus.as_deref(), folder.path());
        for vocabulary in VOCABULARIES {
            let rows: Vec<_> = CONTESTANTS
                .iter()
                .map(|it| (it.name, best(options.runs, &["speed", it.name, vocabulary, &file])))
                .collect();
            report(kind, vocabulary, &rows, options.as_json);
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
    let ours = rows[0].1["cold"].as_f64().unwrap_or(f64::NAN);
    for (name, row) in rows {
        let get = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        println!(
            "{name:<14} {:>8.0} {:>8.0} {:>8.0} {:>8.2} {:>9.1} {:>10.0}",
            get("cold"),
            get("warm"),
            get("repeated"),
            ours / get("cold"),
            get("load_ms"),
            get("tokens")
        );
    }
}

fn adverse(options: &Options) {
    println!(
        "\none text of 1 MB, o200k, cold: MB/s of its first half, of the whole\n{:<22} {}",
        "",
        CONTESTANTS.map(|it| format!("{:>18}", it.name)).concat()
    );
    for (text, _) in texts::TEXTS {
        let cells = CONTESTANTS.map(|it| {
            let row = best(options.runs.min(3), &["adverse", it.name, "o200k", text]);
            let get = |key: &str| row[key].as_f64().map_or("-".to_owned(), |it| format!("{it:.1}"));
            format!("{:>18}", format!("{} {}", get("half"), get("whole")))
        });
        println!("{text:<22} {}", cells.concat());
    }
}

fn threads(options: &Options) {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in KINDS {
        let file = corpus::file(kind, options.corpus.as_deref(), folder.path());
        let row = best(options.runs, &["threads", "o200k", &file]);
        let (one, two) = (row["one"].as_f64().unwrap_or(f64::NAN), row["two"].as_f64().unwrap_or(f64::NAN));
        println!("{kind}: one thread {one:.0} MB/s, two {two:.0} MB/s, {:.2} times", two / one);
    }
}
