//! One measurement, in a process of its own.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    clock::worked,
    contestants::{Count, contestants},
    corpus::documents,
    texts,
};

const WARM_UP: &str = "Пусть всегда будет солнце, 中文 и naïve café, 12345.";

/// `speed CONTESTANT VOCABULARY FILE`, `adverse CONTESTANT VOCABULARY TEXT BYTES`, `threads VOCABULARY FILE`.
pub fn measure(args: &[String]) -> Value {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["speed", name, vocabulary, file] => speed(name, vocabulary, file),
        ["adverse", name, vocabulary, text, bytes] => {
            adverse(name, vocabulary, text, bytes.parse().expect("a number of bytes"))
        }
        ["threads", vocabulary, file] => threads(vocabulary, file),
        _ => panic!("unknown measurement {args:?}"),
    }
}

fn load(name: &str, vocabulary: &str) -> (Count, f64) {
    let contestant = contestants(vocabulary).find(|it| it.name == name).expect("a known contestant");
    let begun = worked();
    let count = (contestant.load)(vocabulary);
    count(WARM_UP);
    (count, (worked() - begun).as_secs_f64() * 1e3)
}

fn speed(name: &str, vocabulary: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(file).expect("the corpus is readable");
    let documents = documents(&text);
    let (count, load_ms) = load(name, vocabulary);
    let (first, second) = documents.split_at(documents.len() / 2);
    let [cold, warm, repeated] = [first, second, second].map(|it| rate(&count, it));
    let tokens: usize = documents.iter().map(|it| count(it)).sum();
    json!({"load_ms": load_ms, "cold": cold, "warm": warm, "repeated": repeated, "tokens": tokens})
}

/// MB for each second of work.
fn rate(count: &Count, documents: &[&str]) -> f64 {
    let bytes: usize = documents.iter().map(|it| it.len()).sum();
    let begun = worked();
    let tokens: usize = documents.iter().map(|it| count(it)).sum();
    let seconds = (worked() - begun).as_secs_f64();
    assert!(tokens > 0, "something was counted");
    bytes as f64 / 1e6 / seconds
}

/// MB/s of a text, cold, and the most memory that the process held, the text included.
fn adverse(name: &str, vocabulary: &str, text: &str, bytes: usize) -> Value {
    let text = texts::TEXTS.iter().find(|it| it.0 == text).expect("a known text").1(bytes, vocabulary);
    let (count, _) = load(name, vocabulary);
    json!({"speed": rate(&count, &[&text]), "memory_mb": memory_mb(), "tokens": count(&text)})
}

/// Linux says; elsewhere nothing is reported.
fn memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|it| it.parse::<f64>().ok()).map_or(f64::NAN, |it| it / 1e3)
}

/// MB/s of one thread, and of two together, each on a corpus of its own.
fn threads(vocabulary: &str, file: &str) -> Value {
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
    // Both have met their text before, so that only the work itself is compared, by the wall's time.
    together();
    let begun = Instant::now();
    [first, second].into_iter().for_each(|it| assert!(rate(&count, it) > 0.0, "something was counted"));
    let one = text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    together();
    let two = text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
    json!({"one": one, "two": two})
}
