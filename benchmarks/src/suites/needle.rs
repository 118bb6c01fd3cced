//! Needle Threading (Roberts, Han and Albanie, arXiv 2411.05000): values in a haystack of random UUID pairs, found by their
//! key, by a mark in the key, or by following values that are keys in turn.

use serde_json::{Value, json};

use super::generated::{Cell, ContextLimits, DEPTHS, Made, N_GUESSES, judged, tasks};
use crate::random::Random;
use crate::score::Judgement;
use crate::suite::{Opened, Setting, Suite, Tally};
use crate::task::Task;
use crate::trace::Trace;

/// Needles of the tasks that have several, and the length of a thread.
const N_NEEDLES: usize = 4;
const THREAD: usize = 5;
const N_THREADS: usize = 3;

/// Marks the keys of conditional needles.
const MARK: char = '*';

/// The suite.
pub struct NeedleThreading;

static KINDS: &[(&str, super::generated::Maker)] = &[
    ("single", single),
    ("multiple", multiple),
    ("conditional", conditional),
    ("thread", thread),
    ("multi-thread", threads),
];

impl Suite for NeedleThreading {
    fn name(&self) -> &'static str {
        "needle-threading"
    }

    fn about(&self) -> &'static str {
        "values in a haystack of UUID pairs: single, multiple, conditional, threads; generated"
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        Ok(Opened::Tasks(tasks(setting, KINDS, &DEPTHS)))
    }

    /// Every value at its place in the answer: of several the share of the right ones.
    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        judged(task, trace, places)
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::<ContextLimits>::default())
    }
}

/// The share of the wanted values that stand in the answer, one after the other.
fn places(wanted: &Value, answer: &str) -> f64 {
    let wanted: Vec<&str> = wanted.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_part = |it: char| it.is_ascii_hexdigit() || it == '-' || it == MARK;
    let given: Vec<&str> = answer.split(|it| !is_part(it)).filter(|it| it.len() >= 36).collect();
    let right = wanted.iter().zip(&given).filter(|(one, other)| one.eq_ignore_ascii_case(other)).count();
    right as f64 / wanted.len().max(given.len()).max(1) as f64
}

/// A haystack of pairs.
struct Haystack {
    pairs: Vec<(String, String)>,
}

impl Haystack {
    /// One of about so many tokens.
    fn drawn(cell: Cell, setting: &Setting, random: &mut Random) -> Self {
        let pair = |random: &mut Random| (random.uuid(), random.uuid());
        let sample: Vec<_> = (0..32).map(|_| pair(random)).collect();
        let tokens = setting.tokenizer.count(&Self { pairs: sample }.text());
        let count = (cell.length * 32 / tokens.max(1)).max(2 * N_THREADS * THREAD);
        Self { pairs: (0..count).map(|_| pair(random)).collect() }
    }

    fn text(&self) -> String {
        let lines: Vec<String> = self.pairs.iter().map(|(key, value)| format!("\"{key}\": \"{value}\"")).collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }

    /// The pair at a depth.
    fn at(&self, depth: f64) -> usize {
        ((self.pairs.len() - 1) as f64 * depth).round() as usize
    }

    /// Places of several needles, the first of them at the depth.
    fn places(&self, cell: Cell, count: usize, random: &mut Random) -> Vec<usize> {
        let mut places = vec![self.at(cell.depth)];
        while places.len() < count {
            let place = random.below(self.pairs.len());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Makes the values of these pairs the keys of the next ones.
    fn thread(&mut self, places: &[usize]) {
        for pair in places.windows(2) {
            self.pairs[pair[0]].1 = self.pairs[pair[1]].0.clone();
        }
    }

    fn values(&self, places: &[usize]) -> Vec<String> {
        places.iter().map(|&at| self.pairs[at].1.clone()).collect()
    }

    /// Sets of other values, as wrong answers.
    fn wrong(&self, right: &[String], random: &mut Random) -> Vec<String> {
        let mut sets = Vec::new();
        while sets.len() < N_GUESSES - 1 {
            let set: Vec<String> =
                right.iter().filter_map(|_| random.pick(&self.pairs)).map(|it| it.1.clone()).collect();
            if set != right {
                sets.push(set.join(", "));
            }
        }
        sets
    }

    fn made(&self, question: &str, right: &[String], random: &mut Random) -> Made {
        let query = format!(
            "Here is a JSON object of key-value pairs, all of them UUIDs.\n\n{}\n\n{question} Answer with nothing but the \
             value, or the values separated by commas.",
            self.text()
        );
        Made { query, expected: json!(right), answer: right.join(", "), wrong: self.wrong(right, random) }
    }
}

fn single(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let haystack = Haystack::drawn(cell, setting, random);
    let place = haystack.at(cell.depth);
    let question = format!("What is the value of the key \"{}\"?", haystack.pairs[place].0);
    haystack.made(&question, &haystack.values(&[place]), random)
}

fn multiple(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let haystack = Haystack::drawn(cell, setting, random);
    let places = haystack.places(cell, N_NEEDLES, random);
    let keys: Vec<String> = places.iter().map(|&at| format!("\"{}\"", haystack.pairs[at].0)).collect();
    let question = format!("What are the values of these keys, in this order: {}?", keys.join(", "));
    haystack.made(&question, &haystack.values(&places), random)
}

fn conditional(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let mut haystack = Haystack::drawn(cell, setting, random);
    let mut places = haystack.places(cell, N_NEEDLES, random);
    places.sort_unstable();
    for &at in &places {
        let mark_at = random.below(haystack.pairs[at].0.len());
        haystack.pairs[at].0.insert(mark_at, MARK);
    }
    let question = format!("What are the values of all keys that contain the character `{MARK}`, from top to bottom?");
    haystack.made(&question, &haystack.values(&places), random)
}

const THREAD_RULE: &str = "Where a value is itself a key, go on with the value of that key, until a value is no key.";

fn thread(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let mut haystack = Haystack::drawn(cell, setting, random);
    let mut places = haystack.places(cell, THREAD, random);
    haystack.thread(&places);
    let question =
        format!("Start with the key \"{}\". {THREAD_RULE} What is the last value?", haystack.pairs[places[0]].0);
    let last = places.pop().unwrap_or_default();
    haystack.made(&question, &haystack.values(&[last]), random)
}

fn threads(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let mut haystack = Haystack::drawn(cell, setting, random);
    let places = haystack.places(cell, N_THREADS * THREAD, random);
    let chains: Vec<&[usize]> = places.chunks(THREAD).collect();
    chains.iter().for_each(|chain| haystack.thread(chain));
    let keys: Vec<String> = chains.iter().map(|chain| format!("\"{}\"", haystack.pairs[chain[0]].0)).collect();
    let question = format!(
        "Start with each of these keys in turn: {}. {THREAD_RULE} What is the last value of each?",
        keys.join(", ")
    );
    let last: Vec<usize> = chains.iter().map(|chain| chain[THREAD - 1]).collect();
    haystack.made(&question, &haystack.values(&last), random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_place_by_place() {
        let (a, b) = (Random::new(1).uuid(), Random::new(2).uuid());
        let wanted = json!([a, b]);
        for (answer, expected) in [
            (format!("{a}, {b}"), 1.0),
            (format!("The values are `{}` and {b}.", a.to_uppercase()), 1.0),
            (format!("{b}, {a}"), 0.0),
            (a.clone(), 0.5),
            (format!("{a}, {b}, {a}, {b}"), 0.5),
            ("none".to_owned(), 0.0),
        ] {
            assert!((places(&wanted, &answer) - expected).abs() < 1e-9, "{answer}");
        }
    }
}
