//! Long procedures, after LongProc (Ye et al., arXiv 2501.05414): a path through a graph of one-way roads, and numbers that
//! are combined until a target is reached. Both are followed step by step and scored by the part that is right from the
//! beginning on; only a whole one solves the task.

use serde_json::{Value, json};

use super::generated::{Cell, ContextLimits, Made, Maker, N_GUESSES, judged, tasks};
use super::noise;
use crate::random::Random;
use crate::score::Judgement;
use crate::suite::{Opened, Setting, Suite, Tally};
use crate::task::Task;
use crate::trace::Trace;

/// The whole context counts, so that there is one depth only.
const WHOLE: [f64; 1] = [0.0];

/// Roads out of a city, of which one leads on.
const ROADS: usize = 3;

/// Numbers that a countdown begins with, at least.
const LEAST_NUMBERS: usize = 4;

/// The suite.
pub struct LongProc;

static KINDS: &[(&str, Maker)] = &[("path-traversal", path_traversal), ("countdown", countdown)];

impl Suite for LongProc {
    fn name(&self) -> &'static str {
        "longproc"
    }

    fn about(&self) -> &'static str {
        "long procedures: path traversal and countdown; generated"
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        Ok(Opened::Tasks(tasks(setting, KINDS, &WHOLE)))
    }

    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        judged(task, trace, |expected, answer| match expected.get("path") {
            Some(path) => right_prefix(path, answer),
            None => right_steps(expected, answer),
        })
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::<ContextLimits>::default())
    }
}

fn lines(answer: &str) -> Vec<&str> {
    answer.lines().map(str::trim).filter(|it| !it.is_empty()).collect()
}

/// The share of the path that is right before the first wrong city; what is too much is wrong too.
fn right_prefix(path: &Value, answer: &str) -> f64 {
    let wanted: Vec<&str> = path.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let given = lines(answer);
    let right = wanted.iter().zip(&given).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count();
    right as f64 / wanted.len().max(given.len()).max(1) as f64
}

/// A graph in which every city has roads to others, one of which lies on the path; the others lead off it.
fn path_traversal(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let road = |from: &str, to: &str| format!("From {from} you can go to {to}.");
    let sample: Vec<String> = (0..32).map(|_| road("Kilomune", "Rozafo")).collect();
    let per_road = setting.tokenizer.count(&sample.join("\n")) as f64 / sample.len() as f64;
    let n_roads = (cell.length as f64 / per_road) as usize;
    let n_steps = (n_roads / (2 * ROADS)).max(4);
    let cities: Vec<String> = noise::words(2 * n_steps + 2, random).iter().map(|it| capitalised(it)).collect();
    let (path, away) = cities.split_at(n_steps + 1);
    let mut roads: Vec<String> = path.windows(2).map(|pair| road(&pair[0], &pair[1])).collect();
    // Off the path there is no way back, so that one path only leads to the end.
    for (at, from) in path[..n_steps].iter().enumerate() {
        roads.push(road(from, &away[at]));
    }
    while roads.len() < n_roads {
        let (from, to) = (random.below(away.len()), random.below(away.len()));
        if from != to {
            roads.push(road(&away[from], &away[to]));
        }
    }
    random.shuffle(&mut roads);
    let query = format!(
        "These are all roads of a country; each goes one way only.\n\n{}\n\nGo from {} to {}. Exactly one way leads there, and \
         no city on it comes twice. Answer with the cities on the way, one a line, the first and the last included, and \
         nothing else.",
        roads.join("\n"),
        path[0],
        path[n_steps]
    );
    let wrong = (0..N_GUESSES - 1).map(|_| {
        let mut other = path.to_vec();
        let at = 1 + random.below(n_steps - 1);
        other[at] = away[random.below(away.len())].clone();
        other.join("\n")
    });
    let wrong = wrong.collect();
    Made { query, expected: json!({"path": path}), answer: path.join("\n"), wrong }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// One step: two numbers, how they are combined, what that gives.
#[derive(Clone, Copy)]
struct Step {
    left: i64,
    sign: char,
    right: i64,
    gives: i64,
}

impl Step {
    fn text(self) -> String {
        format!("{} {} {} = {}", self.left, self.sign, self.right, self.gives)
    }

    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [left, sign, right, "=", gives] = words[..] else { return None };
        Some(Self {
            left: left.parse().ok()?,
            sign: sign.chars().next()?,
            right: right.parse().ok()?,
            gives: gives.parse().ok()?,
        })
    }

    fn is_right(self) -> bool {
        let (left, right) = (self.left, self.right);
        let value = match self.sign {
            '+' => left.checked_add(right),
            '-' => left.checked_sub(right),
            '*' => left.checked_mul(right),
            '/' if right != 0 && left % right == 0 => left.checked_div(right),
            _ => None,
        };
        value == Some(self.gives)
    }
}

/// Numbers, and a target that is reached by combining two at a time; longer contexts have more numbers.
fn countdown(cell: Cell, _: &Setting, random: &mut Random) -> Made {
    // About ten tokens for each number and its step.
    let count = (cell.length / 40).clamp(LEAST_NUMBERS, 400);
    let numbers: Vec<i64> = (0..count).map(|_| 1 + random.below(50) as i64).collect();
    let mut pool = numbers.clone();
    let mut steps: Vec<Step> = Vec::new();
    while pool.len() > 1 {
        let left = pool.swap_remove(random.below(pool.len()));
        let right = pool.swap_remove(random.below(pool.len()));
        let (left, right) = (left.max(right), left.min(right));
        let step = match random.below(3) {
            0 if left > right => Step { left, sign: '-', right, gives: left - right },
            1 if left < 100 && right < 10 => Step { left, sign: '*', right, gives: left * right },
            _ => Step { left, sign: '+', right, gives: left + right },
        };
        pool.push(step.gives);
        steps.push(step);
    }
    let target = pool.first().copied().unwrap_or_default();
    let listed: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let query = format!(
        "Reach {target} with these numbers, each of which is used exactly once: {}. In each step take two numbers that are \
         left, combine them by +, -, * or /, and put what they give in their place, until one number is left. Answer with \
         the steps, one a line as in `3 + 4 = 7`, and nothing else.",
        listed.join(", ")
    );
    let answer: Vec<String> = steps.iter().map(|it| it.text()).collect();
    let wrong = (1..N_GUESSES).map(|off| {
        let mut other = steps.clone();
        let last = other.len() - 1;
        other[last].gives += off as i64;
        other.iter().map(|it| it.text()).collect::<Vec<_>>().join("\n")
    });
    let wrong = wrong.collect();
    Made { query, expected: json!({"numbers": numbers, "target": target}), answer: answer.join("\n"), wrong }
}

/// The share of the steps that are right before the first wrong one; all of them only if they reach the target. Any way
/// there counts.
fn right_steps(expected: &Value, answer: &str) -> f64 {
    let mut pool: Vec<i64> = expected["numbers"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let n_steps = pool.len().saturating_sub(1);
    let given = lines(answer);
    let mut right = 0;
    for line in &given {
        let Some(step) = Step::read(line).filter(|it| it.is_right()) else { break };
        if !take(&mut pool, step.left) || !take(&mut pool, step.right) {
            break;
        }
        pool.push(step.gives);
        right += 1;
    }
    let reached = pool.len() == 1 && pool.first() == expected["target"].as_i64().as_ref() && given.len() == right;
    match reached {
        true => 1.0,
        false => right.min(n_steps.saturating_sub(1)) as f64 / n_steps.max(1) as f64,
    }
}

fn take(pool: &mut Vec<i64>, number: i64) -> bool {
    let place = pool.iter().position(|it| *it == number);
    place.map(|at| pool.swap_remove(at)).is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suite::Setting;
    use tollgate_tokenizers::Tokenizer;

    /// Whether exactly one way leads through a graph; the tests ask.
    fn n_ways(roads: &[(String, String)], from: &str, to: &str, seen: &mut BTreeSet<String>) -> usize {
        if from == to {
            return 1;
        }
        seen.insert(from.to_owned());
        let next: Vec<&String> =
            roads.iter().filter(|it| it.0 == from && !seen.contains(&it.1)).map(|it| &it.1).collect();
        let ways = next.into_iter().map(|it| n_ways(roads, it, to, seen)).sum();
        seen.remove(from);
        ways
    }

    fn setting() -> Setting {
        Setting {
            files: None,
            distractors: None,
            seed: 1,
            tokenizer: Tokenizer::by_name("o200k_base").unwrap(),
            lengths: vec![],
            tasks_per_cell: 0,
            budgets: vec![],
            options: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn one_way_leads_through_the_graph() {
        for seed in 0..5 {
            let cell = Cell { length: 400, depth: 0.0 };
            let made = path_traversal(cell, &setting(), &mut Random::new(seed));
            let read = |line: &str| {
                let (from, to) = line.strip_prefix("From ")?.strip_suffix('.')?.split_once(" you can go to ")?;
                Some((from.to_owned(), to.to_owned()))
            };
            let roads: Vec<(String, String)> = made.query.lines().filter_map(read).collect();
            let cities: Vec<&str> = made.answer.lines().collect();
            let ways = n_ways(&roads, cities[0], cities[cities.len() - 1], &mut BTreeSet::new());
            assert_eq!(ways, 1, "{}", made.query);
            assert!((right_prefix(&made.expected["path"], &made.answer) - 1.0).abs() < 1e-9);
            assert!(made.wrong.iter().all(|it| right_prefix(&made.expected["path"], it) < 1.0));
        }
    }

    #[test]
    fn steps_are_checked_and_not_compared() {
        let expected = json!({"numbers": [2, 3, 4, 10], "target": 19});
        for (answer, score) in [
            ("2 + 3 = 5\n5 + 4 = 9\n9 + 10 = 19", 1.0),
            ("4 + 10 = 14\n2 + 3 = 5\n14 + 5 = 19", 1.0),
            ("4 + 10 = 14\n2 + 3 = 6\n14 + 5 = 19", 1.0 / 3.0),
            ("2 + 3 = 5\n2 + 4 = 6", 1.0 / 3.0),
            ("2 + 3 = 5\n5 + 4 = 9\n10 - 9 = 1", 2.0 / 3.0),
            ("2 + 3 = 5\n5 + 4 = 9\n9 + 10 = 19\n1 + 1 = 2", 2.0 / 3.0),
            ("I cannot.", 0.0),
        ] {
            assert!((right_steps(&expected, answer) - score).abs() < 1e-9, "{answer}");
        }
    }
}
