//! Which symbols a question means: words first, then who uses whom, then where they stand.
//!
//! Words are scored by BM25 as tools are (Robertson and Zaragoza 2009). A part of a symbol's score goes to those that
//! it uses and to those that use it, one step of a personalised PageRank (Haveliwala 2002) from the best matches.

use rustc_hash::FxHashMap;

use super::{Index, Kind};
use crate::tools::first_sentence;

/// How ranking weighs its evidence. The defaults were chosen on questions that the published figures are not made of.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// Saturation of repeated words.
    pub k1: f32,
    /// How much longer symbols are penalised, from 0 to 1.
    pub b: f32,
    /// The weight of a name that the question says, beside that of its words.
    pub name: f32,
    /// The same of the names around a symbol.
    pub around: f32,
    /// What files, blocks and sections count, against symbols that can be called or made.
    pub block: f32,
    /// The weight of the words of a question's first sentence, beside that of the others.
    pub lead: f32,
    /// The share of a match's score that those it uses get.
    pub used: f32,
    /// The share of a match's score that those that use it get.
    pub users: f32,
    /// The share of a file's or container's own score that what lies in it gets.
    pub inherited: f32,
    /// How fast a lower score counts for less: the exponent of its ratio to the best.
    pub sharpness: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            k1: 8.0,
            b: 1.0,
            name: 5.0,
            around: 2.0,
            block: 0.4,
            lead: 1.5,
            used: 0.05,
            users: 0.15,
            inherited: 0.3,
            sharpness: 2.5,
        }
    }
}

/// A symbol and what showing it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    pub(super) unit: u32,
    /// From 0 to 1, the best match's.
    pub relevance: f64,
}

/// Matches whose score is passed on.
const MAX_SOURCES: usize = 200;

/// A name that more symbols have tells nothing about which of them is meant.
const MAX_NAMESAKES: usize = 12;

impl Index {
    /// The symbols that matter for `query`, or in general, best first, at most `limit`.
    #[must_use]
    pub fn rank(&self, query: Option<&str>, weights: &Weights, limit: usize) -> Vec<Found> {
        let scores = match query.filter(|it| !it.trim().is_empty()) {
            Some(query) => {
                let words = self.word_scores(query, weights);
                self.spread(&words, weights)
            }
            None => self.popularity(),
        };
        let mut order: Vec<u32> = (0..self.units.len() as u32).filter(|&unit| scores[unit as usize] > 0.0).collect();
        let by_score = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
        if order.len() > limit && limit > 0 {
            order.select_nth_unstable_by(limit - 1, by_score);
            order.truncate(limit);
        }
        order.sort_unstable_by(by_score);
        let best = order.first().map_or(1.0, |&it| scores[it as usize]);
        let relevance = |unit: u32| f64::from((scores[unit as usize] / best).powf(weights.sharpness));
        order.iter().map(|&unit| Found { unit, relevance: relevance(unit) }).collect()
    }

    fn word_scores(&self, query: &str, weights: &Weights) -> Vec<f32> {
        let mut scores = vec![0.0f32; self.units.len()];
        let mean = (self.total_length / self.n_units.max(1) as f64) as f32;
        let mut asked: FxHashMap<u32, f32> = FxHashMap::default();
        let lead = self.terms.known(&first_sentence(query));
        for term in self.terms.known(query) {
            let Some(postings) = self.postings.get(term as usize) else { continue };
            let lead = if lead.contains(&term) { weights.lead } else { 1.0 };
            let rarity = lead * rarity(self.n_units, postings.n_units as usize);
            asked.insert(term, rarity);
            for &(unit, frequency) in &postings.list {
                let length = self.units[unit as usize].length / mean.max(1.0);
                let norm = weights.k1 * (1.0 - weights.b + weights.b * length);
                scores[unit as usize] += rarity * frequency * (weights.k1 + 1.0) / (frequency + norm);
            }
        }
        for (score, unit) in scores.iter_mut().zip(&self.units).filter(|(score, _)| **score > 0.0) {
            *score += weights.name * self.said(&unit.name_terms, &asked);
            *score += weights.around * self.said(&unit.around_terms, &asked);
            let is_block =
                matches!(self.symbol(unit).kind, Kind::File | Kind::Impl | Kind::Module | Kind::Section | Kind::Entry);
            *score *= unit.prior * if is_block { weights.block } else { 1.0 };
        }
        scores
    }

    /// How much the question says of a name: the rarity of the parts that it has, by their share of all parts.
    fn said(&self, parts: &[u32], asked: &FxHashMap<u32, f32>) -> f32 {
        let (mut said, mut all) = (0.0, 0.0);
        for part in parts {
            let n_units = self.postings.get(*part as usize).map_or(0, |it| it.n_units as usize);
            let known = asked.get(part).copied();
            said += known.unwrap_or(0.0);
            all += known.unwrap_or_else(|| rarity(self.n_units, n_units));
        }
        if all > 0.0 { said * said / all } else { 0.0 }
    }

    /// Passes shares of the best scores to neighbours.
    fn spread(&self, words: &[f32], weights: &Weights) -> Vec<f32> {
        let mut sources: Vec<u32> = (0..words.len() as u32).filter(|&unit| words[unit as usize] > 0.0).collect();
        let by_score = |a: &u32, b: &u32| words[*b as usize].total_cmp(&words[*a as usize]).then(a.cmp(b));
        if sources.len() > MAX_SOURCES {
            sources.select_nth_unstable_by(MAX_SOURCES - 1, by_score);
            sources.truncate(MAX_SOURCES);
        }
        let mut scores = words.to_vec();
        for &source in &sources {
            let unit = &self.units[source as usize];
            for &word in &unit.mentions {
                let Some(namesakes) = self.definitions.get(word as usize) else { continue };
                if namesakes.is_empty() || namesakes.len() > MAX_NAMESAKES {
                    continue;
                }
                let share = 1.0 / namesakes.len() as f32;
                for &used in namesakes.iter().filter(|&&it| it != source) {
                    gain(&mut scores, words, used, weights.used * share * words[source as usize]);
                    gain(&mut scores, words, source, weights.users * share * words[used as usize]);
                }
            }
        }
        for (at, unit) in self.units.iter().enumerate() {
            if let Some(parent) = self.parent_of(unit).filter(|_| words[at] > 0.0) {
                scores[at] += weights.inherited * words[parent as usize];
            }
        }
        scores
    }

    fn parent_of(&self, unit: &super::index::Unit) -> Option<u32> {
        if unit.is_there { self.parent(unit) } else { None }
    }

    /// Without a question: what many others use, and what says what a folder is.
    fn popularity(&self) -> Vec<f32> {
        let mut scores = vec![0.0f32; self.units.len()];
        for unit in self.units.iter().filter(|it| it.is_there) {
            for &word in &unit.mentions {
                let namesakes = self.definitions.get(word as usize).map_or(&[][..], Vec::as_slice);
                if namesakes.len() <= MAX_NAMESAKES {
                    let share = unit.prior / namesakes.len().max(1) as f32;
                    namesakes.iter().for_each(|&used| scores[used as usize] += share);
                }
            }
        }
        for (score, unit) in scores.iter_mut().zip(&self.units).filter(|(_, unit)| unit.is_there) {
            *score = unit.prior * (1.0 + *score).ln().max(self.general(unit));
        }
        scores
    }

    /// What a symbol is worth by its place alone.
    fn general(&self, unit: &super::index::Unit) -> f32 {
        let path = &self.file(unit).path;
        let is_readme = path.len() < 16 && path.to_ascii_lowercase().starts_with("readme");
        match self.symbol(unit).kind {
            Kind::File | Kind::Section if is_readme => 3.0,
            Kind::File => 1.0,
            _ => 0.1,
        }
    }
}

/// A neighbour's score at most doubles: being near a match is not being one.
fn gain(scores: &mut [f32], words: &[f32], unit: u32, share: f32) {
    let unit = unit as usize;
    scores[unit] = (scores[unit] + share).min(2.0 * words[unit] + share);
}

/// Never negative, so that a word in most symbols still does not count against any.
fn rarity(n_units: usize, n_with_term: usize) -> f32 {
    let (all, with) = (n_units as f32, n_with_term as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}
