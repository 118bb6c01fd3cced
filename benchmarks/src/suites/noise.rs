//! Text that says nothing, for needles to lie in. It is put together here, since no essay may be shipped.

use crate::random::Random;
use crate::suite::Setting;

/// RULER's repeated sentences.
pub const SAME: &str = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

const ADJECTIVES: [&str; 16] = [
    "quiet", "early", "narrow", "patient", "wooden", "distant", "careful", "plain", "heavy", "bright", "steady",
    "gentle", "curious", "hollow", "broad", "silver",
];
const NOUNS: [&str; 24] = [
    "harbour", "garden", "letter", "bridge", "market", "window", "river", "lantern", "orchard", "station", "clock",
    "library", "meadow", "engine", "kitchen", "road", "valley", "workshop", "island", "teacher", "sailor", "painter",
    "baker", "miller",
];
const VERBS: [&str; 12] = [
    "watched",
    "mended",
    "crossed",
    "described",
    "followed",
    "remembered",
    "measured",
    "left",
    "painted",
    "found",
    "kept",
    "counted",
];
const TIMES: [&str; 8] = [
    "in the morning",
    "before the rain",
    "after supper",
    "that winter",
    "on the second day",
    "for a while",
    "at noon",
    "without a word",
];
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi", "xo",
    "yu", "za", "bre", "clo", "dru",
];

fn one<'a>(words: &[&'a str], random: &mut Random) -> &'a str {
    random.pick(words).copied().unwrap_or_default()
}

/// A sentence.
pub fn sentence(random: &mut Random) -> String {
    format!(
        "The {} {} {} the {} {} {}.",
        one(&ADJECTIVES, random),
        one(&NOUNS, random),
        one(&VERBS, random),
        one(&ADJECTIVES, random),
        one(&NOUNS, random),
        one(&TIMES, random)
    )
}

/// A key of two words and a number, which hardly comes twice.
pub fn key(random: &mut Random) -> String {
    format!("{}-{}-{}", one(&ADJECTIVES, random), one(&NOUNS, random), random.below(10_000))
}

/// Words that are all different.
pub fn words(count: usize, random: &mut Random) -> Vec<String> {
    other_words(count, &[], random)
}

/// Words that differ from one another and from `taken`.
pub fn other_words(count: usize, taken: &[String], random: &mut Random) -> Vec<String> {
    let mut seen: std::collections::BTreeSet<String> = taken.iter().cloned().collect();
    let mut words = Vec::with_capacity(count);
    while words.len() < count {
        let n_syllables = 3 + random.below(2);
        let word: String = (0..n_syllables).map(|_| one(&SYLLABLES, random)).collect();
        // No word may stand inside another one, since answers are searched for words.
        if seen.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

/// Coded words of six letters, all different.
pub fn codes(count: usize, random: &mut Random) -> Vec<String> {
    let mut codes = Vec::with_capacity(count);
    while codes.len() < count {
        let code: String = (0..6).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// Drawn sentences of together about so many tokens.
pub fn filled(
    tokens: usize,
    setting: &Setting,
    random: &mut Random,
    draw: &mut dyn FnMut(&mut Random) -> String,
) -> Vec<String> {
    let sample: Vec<String> = (0..32).map(|_| draw(random)).collect();
    let cost = setting.tokenizer.count(&sample.join(" "));
    let count = (tokens * sample.len() / cost.max(1)).max(8);
    (0..count).map(|_| draw(random)).collect()
}

/// The hay with the first needle at `depth` and the others anywhere.
pub fn with_needles(mut hay: Vec<String>, needles: Vec<String>, depth: f64, random: &mut Random) -> String {
    let mut needles = needles.into_iter();
    let first = needles.next();
    for needle in needles {
        hay.insert(random.below(hay.len() + 1), needle);
    }
    if let Some(first) = first {
        hay.insert((hay.len() as f64 * depth).round() as usize, first);
    }
    hay.join(" ")
}

/// The hay with lines in it, of which each `chain_len` keep their order.
pub fn with_chains(hay: Vec<String>, lines: &[String], chain_len: usize, random: &mut Random) -> String {
    let mut placed: Vec<(usize, usize, &str)> = Vec::new();
    for chain in lines.chunks(chain_len) {
        let mut places: Vec<usize> = chain.iter().map(|_| random.below(hay.len() + 1)).collect();
        places.sort_unstable();
        placed.extend(places.into_iter().zip(chain).enumerate().map(|(at, (place, line))| (place, at, line.as_str())));
    }
    placed.sort_by_key(|&(place, at, _)| (place, at));
    let mut placed = placed.into_iter().peekable();
    let mut text: Vec<&str> = Vec::new();
    for (at, sentence) in hay.iter().enumerate() {
        while let Some((_, _, line)) = placed.next_if(|(place, ..)| *place <= at) {
            text.push(line);
        }
        text.push(sentence);
    }
    text.extend(placed.map(|(_, _, line)| line));
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_keep_their_order() {
        let lines: Vec<String> = (0..10).map(|at| format!("line{at}.")).collect();
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let hay: Vec<String> = (0..20).map(|_| sentence(&mut random)).collect();
            let text = with_chains(hay, &lines, 5, &mut random);
            let places: Vec<usize> = lines.iter().map(|it| text.find(it.as_str()).unwrap()).collect();
            assert!(places[..5].is_sorted() && places[5..].is_sorted(), "{places:?}");
        }
    }
}
