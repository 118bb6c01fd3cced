//! RULER's synthetic tasks (Hsieh et al., arXiv 2404.06654): eight needles in haystacks, variable tracking, common words,
//! and frequent words. Scored as there, by the share of the wanted strings that stand in the answer.

use serde_json::{Value, json};

use super::generated::{Cell, ContextLimits, DEPTHS, Made, Maker, N_GUESSES, judged, tasks};
use super::noise;
use crate::random::Random;
use crate::score::Judgement;
use crate::suite::{Opened, Setting, Suite, Tally};
use crate::task::Task;
use crate::trace::Trace;

/// Needles of the tasks with several keys, values or queries (table 2: 4 of each).
const N_SEVERAL: usize = 4;

/// Assignments in a chain (one chain of four hops), and other chains beside it.
const N_HOPS: usize = 4;
const N_OTHER_CHAINS: usize = 2;

/// Common words: ten words stand thirty times each, all others three times (section 3).
const N_COMMON: usize = 10;
const COMMON_TIMES: usize = 30;
const OTHER_TIMES: usize = 3;

/// Frequent words are drawn by Zeta's law with this exponent (section 3), and the three most frequent are asked for.
const ZETA: f64 = 2.0;
const N_FREQUENT: usize = 3;

/// The suite.
pub struct Ruler;

static KINDS: &[(&str, Maker)] = &[
    ("niah-single-noise", |cell, setting, random| {
        niah(cell, setting, random, Niah { hay: Hay::Noise, ..Niah::WORD_NUMBER })
    }),
    ("niah-single-essay", |cell, setting, random| niah(cell, setting, random, Niah::WORD_NUMBER)),
    ("niah-single-uuid", |cell, setting, random| {
        niah(cell, setting, random, Niah { is_uuid: true, ..Niah::WORD_NUMBER })
    }),
    ("niah-multikey-essay", |cell, setting, random| {
        niah(cell, setting, random, Niah { n_others: 3, ..Niah::WORD_NUMBER })
    }),
    ("niah-multikey-needles", |cell, setting, random| {
        niah(cell, setting, random, Niah { hay: Hay::Needles, ..Niah::WORD_NUMBER })
    }),
    ("niah-multikey-uuids", |cell, setting, random| {
        niah(cell, setting, random, Niah { hay: Hay::Needles, is_uuid: true, ..Niah::WORD_NUMBER })
    }),
    ("niah-multivalue", |cell, setting, random| {
        niah(cell, setting, random, Niah { n_values: N_SEVERAL, ..Niah::WORD_NUMBER })
    }),
    ("niah-multiquery", |cell, setting, random| {
        niah(cell, setting, random, Niah { n_queries: N_SEVERAL, ..Niah::WORD_NUMBER })
    }),
    ("variable-tracking", variable_tracking),
    ("common-words", common_words),
    ("frequent-words", frequent_words),
];

impl Suite for Ruler {
    fn name(&self) -> &'static str {
        "ruler-synthetic"
    }

    fn about(&self) -> &'static str {
        "RULER: needles in haystacks, variable tracking, common and frequent words; generated"
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        Ok(Opened::Tasks(tasks(setting, KINDS, &DEPTHS)))
    }

    /// The share of the wanted strings that stand in the answer, whatever else does.
    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        judged(task, trace, recall)
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::<ContextLimits>::default())
    }
}

fn recall(wanted: &Value, answer: &str) -> f64 {
    let wanted: Vec<&str> = wanted.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let answer = answer.to_lowercase();
    let found = wanted.iter().filter(|it| answer.contains(&it.to_lowercase())).count();
    found as f64 / wanted.len().max(1) as f64
}

/// What surrounds needles.
#[derive(Clone, Copy, PartialEq)]
enum Hay {
    /// The same few sentences over and over.
    Noise,
    /// Sentences that differ.
    Essay,
    /// Other needles.
    Needles,
}

/// A kind of needle in a haystack.
#[derive(Clone, Copy)]
struct Niah {
    hay: Hay,
    is_uuid: bool,
    /// Needles with other keys that nobody asks for.
    n_others: usize,
    n_values: usize,
    n_queries: usize,
}

impl Niah {
    const WORD_NUMBER: Self = Self { hay: Hay::Essay, is_uuid: false, n_others: 0, n_values: 1, n_queries: 1 };

    fn key(self, random: &mut Random) -> String {
        if self.is_uuid { random.uuid() } else { noise::key(random) }
    }

    fn value(self, random: &mut Random) -> String {
        if self.is_uuid { random.uuid() } else { (1_000_000 + random.below(9_000_000)).to_string() }
    }
}

fn needle(key: &str, value: &str) -> String {
    format!("The special magic value for {key} is: {value}.")
}

fn niah(cell: Cell, setting: &Setting, random: &mut Random, kind: Niah) -> Made {
    let keys: Vec<String> = (0..kind.n_queries).map(|_| kind.key(random)).collect();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for key in &keys {
        pairs.extend((0..kind.n_values).map(|_| (key.as_str(), kind.value(random))));
    }
    let wanted: Vec<String> = pairs.iter().map(|(_, value)| value.clone()).collect();
    let mut needles: Vec<String> = pairs.iter().map(|(key, value)| needle(key, value)).collect();
    let others = |random: &mut Random| needle(&kind.key(random), &kind.value(random));
    needles.extend((0..kind.n_others).map(|_| others(random)));
    let mut draw = |random: &mut Random| match kind.hay {
        Hay::Noise => noise::SAME.to_owned(),
        Hay::Essay => noise::sentence(random),
        Hay::Needles => others(random),
    };
    let hay = noise::filled(cell.length, setting, random, &mut draw);
    let text = noise::with_needles(hay, needles, cell.depth, random);
    let query = format!(
        "Some special magic values are hidden within the following text. Memorise them; I will ask about them \
         afterwards.\n\n{text}\n\nWhat are all the special magic values for {} in the text above? Answer with the values only, \
         separated by commas.",
        keys.join(" and ")
    );
    made(query, &wanted, || (0..wanted.len()).map(|_| kind.value(random)).collect())
}

fn variable_tracking(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let mut names: Vec<String> = Vec::new();
    let chain_len = N_HOPS + 1;
    while names.len() < chain_len * (N_OTHER_CHAINS + 1) {
        let name: String = (0..5).map(|_| char::from(b'A' + random.below(26) as u8)).collect();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let chains: Vec<&[String]> = names.chunks(chain_len).collect();
    let values: Vec<usize> = chains.iter().map(|_| 10_000 + random.below(90_000)).collect();
    let lines = chains.iter().zip(&values).flat_map(|(chain, value)| {
        let first = format!("VAR {} = {value}.", chain[0]);
        let copies = chain.windows(2).map(|pair| format!("VAR {} = VAR {}.", pair[1], pair[0]));
        std::iter::once(first).chain(copies).collect::<Vec<_>>()
    });
    let lines: Vec<String> = lines.collect();
    let hay = noise::filled(cell.length, setting, random, &mut |_| noise::SAME.to_owned());
    let text = noise::with_chains(hay, &lines, chain_len, random);
    let query = format!(
        "Memorise and track the chains of variable assignments hidden in the following text.\n\n{text}\n\nFind all variables \
         that are assigned the value {} in the text above, directly or through other variables. Answer with their names \
         only, separated by commas.",
        values[0]
    );
    let others: Vec<String> = names[chain_len..].to_vec();
    made(query, chains[0], || (0..chain_len).filter_map(|_| random.pick(&others)).cloned().collect())
}

fn common_words(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let common: Vec<String> = noise::words(N_COMMON, random);
    let least: usize = COMMON_TIMES * N_COMMON;
    let mut listed: Vec<String> = common.iter().flat_map(|it| vec![it.clone(); COMMON_TIMES]).collect();
    let per_word = setting.tokenizer.count(&numbered(&listed)) / listed.len().max(1);
    let room = (cell.length / per_word.max(1)).saturating_sub(least);
    let others = noise::other_words((room / OTHER_TIMES).max(N_COMMON), &common, random);
    listed.extend(others.iter().flat_map(|it| vec![it.clone(); OTHER_TIMES]));
    random.shuffle(&mut listed);
    let query = format!(
        "Below is a numbered list of words. Some of them appear more often than others. Memorise the ones that appear most \
         often.\n\n{}\n\nWhat are the {N_COMMON} most common words in the list above? Answer with the words only, separated \
         by commas.",
        numbered(&listed)
    );
    made(query, &common, || (0..N_COMMON).filter_map(|_| random.pick(&others)).cloned().collect())
}

fn numbered(words: &[String]) -> String {
    let lines: Vec<String> = words.iter().enumerate().map(|(at, word)| format!("{}. {word}", at + 1)).collect();
    lines.join(" ")
}

fn frequent_words(cell: Cell, setting: &Setting, random: &mut Random) -> Made {
    let codes: Vec<String> = noise::codes(64, random);
    let per_word = setting.tokenizer.count(&codes.join(" ")) as f64 / codes.len() as f64;
    let count = (cell.length as f64 / per_word).max(200.0);
    // As many of each as its frequency says, so that the first three are the most frequent for sure.
    let total: f64 = (1..=codes.len()).map(|rank| (rank as f64).powf(-ZETA)).sum();
    let times = |rank: usize| (count * (rank as f64).powf(-ZETA) / total).round() as usize;
    let coded = codes.iter().enumerate().flat_map(|(at, code)| vec![code.clone(); times(at + 1)]);
    let mut listed: Vec<String> = coded.collect();
    random.shuffle(&mut listed);
    let query = format!(
        "Read the following coded text and track the frequency of each coded word. Find the three that appear most often.\n\n{}\n\n\
         What are the three coded words that appear most often in the text above? Answer with the words only, separated by \
         commas.",
        listed.join(" ")
    );
    let others = codes[N_FREQUENT..].to_vec();
    made(query, &codes[..N_FREQUENT], || (0..N_FREQUENT).filter_map(|_| random.pick(&others)).cloned().collect())
}

fn made(query: String, wanted: &[String], mut other: impl FnMut() -> Vec<String>) -> Made {
    let answer = wanted.join(", ");
    let wrong = (0..N_GUESSES - 1).map(|_| other().join(", ")).collect();
    Made { query, expected: json!(wanted), answer, wrong }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_strings_count_wherever_they_stand() {
        let wanted = json!(["1234567", "7654321"]);
        for (answer, expected) in [("7654321, 1234567", 1.0), ("It is 1234567.", 0.5), ("", 0.0)] {
            assert!((recall(&wanted, answer) - expected).abs() < 1e-9, "{answer}");
        }
    }
}
