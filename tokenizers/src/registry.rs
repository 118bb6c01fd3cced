//! The known vocabularies, one [`TOKENIZERS`] entry each, and the handle that counts with them.

use std::fmt;

use tiktoken_rs::CoreBPE;

use crate::cut;

/// No token of the vocabularies below is longer than this many bytes (the longest are runs of spaces), which
/// bounds from below what a text of known length can cost without looking at it.
const LONGEST_TOKEN_BYTES: usize = 128;

/// Below this length the longest fitting prefix of an unbroken run is found by trying every end.
const SHORT_RUN_BYTES: usize = 256;

/// One vocabulary: its names and where its tables come from.
pub struct TokenizerEntry {
    /// The name shown to users and written in configuration.
    pub name: &'static str,
    /// Other spellings that mean the same vocabulary.
    pub aliases: &'static [&'static str],
    // tiktoken-rs keeps each table behind its own lazy static, so this is the load and the look-up in one.
    tables: fn() -> &'static CoreBPE,
}

/// Every vocabulary that [`Tokenizer::by_name`] finds.
pub static TOKENIZERS: &[TokenizerEntry] = &[
    TokenizerEntry { name: "o200k_base", aliases: &["o200k"], tables: tiktoken_rs::o200k_base_singleton },
    TokenizerEntry { name: "cl100k_base", aliases: &["cl100k"], tables: tiktoken_rs::cl100k_base_singleton },
];

/// A handle to one vocabulary; copying it is free.
#[derive(Clone, Copy)]
pub struct Tokenizer(&'static TokenizerEntry);

/// The name matches no entry of [`TOKENIZERS`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown tokenizer `{name}`; known ones are {known}")]
pub struct UnknownTokenizer {
    /// What was asked for.
    pub name: String,
    /// The names that exist, separated by commas.
    pub known: String,
}

impl Tokenizer {
    /// The vocabulary with this name or alias. Loads nothing yet.
    ///
    /// # Errors
    /// [`UnknownTokenizer`], which lists the known names.
    pub fn by_name(name: &str) -> Result<Self, UnknownTokenizer> {
        let is_it = |entry: &&TokenizerEntry| entry.name == name || entry.aliases.contains(&name);
        TOKENIZERS.iter().find(is_it).map(Tokenizer).ok_or_else(|| UnknownTokenizer {
            name: name.to_owned(),
            known: TOKENIZERS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// The vocabulary's own name, never an alias.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Loads the tables now (about 0.1 s), so that the first request does not pay for it.
    pub fn load(self) {
        self.tables();
    }

    /// How many tokens `text` is, in O(n log n) of its longest unbroken run.
    ///
    /// An unbroken run of more than 256 KiB (no space, no punctuation after a word) is counted in pieces, which may
    /// differ from the model's own count by a few tokens a piece.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        cut::chunks(text).map(|chunk| self.count_chunk(chunk)).sum()
    }

    /// The token ids of `text`; as many as [`count`](Self::count) says.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u32> {
        cut::chunks(text).flat_map(|chunk| self.tables().encode_ordinary(chunk)).collect()
    }

    /// The text of `tokens`. Unknown ids are skipped, and bytes that are not UTF-8 (a character cut in half) read
    /// as U+FFFD.
    #[must_use]
    pub fn decode(self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> =
            tokens.iter().flat_map(|&token| self.tables().decode_bytes(&[token]).unwrap_or_default()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// `Some(count)` if `text` is at most `limit` tokens, `None` if it is more. The work is bounded by the limit,
    /// not by the text.
    #[must_use]
    pub fn count_till_limit(self, text: &str, limit: usize) -> Option<usize> {
        if text.len().div_ceil(LONGEST_TOKEN_BYTES) > limit {
            return None;
        }
        let mut total = 0;
        for chunk in cut::chunks(text) {
            total += self.count_chunk(chunk);
            if total > limit {
                return None;
            }
        }
        Some(total)
    }

    /// The length in bytes of the longest prefix of `text`, ending on a character boundary, that is at most `limit`
    /// tokens. The work is bounded by the limit, not by the text.
    ///
    /// Longest to the byte, except inside an unbroken run of more than 256 bytes, where counts of growing prefixes
    /// are not quite monotone and a prefix a few bytes short of the longest may be returned. What is returned was
    /// always counted and always fits.
    #[must_use]
    pub fn prefix_within(self, text: &str, limit: usize) -> usize {
        let text = &text[..text.floor_char_boundary(limit.saturating_mul(LONGEST_TOKEN_BYTES))];
        let (fitting, left) = self.take_whole(cut::chunks(text), limit);
        let chunk = cut::chunks(&text[fitting..]).next().unwrap_or_default();
        let (in_chunk, left) = self.take_whole(cut::words(chunk), left);
        let word = cut::words(&chunk[in_chunk..]).next().unwrap_or_default();
        fitting + in_chunk + self.prefix_of_word(word, left)
    }

    /// Bytes of the leading pieces that fit into `limit` together, and how many tokens are left.
    fn take_whole<'a>(self, pieces: impl Iterator<Item = &'a str>, limit: usize) -> (usize, usize) {
        let (mut bytes, mut left) = (0, limit);
        for piece in pieces {
            let Some(remaining) = left.checked_sub(self.count_chunk(piece)) else {
                break;
            };
            left = remaining;
            bytes += piece.len();
        }
        (bytes, left)
    }

    fn prefix_of_word(self, word: &str, limit: usize) -> usize {
        let reach = limit.saturating_mul(LONGEST_TOKEN_BYTES).min(word.len());
        let fits = |end: usize| self.count(&word[..end]) <= limit;
        if reach <= SHORT_RUN_BYTES {
            let mut ends = (0..=reach).rev().filter(|&end| word.is_char_boundary(end));
            return ends.find(|&end| fits(end)).unwrap_or(0);
        }
        let (mut low, mut high) = (0, reach + 1);
        while high - low > 1 {
            let middle = low.midpoint(high);
            let end = word.floor_char_boundary(middle);
            if fits(end) { low = middle } else { high = middle }
        }
        word.floor_char_boundary(low)
    }

    fn count_chunk(self, chunk: &str) -> usize {
        self.tables().encode_ordinary(chunk).len()
    }

    fn tables(self) -> &'static CoreBPE {
        (self.0.tables)()
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokenizer").field(&self.name()).finish()
    }
}

impl fmt::Display for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Tokenizer {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Tokenizer {}
