//! The default ranker: BM25 over weighted terms, then what the tools' company says about them.
//!
//! A server whose tools match together is likely to be the one that is meant (a concave sum: only its best few count, so
//! that a large server gains nothing by size). And a tool that says what a better match has said already adds nothing: it
//! comes later, so that what is shown covers more of the request.

use rustc_hash::FxHashMap;

use super::bm25::{Bm25, FIELD_WEIGHTS, FieldWeights, matches};
use super::query::WeightedTerms;
use super::rank::{Document, Match, Ranker};
use super::words::each_term;

const WEIGHTS: FieldWeights = FieldWeights { server: 3.0, ..FIELD_WEIGHTS };

/// How much of the mean of its server's best tools a tool is given.
const SERVER_SHARE: f32 = 0.25;

/// Tools of a server that speak for it.
const SPEAKERS: usize = 3;

/// Only so many of the best matches speak for their servers.
const HEARD: usize = 300;

/// Only so many of the best matches are looked through for repetitions.
const COMPARED: usize = 60;

/// Tools are alike from this share of common words of name and description on (Jaccard's index).
const ALIKE: f64 = 0.8;

/// What is left of a score for each better match that is alike.
const REPEATED: f32 = 0.8;

/// The index.
pub struct Lexical {
    index: Bm25,
    /// The number of each document's server; documents without one stand alone.
    servers: Vec<u32>,
    n_servers: usize,
    /// The words of each document's name and description, as sorted numbers.
    words: Vec<Box<[u32]>>,
}

impl Lexical {
    /// Indexes `documents`.
    #[must_use]
    pub fn new(documents: &[Document]) -> Self {
        let mut numbers = FxHashMap::<&str, u32>::default();
        let mut n_servers = 0u32;
        let mut next = || {
            n_servers += 1;
            n_servers - 1
        };
        let number = |document| server_number(document, &mut numbers, &mut next);
        let servers = documents.iter().map(number).collect();
        let mut known = FxHashMap::default();
        Self {
            index: Bm25::weighted(documents, &WEIGHTS),
            servers,
            n_servers: n_servers as usize,
            words: documents.iter().map(|document| words(document, &mut known)).collect(),
        }
    }

    /// Gives each match its share of what the best tools of its server score.
    fn add_servers(&self, scores: &mut [f32]) {
        let mut sums = vec![(0.0f32, 0usize); self.n_servers];
        for idx in best(scores, HEARD) {
            let (sum, n_heard) = &mut sums[self.servers[idx] as usize];
            if *n_heard < SPEAKERS {
                *sum += scores[idx] / SPEAKERS as f32;
                *n_heard += 1;
            }
        }
        let found = scores.iter_mut().zip(&self.servers).filter(|(score, _)| **score > 0.0);
        found.for_each(|(score, &server)| *score += SERVER_SHARE * sums[server as usize].0);
    }

    fn demote_repetitions(&self, scores: &mut [f32]) {
        let compared = best(scores, COMPARED);
        for (at, &idx) in compared.iter().enumerate() {
            let n_alike = compared[..at].iter().filter(|&&other| alike(&self.words[idx], &self.words[other])).count();
            scores[idx] *= REPEATED.powi(n_alike as i32);
        }
    }
}

impl Ranker for Lexical {
    fn rank(&self, query: &str) -> Vec<Match> {
        let terms = WeightedTerms::new(query, |term| self.index.knows(term));
        let mut scores = self.index.scores(terms.iter());
        self.add_servers(&mut scores);
        self.demote_repetitions(&mut scores);
        matches(&scores)
    }
}

fn server_number<'a>(
    document: &'a Document,
    numbers: &mut FxHashMap<&'a str, u32>,
    next: &mut impl FnMut() -> u32,
) -> u32 {
    match document.server.as_str() {
        "" => next(),
        server => *numbers.entry(server).or_insert_with(next),
    }
}

fn words(document: &Document, known: &mut FxHashMap<String, u32>) -> Box<[u32]> {
    let mut words = Vec::new();
    for text in [&document.name, &document.description] {
        each_term(text, &mut |term| {
            let number = known.get(term).copied().unwrap_or_else(|| {
                let number = known.len() as u32;
                known.insert(term.to_owned(), number);
                number
            });
            words.push(number);
        });
    }
    words.sort_unstable();
    words.dedup();
    words.into()
}

/// The documents with the `limit` best scores over zero, best first, equals by index.
fn best(scores: &[f32], limit: usize) -> Vec<usize> {
    let mut found: Vec<usize> = (0..scores.len()).filter(|&idx| scores[idx] > 0.0).collect();
    let order = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if found.len() > limit {
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
    found
}

/// Whether two sorted sets have at least [`ALIKE`] of their union in common.
fn alike(one: &[u32], other: &[u32]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if (short.len() as f64) < ALIKE * long.len() as f64 || short.is_empty() {
        return false;
    }
    let n_common = n_common(short, long);
    n_common as f64 >= ALIKE * (short.len() + long.len() - n_common) as f64
}

fn n_common(mut one: &[u32], mut other: &[u32]) -> usize {
    let mut n_common = 0;
    while let ([a, rest_of_one @ ..], [b, rest_of_other @ ..]) = (one, other) {
        n_common += usize::from(a == b);
        if a <= b {
            one = rest_of_one;
        }
        if b <= a {
            other = rest_of_other;
        }
    }
    n_common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(server: &str, name: &str, description: &str) -> Document {
        Document { server: server.into(), name: name.into(), description: description.into(), ..Document::default() }
    }

    fn check(documents: &[Document], query: &str, expected: &[usize]) {
        let found: Vec<usize> = Lexical::new(documents).rank(query).iter().map(|found| found.idx).collect();
        assert_eq!(found.get(..expected.len()), Some(expected), "{query}: {found:?}");
    }

    #[test]
    fn a_server_that_matches_together_comes_first() {
        let tools = [
            document("diary", "tide_note", "Notes."),
            document("sea", "tide_table", "Notes."),
            document("sea", "harbour_chart", "Tide notes of harbours."),
            document("sea", "swell", "Tide and wind at the harbour."),
        ];
        check(&tools, "tide", &[1]);
    }

    #[test]
    fn what_was_said_already_comes_later() {
        let said = "Finds the opening hours of a museum.";
        let tools = [
            document("a", "museum_hours", said),
            document("b", "museum_hours", said),
            document("c", "museum_tickets", "Buys tickets for one exhibition of a museum."),
            document("d", "moon", "Phases."),
        ];
        check(&tools, "museum hours and museum tickets", &[2, 0, 1]);
    }

    #[test]
    fn sets_are_alike_by_their_union() {
        for (one, other, expected) in [
            (vec![1, 2, 3, 4], vec![1, 2, 3, 4], true),
            (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4], true),
            (vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 6], false),
            (vec![], vec![], false),
            (vec![1], vec![2], false),
        ] {
            assert_eq!(alike(&one, &other), expected, "{one:?} {other:?}");
        }
    }
}
