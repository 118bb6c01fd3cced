//! Text to numbered terms, and identifiers to numbered names. What was split once is remembered.

use rustc_hash::FxHashMap;

use crate::tools::words::each_term;

/// Identifiers past this length are cut: they are data.
const MAX_WORD_BYTES: usize = 120;

/// Terms and names by number.
#[derive(Default)]
pub(super) struct Terms {
    numbers: FxHashMap<Box<str>, u32>,
    /// The terms of a word, as a range of `listed`; a word's number is its place.
    words: FxHashMap<Box<str>, u32>,
    ranges: Vec<(u32, u32)>,
    listed: Vec<u32>,
}

impl Terms {
    /// How many words were seen.
    pub(super) fn n_words(&self) -> usize {
        self.ranges.len()
    }

    /// How many terms were seen.
    pub(super) fn n_terms(&self) -> usize {
        self.numbers.len()
    }

    /// The number of a word, which is new if it was not seen before.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        if let Some(&known) = self.words.get(word) {
            return known;
        }
        let start = self.listed.len() as u32;
        let Self { numbers, listed, .. } = self;
        split(word, &mut |term| {
            let next = numbers.len() as u32;
            let number = match numbers.get(term) {
                Some(&number) => number,
                None => *numbers.entry(term.into()).or_insert(next),
            };
            listed.push(number);
        });
        let number = self.ranges.len() as u32;
        self.ranges.push((start, self.listed.len() as u32));
        self.words.insert(word.into(), number);
        number
    }

    /// The terms of a word.
    pub(super) fn of(&self, word: u32) -> &[u32] {
        self.ranges.get(word as usize).map_or(&[], |&(start, end)| &self.listed[start as usize..end as usize])
    }

    /// The terms of the parts of a name: without the whole, which a question seldom says.
    pub(super) fn parts(&mut self, name: &str) -> Box<[u32]> {
        let mut parts = Vec::new();
        for word in words(name).collect::<Vec<_>>() {
            for run in word.split('_').filter(|it| !it.is_empty()) {
                let number = self.word(run);
                let of = self.of(number);
                let n_parts = if of.len() > 1 { of.len() - 1 } else { of.len() };
                parts.extend_from_slice(&of[..n_parts]);
            }
        }
        parts.sort_unstable();
        parts.dedup();
        parts.into()
    }

    /// The numbers of the terms of `text` that were seen, each once.
    pub(super) fn known(&self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for word in words(text) {
            split(word, &mut |term| {
                if let Some(number) = self.numbers.get(term).copied().filter(|it| !found.contains(it)) {
                    found.push(number);
                }
            });
        }
        found
    }
}

/// The runs of letters, digits and underscores in `text`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|run| !run.is_empty());
    runs.map(|run| {
        let mut end = run.len().min(MAX_WORD_BYTES);
        while !run.is_char_boundary(end) {
            end -= 1;
        }
        &run[..end]
    })
}

/// The parts of a word, and `snake_case` as a whole too.
fn split(word: &str, each: &mut impl FnMut(&str)) {
    each_term(word, each);
    if word.trim_matches('_').contains('_') {
        each(&word.trim_matches('_').to_ascii_lowercase());
    }
}
