//! A request in somebody's words, as weighted search terms.
//!
//! A request has parts that mean different things. A path or an address names a file or a page to work on, and its words
//! are values and no topic; numbers are values too; and some words only say that somebody asks. Each part weighs what it
//! tells about the tools that are needed.

use rustc_hash::FxHashMap;

use super::bm25::MAX_QUERY_TERMS;
use super::related::{format, is_asking, is_talk, related};
use super::words::{each_term, is_stop_word};

// Chosen on MetaTool, BFCL live multiple and every second query of livemcpbench; docs/budget.md has the other half.

/// Of words that say how somebody asks.
const ASKING_WEIGHT: f32 = 0.5;

/// Of numbers.
const NUMBER_WEIGHT: f32 = 0.3;

/// Of `file`, `path` and `url` where one stands in the request.
const KIND_WEIGHT: f32 = 1.0;

/// Of what a file's extension says.
const FORMAT_WEIGHT: f32 = 0.5;

/// Of the words inside a path or an address.
const INSIDE_WEIGHT: f32 = 0.2;

/// Of two neighbouring words written as one: `word cloud` finds `wordcloud`.
const JOINED_WEIGHT: f32 = 0.5;

/// Of a word that means about the same, relative to the one in the request.
const RELATED_WEIGHT: f32 = 0.5;

/// Search terms, each with the most that any part of the request gives it.
#[derive(Default)]
pub(super) struct WeightedTerms {
    order: Vec<(String, f32)>,
    places: FxHashMap<String, usize>,
}

impl WeightedTerms {
    /// The terms of `query`; `is_known` says whether any tool has a term.
    pub(super) fn new(query: &str, is_known: impl Fn(&str) -> bool) -> Self {
        let mut terms = Self::default();
        let words: Vec<&str> = query.split_whitespace().filter(|word| !terms.add_place(word)).collect();
        let text = words.join(" ");
        each_term(&text, &mut |term| terms.add_word(term));
        terms.add_joined(&text, is_known);
        terms.add_related();
        terms
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.order.iter().map(|(term, weight)| (term.as_str(), *weight))
    }

    fn add(&mut self, term: &str, weight: f32) {
        if let Some(&at) = self.places.get(term) {
            self.order[at].1 = self.order[at].1.max(weight);
        } else if self.order.len() < MAX_QUERY_TERMS {
            self.places.insert(term.to_owned(), self.order.len());
            self.order.push((term.to_owned(), weight));
        }
    }

    fn add_all(&mut self, text: &str, weight: f32) {
        each_term(text, &mut |term| self.add(term, if is_number(term) { weight * NUMBER_WEIGHT } else { weight }));
    }

    fn add_word(&mut self, term: &str) {
        let weight = match term {
            _ if is_talk(term) => return,
            _ if is_number(term) => NUMBER_WEIGHT,
            _ if is_asking(term) => ASKING_WEIGHT,
            _ => 1.0,
        };
        self.add(term, weight);
    }

    /// Takes a word that is a path, a file's name or an address; false if it is none of them.
    fn add_place(&mut self, word: &str) -> bool {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '~' | '.'));
        let word = word.trim_end_matches('.');
        if word.contains("://") {
            self.add_all("url", KIND_WEIGHT);
        } else {
            let format = word.rsplit_once('.').and_then(|(_, extension)| format(&extension.to_ascii_lowercase()));
            let is_path = ["/", "~/", "./", "../"].iter().any(|start| word.starts_with(start));
            let is_named = format.is_some() && word.starts_with(|c: char| c.is_alphanumeric());
            if !(is_named || is_path && word.contains(char::is_alphanumeric)) {
                return false;
            }
            self.add_all("file path", KIND_WEIGHT);
            self.add_all(format.unwrap_or_default(), FORMAT_WEIGHT);
            let extension = word.rsplit_once('.').filter(|_| format.is_some()).map_or("", |(_, extension)| extension);
            self.add_all(extension, FORMAT_WEIGHT);
        }
        self.add_all(word, INSIDE_WEIGHT);
        true
    }

    fn add_joined(&mut self, text: &str, is_known: impl Fn(&str) -> bool) {
        let is_word = |word: &&str| word.len() > 1 && !is_stop_word(word) && !is_talk(&word.to_ascii_lowercase());
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2).filter(|pair| pair.iter().all(is_word)) {
            let joined = pair.concat().to_ascii_lowercase();
            each_term(&joined, &mut |term| {
                if is_known(term) {
                    self.add(term, JOINED_WEIGHT);
                }
            });
        }
    }

    fn add_related(&mut self) {
        for at in 0..self.order.len() {
            let (term, weight) = self.order[at].clone();
            if weight > INSIDE_WEIGHT {
                related(&term).iter().for_each(|other| self.add(other, weight * RELATED_WEIGHT));
            }
        }
    }
}

fn is_number(term: &str) -> bool {
    term.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_weigh_what_they_tell() {
        let check = |query: &str, expected: &[(&str, f32)]| {
            let terms = WeightedTerms::new(query, |term| term == "wordcloud");
            for &(term, weight) in expected {
                let found = terms.iter().find(|(known, _)| *known == term).map_or(0.0, |(_, weight)| weight);
                assert!((found - weight).abs() < 1e-6, "{query}: {term} weighs {found}, not {weight}");
            }
        };
        check("a word cloud", &[("word", 1.0), ("cloud", 1.0), ("wordcloud", 0.5), ("document", 0.5)]);
        check("words in a cloud of 7", &[("7", 0.3), ("wordcloud", 0.0)]);
        check("save it to /root/reports/q3.xlsx.", &[("fil", 1.0), ("report", 0.2), ("excel", 0.5), ("writ", 0.5)]);
        check("sum up notes.md", &[("markdown", 0.5), ("not", 0.2), ("path", 1.0)]);
        check("read https://example.org/cats", &[("url", 1.0), ("cat", 0.2), ("pag", 0.0), ("fil", 0.0)]);
        check("I'm sure they don't know and/or care", &[("m", 0.0), ("don", 0.0), ("know", 0.5), ("car", 1.0)]);
    }
}
