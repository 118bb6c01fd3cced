//! Documents as tokens, and the batches that are drawn from them: a step's batch depends on the seed and the step alone.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use tollgate_tokenizers::Tokenizer;

use crate::{
    error::{Error, Result, read_text},
    tokenizer::SPECIALS,
};

/// A text and its kind, a line of `train.jsonl` or `held_out.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// `rust`, `python`, `prose`, `chat` ..
    pub kind: String,
    /// The text; in chats control tokens are written out.
    pub text: String,
}

/// The kind whose control tokens are read as such.
pub const CHAT: &str = "chat";

/// Tokens of one kind.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// All documents, an end after each.
    pub tokens: Vec<u32>,
    /// Where documents begin.
    pub starts: Vec<usize>,
    /// Bytes of the texts.
    pub n_bytes: usize,
}

/// Streams by kind.
#[derive(Debug, Clone)]
pub struct Corpus(pub BTreeMap<String, Stream>);

/// The documents of a file.
///
/// # Errors
/// [`Error::Bad`] with the line.
pub fn documents(path: &Path) -> Result<Vec<Document>> {
    let text = read_text(path)?;
    let line = |(idx, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|it| Error::bad(format!("`{}`, line {}: {it}", path.display(), idx + 1)))
    };
    text.lines().enumerate().map(line).collect()
}

/// The tokens of a document.
#[must_use]
pub fn encode(tokenizer: Tokenizer, document: &Document) -> Vec<u32> {
    let specials: &[&str] = if document.kind == CHAT { &SPECIALS } else { &[] };
    tokenizer.encode_with_specials(&document.text, specials)
}

impl Corpus {
    /// The corpus of a file of documents.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::Bad`] if there is nothing in it.
    pub fn read(path: &Path, tokenizer: Tokenizer, end_id: u32) -> Result<Self> {
        let mut streams: BTreeMap<String, Stream> = BTreeMap::new();
        for document in documents(path)? {
            let stream = streams.entry(document.kind.clone()).or_default();
            stream.starts.push(stream.tokens.len());
            stream.tokens.extend(encode(tokenizer, &document));
            stream.tokens.push(end_id);
            stream.n_bytes += document.text.len();
        }
        if streams.is_empty() {
            return Err(Error::bad(format!("`{}` has no documents; run `data` first", path.display())));
        }
        Ok(Self(streams))
    }

    /// `n` sequences of `length + 1` tokens, from kinds by their weights.
    ///
    /// # Errors
    /// [`Error::Bad`] if there is no text of these kinds.
    pub fn batch(&self, mix: &Mix, n: usize, length: usize, rng: &mut fastrand::Rng) -> Result<Vec<Vec<u32>>> {
        let streams: Vec<(&Stream, f64)> =
            mix.0.iter().filter_map(|(kind, weight)| Some((self.0.get(kind)?, *weight))).collect();
        let Some((last, _)) = streams.last() else {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            return Err(Error::bad(format!("no text of the kinds of --mix; there are {}", known.join(", "))));
        };
        Ok((0..n).map(|_| pick(&streams, rng).unwrap_or(last).cut(length + 1, rng)).collect())
    }
}

fn pick<'a>(streams: &[(&'a Stream, f64)], rng: &mut fastrand::Rng) -> Option<&'a Stream> {
    let total: f64 = streams.iter().map(|it| it.1).sum();
    let mut left = rng.f64() * total;
    for (stream, weight) in streams {
        left -= weight;
        if left < 0.0 {
            return Some(stream);
        }
    }
    None
}

impl Stream {
    /// `n` tokens, every second time from the beginning of a document; the stream is a ring.
    fn cut(&self, n: usize, rng: &mut fastrand::Rng) -> Vec<u32> {
        let start =
            if rng.bool() { self.starts[rng.usize(..self.starts.len())] } else { rng.usize(..self.tokens.len()) };
        self.tokens.iter().cycle().skip(start).take(n).copied().collect()
    }
}

/// Kinds of text and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix(pub Vec<(String, f64)>);

/// Weights of kinds, as `rust=1,chat=2`.
///
/// # Errors
/// The part that is none.
pub fn parse_mix(text: &str) -> std::result::Result<Mix, String> {
    let part = |part: &str| {
        let (kind, weight) = part.split_once('=').ok_or(())?;
        let weight = weight.parse::<f64>().ok().filter(|it| *it > 0.0).ok_or(())?;
        Ok((kind.to_owned(), weight))
    };
    let parts = text.split(',').map(|it| part(it).map_err(|()| format!("`{it}` is no kind=weight, as in rust=1")));
    parts.collect::<std::result::Result<_, _>>().map(Mix)
}

/// The random numbers of one step: of nothing but the seed and the step, so that a resumed run goes on alike.
#[must_use]
pub fn step_rng(seed: u64, step: usize) -> fastrand::Rng {
    let mixed = ((seed << 32) ^ step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    fastrand::Rng::with_seed(mixed ^ (mixed >> 29))
}

/// Positions of `n` sequences by anchor offset (LongSpec, section 3.2): up to four sinks stay, the rest is moved
/// so that all positions below `spread` are trained.
#[must_use]
pub fn positions(n: usize, length: usize, spread: usize, rng: &mut fastrand::Rng) -> Vec<u32> {
    let mut all = Vec::with_capacity(n * length);
    for _ in 0..n {
        let sink = rng.usize(0..=4);
        let offset = if spread > length { rng.usize(0..=spread - length) } else { 0 };
        all.extend((0..length).map(|at| if at < sink { at as u32 } else { (at + offset) as u32 }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_depend_on_seed_and_step_alone() {
        let corpus = crate::testing::corpus();
        let mix = |kind: &str| Mix(vec![(kind.to_owned(), 1.0)]);
        let batch = |seed, step| corpus.batch(&mix("a"), 3, 50, &mut step_rng(seed, step)).unwrap();
        assert_eq!(batch(1, 7), batch(1, 7));
        assert_ne!(batch(1, 7), batch(1, 8));
        assert_ne!(batch(1, 7), batch(2, 7));
        assert!(batch(1, 7).iter().all(|it| it.len() == 51));
        let said = corpus.batch(&mix("b"), 1, 5, &mut step_rng(1, 1)).unwrap_err().to_string();
        assert!(said.contains("there are a"), "{said}");
    }

    #[test]
    fn anchored_positions_stay_below_the_spread() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let all = positions(1, 16, 100, &mut rng);
            assert!(all.windows(2).all(|it| it[0] < it[1]) && all[15] < 100, "{all:?}");
            assert!(all.windows(2).filter(|it| it[1] != it[0] + 1).count() <= 1, "{all:?}");
        }
        assert_eq!(positions(1, 3, 0, &mut rng), [0, 1, 2]);
    }

    #[test]
    fn mixes() {
        assert_eq!(parse_mix("rust=1,chat=0.5"), Ok(Mix(vec![("rust".to_owned(), 1.0), ("chat".to_owned(), 0.5)])));
        assert!(parse_mix("rust").unwrap_err().contains("`rust`"));
        assert!(parse_mix("rust=-1").is_err());
    }
}
