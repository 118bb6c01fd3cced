//! The handle that counts, encodes and cuts in one vocabulary's tokens.

use std::{borrow::Cow, fmt};

use crate::{
    cut,
    cuts::Cuts,
    encoder::{Encoder, Place},
    hf,
    intervals::Intervals,
    model::{Normal, Recipe},
    registry::{TOKENIZERS, TokenizerEntry},
    split::Split,
    vocab::{self, VocabularyError},
};

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
            known: TOKENIZERS.iter().map(|entry| &*entry.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// A vocabulary from the text of a `.tiktoken` file: a token in base64 and its rank on each line.
    ///
    /// What is read stays in memory for the life of the process.
    ///
    /// # Errors
    /// [`VocabularyError`], with the line.
    pub fn from_tiktoken(name: &str, text: &[u8], split: Split) -> Result<Self, VocabularyError> {
        let tokens = vocab::tiktoken::read(text)?.into_iter().map(|(id, token)| (id, Cow::Owned(token))).collect();
        let recipe = Recipe { tokens, split, normal: Normal::AsIs };
        Ok(Self(Box::leak(Box::new(TokenizerEntry::loaded(name.to_owned(), recipe)?))))
    }

    /// A vocabulary from a `tokenizer.json` of Hugging Face's.
    ///
    /// Byte-pair encodings with known splits are counted by our core. Everything else needs the feature `hf`; it is
    /// slower, parts of its texts are found by counting anew, and what stands behind other text counts as if it stood
    /// alone. Special tokens stay text; see
    /// [`encode_with_specials`](Self::encode_with_specials). What is read stays in memory for the life of the process.
    ///
    /// # Errors
    /// [`VocabularyError`].
    pub fn from_hf_json(name: &str, json: &[u8]) -> Result<Self, VocabularyError> {
        Ok(Self(Box::leak(Box::new(TokenizerEntry::of_hf(name.to_owned(), hf::read(json)?)))))
    }

    /// The vocabulary's own name, never an alias.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// Whether both are the same entry, and so count alike.
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }

    /// Loads the tables now (some 10 ms), so that the first request does not pay for it.
    pub fn load(self) {
        self.model();
    }

    fn model(self) -> &'static dyn Encoder {
        self.0.model()
    }

    pub(crate) fn cuts(self) -> &'static Cuts {
        self.model().cuts()
    }

    /// How many tokens `text` is, in time linear in its length.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        self.count_at(text, Place::First)
    }

    /// How many tokens `text` adds behind other text: as [`count`](Self::count), without the space that a few
    /// vocabularies put before the first word of a text.
    ///
    /// The parts of a text add up to its count where it is cut between a letter or digit and ASCII punctuation that is
    /// no apostrophe, or before a space that follows neither white space nor punctuation.
    #[must_use]
    pub fn count_rest(self, text: &str) -> usize {
        self.count_at(text, Place::Rest)
    }

    pub(crate) fn count_at(self, text: &str, place: Place) -> usize {
        self.model().count(text, place, usize::MAX).unwrap_or(usize::MAX)
    }

    /// `Some(count)` if `text` is at most `limit` tokens, `None` if it is more. The work is bounded by the limit, not
    /// by the text, except inside a piece that is longer than that (a million letters without a space).
    #[must_use]
    pub fn count_till_limit(self, text: &str, limit: usize) -> Option<usize> {
        if text.len() > self.reach(limit) {
            return None;
        }
        self.model().count(text, Place::First, limit)
    }

    /// The token ids of `text`, control tokens taken for ordinary text; as many as [`count`](Self::count) says.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        self.model().encode(text, Place::First, &mut ids);
        ids
    }

    /// As [`encode`](Self::encode), with those control tokens of `allowed` that this vocabulary has; the others stay
    /// text.
    #[must_use]
    pub fn encode_with_specials(self, text: &str, allowed: &[&str]) -> Vec<u32> {
        let specials: Vec<_> = self.0.specials.iter().filter(|(name, _)| allowed.contains(name)).collect();
        let (mut ids, mut rest) = (Vec::new(), text);
        let first = |text: &str| {
            let found = specials.iter().filter_map(|(name, id)| Some((text.find(name)?, name.len(), *id)));
            found.min_by_key(|(at, len, _)| (*at, usize::MAX - len))
        };
        while let Some((at, len, id)) = first(rest) {
            ids.extend(self.encode(&rest[..at]));
            ids.push(id);
            rest = &rest[at + len..];
        }
        ids.extend(self.encode(rest));
        ids
    }

    /// The spellings of its control tokens.
    pub(crate) fn special_names(self) -> impl Iterator<Item = &'static str> {
        self.0.specials.iter().map(|(name, _)| *name)
    }

    /// The id of a control token.
    #[must_use]
    pub fn special(self, name: &str) -> Option<u32> {
        self.0.specials.iter().find(|(it, _)| *it == name).map(|(_, id)| *id)
    }

    /// The id of the token of exactly these bytes.
    #[must_use]
    pub fn id(self, token: &[u8]) -> Option<u32> {
        self.model().id(token)
    }

    /// The bytes of a token; of a control token, its name.
    #[must_use]
    pub fn token(self, id: u32) -> Option<&'static [u8]> {
        let special = self.0.specials.iter().find(|(_, it)| *it == id).map(|(name, _)| name.as_bytes());
        special.or_else(|| self.model().token(id))
    }

    /// The text of `tokens`. Unknown ids are skipped, and bytes that are not UTF-8 (a character cut in half) read as
    /// U+FFFD.
    #[must_use]
    pub fn decode(self, tokens: &[u32]) -> String {
        if let Some(text) = self.model().decode(tokens) {
            return text;
        }
        let bytes: Vec<u8> = tokens.iter().filter_map(|id| self.token(*id)).flatten().copied().collect();
        // What was put before the text is taken away again.
        let lead = if self.model().leads_with_space() { b" ".as_slice() } else { b"" };
        String::from_utf8_lossy(bytes.strip_prefix(lead).unwrap_or(&bytes)).into_owned()
    }

    /// Counts that answer for any part of `text` without going through it again.
    #[must_use]
    pub fn intervals(self, text: &str) -> Intervals<'_> {
        Intervals::new(self, text)
    }

    /// The length in bytes of the longest prefix of `text`, ending on a character boundary, that is at most `limit`
    /// tokens. The work is bounded by the limit, not by the text.
    ///
    /// Longest to the byte, except inside an unbroken run of more than 256 bytes, where counts of growing prefixes are
    /// not quite monotone and a prefix a few bytes short of the longest may be returned. What is returned was always
    /// counted and always fits.
    #[must_use]
    pub fn prefix_within(self, text: &str, limit: usize) -> usize {
        cut::prefix_within(self, text, Place::First, limit)
    }

    /// The length in bytes of the longest suffix of `text`, starting on a character boundary, that is at most `limit`
    /// tokens, with the exception of [`prefix_within`](Self::prefix_within).
    #[must_use]
    pub fn suffix_within(self, text: &str, limit: usize) -> usize {
        cut::suffix_within(self, text, limit)
    }

    /// The most bytes that `limit` tokens can be.
    pub(crate) fn reach(self, limit: usize) -> usize {
        self.model().reach(limit)
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
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Tokenizer {}
