//! LongIns (Gavin et al., arXiv 2406.17588), its arithmetic part: a long list of questions with answers, some of them
//! wrong; the numbers of the wrong ones are wanted, and scored as a set (F1).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::generated::{Cell, ContextLimits, Made, Maker, N_GUESSES, judged, tasks};
use crate::random::Random;
use crate::score::Judgement;
use crate::suite::{Opened, Setting, Suite, Tally};
use crate::task::Task;
use crate::trace::Trace;

const WHOLE: [f64; 1] = [0.0];

/// One question in so many has a wrong answer.
const ONE_WRONG_IN: usize = 10;

/// The suite.
pub struct LongIns;

static KINDS: &[(&str, Maker)] = &[("arithmetic", arithmetic)];

impl Suite for LongIns {
    fn name(&self) -> &'static str {
        "longins"
    }

    fn about(&self) -> &'static str {
        "the wrong ones among many answered sums; generated"
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        Ok(Opened::Tasks(tasks(setting, KINDS, &WHOLE)))
    }

    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        judged(task, trace, f1)
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::<ContextLimits>::default())
    }
}

fn f1(wanted: &Value, answer: &str) -> f64 {
    let wanted: BTreeSet<u64> = wanted.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let digits = answer.split(|it: char| !it.is_ascii_digit());
    let given: BTreeSet<u64> = digits.filter_map(|it| it.parse().ok()).collect();
    let both = wanted.intersection(&given).count() as f64;
    2.0 * both / (wanted.len() + given.len()).max(1) as f64
}

/// A sum and what it gives.
fn sum(random: &mut Random) -> (String, usize) {
    let (left, right) = (10 + random.below(90), 10 + random.below(90));
    match random.below(3) {
        0 => (format!("{left} + {right}"), left + right),
        1 => (format!("{} - {}", left + right, right), left),
        _ => (format!("{left} * {}", right % 10), left * (right % 10)),
    }
}

fn arithmetic(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let sample: Vec<String> = (0..32).map(|at| format!("{}. What is 12 + 34? Answer: 46", at + 100)).collect();
    let per_line = setting.tokenizer.count(&sample.join("\n")) as f64 / sample.len() as f64;
    let count = ((cell.length as f64 / per_line) as usize).max(2 * ONE_WRONG_IN);
    let mut numbers: Vec<usize> = (1..=count).collect();
    random.shuffle(&mut numbers);
    let wrong: BTreeSet<usize> = numbers.iter().take(count / ONE_WRONG_IN).copied().collect();
    let line = |number: usize| {
        let (text, value) = sum(random);
        let off = if wrong.contains(&number) { 1 + random.below(9) } else { 0 };
        format!("{number}. What is {text}? Answer: {}", value + off)
    };
    let lines: Vec<String> = (1..=count).map(line).collect();
    let query = format!(
        "Here are questions, each with an answer that somebody gave.\n\n{}\n\nSome of the answers are wrong. Answer with the \
         numbers of the questions whose answers are wrong, separated by commas, and nothing else.",
        lines.join("\n")
    );
    let listed = |numbers: &mut dyn Iterator<Item = usize>| {
        let sorted: BTreeSet<usize> = numbers.collect();
        sorted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let others = numbers[wrong.len()..].chunks(wrong.len()).take(N_GUESSES - 1);
    let guesses = others.map(|chunk| listed(&mut chunk.iter().copied())).collect();
    let answer = listed(&mut wrong.iter().copied());
    Made { query, expected: json!(wrong), answer, wrong: guesses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scored_as_a_set() {
        let wanted = json!([3, 7, 12, 40]);
        for (answer, expected) in [
            ("3, 7, 12, 40", 1.0),
            ("[40,12,7,3,3]", 1.0),
            ("3, 7", 2.0 * 2.0 / 6.0),
            ("3, 7, 8, 9", 0.5),
            ("none", 0.0),
        ] {
            assert!((f1(&wanted, answer) - expected).abs() < 1e-9, "{answer}");
        }
    }
}
