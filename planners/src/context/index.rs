//! The symbols of many files, found by words and by names. Files come, change and go one at a time.
//!
//! A file that changes gets new numbers; when too many old ones are left, [`Index::is_worn`] asks for a new index.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    Found, Kind, Outline, Span, Symbol,
    terms::{Terms, words},
};

// Weight of a word by where it stands; chosen as `Weights` were. Documentation counts less than code: who asks in its
// words should also find what nobody documented.
const NAME_WEIGHT: f32 = 4.0;
const SIGNATURE_WEIGHT: f32 = 2.0;
const DOCS_WEIGHT: f32 = 0.5;
const BODY_WEIGHT: f32 = 1.0;
const CONTAINER_WEIGHT: f32 = 1.0;
const PATH_WEIGHT: f32 = 0.7;

/// Names that a symbol is taken to use, at most.
const MAX_MENTIONS: usize = 400;

/// Names this short say nothing about who uses whom.
const LEAST_NAME_BYTES: usize = 3;

/// An index with fewer symbols than this is never worn.
const MIN_WORN_UNITS: usize = 100_000;

/// The index of a folder.
#[derive(Default)]
pub struct Index {
    files: Vec<File>,
    by_path: FxHashMap<Box<str>, u32>,
    pub(super) units: Vec<Unit>,
    pub(super) terms: Terms,
    /// By term.
    pub(super) postings: Vec<Postings>,
    /// By word: the units with this name.
    pub(super) definitions: Vec<Vec<u32>>,
    pub(super) total_length: f64,
    pub(super) n_units: usize,
}

/// A file of the index.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: Box<str>,
    pub(super) outline: Arc<Outline>,
    /// Of its text, so that a file that changed since is noticed.
    pub(super) hash: u64,
    first_unit: u32,
    is_there: bool,
}

/// One symbol of one file.
pub(super) struct Unit {
    pub(super) file: u32,
    pub(super) symbol: u32,
    pub(super) length: f32,
    /// How likely it is to be asked for, before anything is asked.
    pub(super) prior: f32,
    pub(super) name: u32,
    /// The parts of its name.
    pub(super) name_terms: Box<[u32]>,
    /// The parts of the names around it, and of its file's.
    pub(super) around_terms: Box<[u32]>,
    /// The words of its text that are names somewhere, each once.
    pub(super) mentions: Box<[u32]>,
    pub(super) is_there: bool,
}

/// Where a term stands.
#[derive(Default)]
pub(super) struct Postings {
    /// Units that are there.
    pub(super) n_units: u32,
    /// A unit, and the term's weighted frequency in it.
    pub(super) list: Vec<(u32, f32)>,
}

impl Index {
    /// Adds a file, in the place of an earlier one of the same path.
    pub fn insert(&mut self, path: &str, text: &str, outline: Arc<Outline>) {
        self.remove(path);
        let file = self.files.len() as u32;
        let first_unit = self.units.len() as u32;
        let path_words: Vec<u32> = words(path).map(|it| self.terms.word(it)).collect();
        for symbol in 0..outline.symbols.len() {
            self.add_unit(Place { path, text, outline: &outline, symbol, file }, &path_words);
        }
        self.by_path.insert(path.into(), file);
        let hash = text_hash(text);
        self.files.push(File { path: path.into(), outline, hash, first_unit, is_there: true });
    }

    /// Takes a file out; true if it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let Some(file) = self.by_path.remove(path) else { return false };
        let file = &mut self.files[file as usize];
        file.is_there = false;
        let n_units = file.outline.symbols.len();
        let first = file.first_unit as usize;
        for unit in &mut self.units[first..first + n_units] {
            unit.is_there = false;
            unit.mentions = Box::default();
            self.total_length -= f64::from(unit.length);
            self.n_units -= 1;
            self.definitions[unit.name as usize].retain(|&it| !(first..first + n_units).contains(&(it as usize)));
        }
        let range = first as u32..(first + n_units) as u32;
        for postings in &mut self.postings {
            let from = postings.list.partition_point(|&(unit, _)| unit < range.start);
            let to = postings.list.partition_point(|&(unit, _)| unit < range.end);
            postings.n_units -= (to - from) as u32;
            postings.list.drain(from..to);
        }
        true
    }

    /// True if most of its numbers are of files that are gone.
    #[must_use]
    pub fn is_worn(&self) -> bool {
        self.units.len() > MIN_WORN_UNITS + 4 * self.n_units
    }

    /// True if it has this file.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// The outline of a file.
    #[must_use]
    pub fn outline(&self, path: &str) -> Option<&Arc<Outline>> {
        self.by_path.get(path).map(|&at| &self.files[at as usize].outline)
    }

    /// The paths of its files, in no order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(AsRef::as_ref)
    }

    /// How many files there are.
    #[must_use]
    pub fn n_files(&self) -> usize {
        self.by_path.len()
    }

    /// How many symbols there are.
    #[must_use]
    pub fn n_symbols(&self) -> usize {
        self.n_units
    }

    /// The file and the symbol of what was found.
    #[must_use]
    pub fn place(&self, found: Found) -> (&str, &Symbol) {
        let unit = &self.units[found.unit as usize];
        (&self.file(unit).path, self.symbol(unit))
    }

    pub(super) fn file(&self, unit: &Unit) -> &File {
        &self.files[unit.file as usize]
    }

    pub(super) fn symbol(&self, unit: &Unit) -> &Symbol {
        &self.file(unit).outline.symbols[unit.symbol as usize]
    }

    /// The unit of the symbol that `unit` lies in.
    pub(super) fn parent(&self, unit: &Unit) -> Option<u32> {
        self.symbol(unit).parent.map(|parent| self.file(unit).first_unit + parent)
    }

    fn add_unit(&mut self, place: Place<'_>, path_words: &[u32]) {
        let symbol = &place.outline.symbols[place.symbol];
        let unit = self.units.len() as u32;
        let mut counted = Counted::default();
        for word in words(&symbol.name) {
            counted.add(self.terms.word(word), NAME_WEIGHT);
        }
        path_words.iter().for_each(|&word| counted.add(word, PATH_WEIGHT));
        for container in place.outline.containers(place.symbol) {
            words(container).for_each(|word| counted.add(self.terms.word(word), CONTAINER_WEIGHT));
        }
        words(symbol.docs.of(place.text)).for_each(|word| counted.add(self.terms.word(word), DOCS_WEIGHT));
        for word in words(symbol.signature.of(place.text)) {
            let word = self.terms.word(word);
            counted.add(word, SIGNATURE_WEIGHT);
            counted.mentioned.push(word);
        }
        for span in place.own_spans() {
            for word in words(span.of(place.text)) {
                let word = self.terms.word(word);
                counted.add(word, BODY_WEIGHT);
                counted.mentioned.push(word);
            }
        }
        let name = self.terms.word(symbol.name.rsplit("::").next().unwrap_or_default());
        self.define(name, unit, symbol);
        let length = self.post(&counted, unit);
        self.total_length += f64::from(length);
        self.n_units += 1;
        let mentions = counted.mentions(name);
        let name_terms = self.terms.parts(&symbol.name);
        let around_terms = self.terms.parts(&around(&place));
        let (file, symbol_idx) = (place.file, place.symbol as u32);
        let prior = prior(place.path, place.outline, place.symbol);
        self.units.push(Unit {
            file,
            symbol: symbol_idx,
            length,
            prior,
            name,
            name_terms,
            around_terms,
            mentions,
            is_there: true,
        });
    }

    /// Sections and entries have headings and keys, which nothing calls.
    fn define(&mut self, name: u32, unit: u32, symbol: &Symbol) {
        let is_named = symbol.name.len() >= LEAST_NAME_BYTES
            && !matches!(symbol.kind, Kind::File | Kind::Section | Kind::Entry | Kind::Impl);
        if self.definitions.len() <= name as usize {
            self.definitions.resize_with(self.terms.n_words().max(name as usize + 1), Vec::new);
        }
        if is_named {
            self.definitions[name as usize].push(unit);
        }
    }

    /// Adds the unit to the postings of its terms and returns its length.
    fn post(&mut self, counted: &Counted, unit: u32) -> f32 {
        self.postings.resize_with(self.terms.n_terms(), Postings::default);
        let mut length = 0.0;
        for (&word, &weight) in &counted.words {
            for &term in self.terms.of(word) {
                length += weight;
                let postings = &mut self.postings[term as usize];
                match postings.list.last_mut() {
                    Some((last, known)) if *last == unit => *known += weight,
                    _ => {
                        postings.list.push((unit, weight));
                        postings.n_units += 1;
                    }
                }
            }
        }
        length
    }
}

/// A symbol that is being added.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    text: &'a str,
    outline: &'a Outline,
    symbol: usize,
    file: u32,
}

impl Place<'_> {
    /// Its body without documentation and without the symbols in it.
    fn own_spans(&self) -> Vec<Span> {
        let symbol = &self.outline.symbols[self.symbol];
        let mut spans = Vec::new();
        let mut at = symbol.body.start;
        let hidden = self.outline.children(self.symbol).map(|it| self.outline.symbols[it].whole);
        let docs = std::iter::once(symbol.docs).filter(|it| symbol.body.holds(*it));
        for inner in docs.chain(hidden) {
            spans.push(Span { start: at, end: inner.start.max(at) });
            at = inner.end.max(at);
        }
        spans.push(Span { start: at, end: symbol.body.end.max(at) });
        spans
    }
}

/// The words of a unit with their weights.
#[derive(Default)]
struct Counted {
    words: FxHashMap<u32, f32>,
    mentioned: Vec<u32>,
}

impl Counted {
    fn add(&mut self, word: u32, weight: f32) {
        *self.words.entry(word).or_default() += weight;
    }

    /// Which names are defined is known only when every file is there, so all words of code are kept.
    fn mentions(mut self, name: u32) -> Box<[u32]> {
        self.mentioned.sort_unstable();
        self.mentioned.dedup();
        self.mentioned.retain(|&word| word != name);
        self.mentioned.truncate(MAX_MENTIONS);
        self.mentioned.into()
    }
}

/// The names around a symbol, and the end of its path without its extension.
fn around(place: &Place<'_>) -> String {
    let mut names = place.outline.containers(place.symbol).join(" ");
    let path = place.path.rsplit_once('.').map_or(place.path, |(it, _)| it);
    for part in path.rsplit('/').take(2) {
        names.push(' ');
        names.push_str(part);
    }
    names
}

/// Tests and examples show how things are used and seldom are what is asked for.
fn prior(path: &str, outline: &Outline, symbol: usize) -> f32 {
    let is_apart = |part: &str| {
        let part = part.to_ascii_lowercase();
        let stem = part.split('.').next().unwrap_or_default();
        matches!(stem, "test" | "tests" | "testing" | "bench" | "benches" | "example" | "examples" | "fixtures")
            || stem.ends_with("_test")
            || stem.starts_with("test_")
            || part.ends_with(".lock")
    };
    let in_test = path.split('/').any(is_apart)
        || outline.containers(symbol).into_iter().any(|it| matches!(it, "tests" | "test"))
        || is_apart(&outline.symbols[symbol].name);
    if in_test { 0.6 } else { 1.0 }
}

/// Tells whether a text is the one that was indexed.
pub(super) fn text_hash(text: &str) -> u64 {
    use std::hash::Hasher;
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.write_usize(text.len());
    hasher.finish()
}
