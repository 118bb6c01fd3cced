//! BM25 over tools, with weighted fields and an inverted index.
//!
//! Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond* (2009): term frequencies of the
//! fields are weighted and added before saturation (section 3.6), so a word in the name counts as several in the
//! description. Everything but the query is folded into one impact per posting when the index is built.

use rustc_hash::FxHashMap;

use super::rank::{Document, Match, Ranker};
use super::words::each_term;

// Chosen on livemcpbench (with and without 15,121 distractors), BFCL live multiple and MetaTool by varying one at a
// time; recall changes by a point or two within a factor of two of each, so they are not tuned to the sets.

/// Saturation of repeated terms.
const K1: f32 = 1.6;

/// How much longer documents are penalised, from 0 to 1.
const B: f32 = 0.65;

/// Weight of a term by the field it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldWeights {
    pub(super) name: f32,
    pub(super) server: f32,
    pub(super) description: f32,
    pub(super) parameters: f32,
    /// Worth five points of recall at 5 on BFCL, whose queries name values rather than functions.
    pub(super) parameter_texts: f32,
}

pub(super) const FIELD_WEIGHTS: FieldWeights =
    FieldWeights { name: 3.0, server: 1.5, description: 1.0, parameters: 0.5, parameter_texts: 0.5 };

/// A query's terms past this many are ignored.
pub(super) const MAX_QUERY_TERMS: usize = 256;

/// The index.
pub struct Bm25 {
    /// Term to its range in `postings`.
    terms: FxHashMap<Box<str>, (u32, u32)>,
    postings: Vec<Posting>,
    n_documents: usize,
}

#[derive(Clone, Copy)]
struct Posting {
    document: u32,
    /// What the term adds to the document's score.
    impact: f32,
}

/// Weighted term frequencies of all documents, by term number.
#[derive(Default)]
struct Frequencies {
    numbers: FxHashMap<Box<str>, u32>,
    by_term: Vec<Vec<Posting>>,
    lengths: Vec<f32>,
}

impl Bm25 {
    /// Indexes `documents`.
    #[must_use]
    pub fn new(documents: &[Document]) -> Self {
        Self::weighted(documents, &FIELD_WEIGHTS)
    }

    /// Indexes `documents` with these weights of their fields.
    pub(super) fn weighted(documents: &[Document], weights: &FieldWeights) -> Self {
        let mut frequencies = Frequencies::default();
        documents.iter().zip(0u32..).for_each(|(document, idx)| frequencies.add(document, idx, weights));
        let mean = frequencies.lengths.iter().sum::<f32>() / documents.len().max(1) as f32;
        let Frequencies { numbers, mut by_term, lengths } = frequencies;
        for list in &mut by_term {
            let rarity = inverse_document_frequency(documents.len(), list.len());
            for posting in list {
                let length = lengths[posting.document as usize] / mean.max(f32::MIN_POSITIVE);
                let saturation = posting.impact + K1 * (1.0 - B + B * length);
                posting.impact = rarity * posting.impact * (K1 + 1.0) / saturation;
            }
        }
        Self::flat(numbers, &by_term, documents.len())
    }

    fn flat(numbers: FxHashMap<Box<str>, u32>, by_term: &[Vec<Posting>], n_documents: usize) -> Self {
        let mut postings = Vec::with_capacity(by_term.iter().map(Vec::len).sum());
        let ranges: Vec<(u32, u32)> = by_term
            .iter()
            .map(|list| {
                let start = postings.len() as u32;
                postings.extend_from_slice(list);
                (start, postings.len() as u32)
            })
            .collect();
        let terms = numbers.into_iter().map(|(term, number)| (term, ranges[number as usize])).collect();
        Self { terms, postings, n_documents }
    }

    /// Whether any document has this term.
    pub(super) fn knows(&self, term: &str) -> bool {
        self.terms.contains_key(term)
    }

    /// What `terms`, each with its weight, add up to for every document.
    pub(super) fn scores<'a>(&self, terms: impl IntoIterator<Item = (&'a str, f32)>) -> Vec<f32> {
        let mut scores = vec![0.0f32; self.n_documents];
        for (term, weight) in terms {
            for posting in self.postings(term) {
                scores[posting.document as usize] += weight * posting.impact;
            }
        }
        scores
    }

    fn postings(&self, term: &str) -> &[Posting] {
        self.terms.get(term).map_or(&[], |&(start, end)| &self.postings[start as usize..end as usize])
    }
}

impl Ranker for Bm25 {
    fn rank(&self, query: &str) -> Vec<Match> {
        let terms = query_terms(query);
        matches(&self.scores(terms.iter().map(|term| (term.as_str(), 1.0))))
    }
}

/// The documents with a score, best first, equals by index.
pub(super) fn matches(scores: &[f32]) -> Vec<Match> {
    let found = scores.iter().enumerate().filter(|&(_, &score)| score > 0.0);
    let mut matches: Vec<Match> = found.map(|(idx, &score)| Match { idx, score: f64::from(score) }).collect();
    matches.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.idx.cmp(&b.idx)));
    matches
}

impl Frequencies {
    fn add(&mut self, document: &Document, idx: u32, weights: &FieldWeights) {
        let mut length = 0.0;
        let fields = [
            (&document.name, weights.name),
            (&document.server, weights.server),
            (&document.description, weights.description),
            (&document.parameters, weights.parameters),
            (&document.parameter_texts, weights.parameter_texts),
        ];
        for (text, weight) in fields {
            each_term(text, &mut |term| {
                self.count(term, idx, weight);
                length += weight;
            });
        }
        self.lengths.push(length);
    }

    fn count(&mut self, term: &str, document: u32, weight: f32) {
        let number = match self.numbers.get(term) {
            Some(&number) => number as usize,
            None => {
                self.numbers.insert(term.into(), self.by_term.len() as u32);
                self.by_term.push(Vec::new());
                self.by_term.len() - 1
            }
        };
        // Documents come in order, so the last posting is this one's if it has any.
        match self.by_term[number].last_mut() {
            Some(posting) if posting.document == document => posting.impact += weight,
            _ => self.by_term[number].push(Posting { document, impact: weight }),
        }
    }
}

/// Never negative, so that a word in most documents still does not count against any.
fn inverse_document_frequency(n_documents: usize, n_with_term: usize) -> f32 {
    let (all, with) = (n_documents as f32, n_with_term as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

/// The distinct terms of `query`, in the order in which they first stand there.
fn query_terms(query: &str) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    each_term(query, &mut |term| {
        if terms.len() < MAX_QUERY_TERMS && !terms.iter().any(|known| known == term) {
            terms.push(term.to_owned());
        }
    });
    terms
}
