//! A vocabulary of the family: control tokens, bytes, and merges, each with an id.

use super::{
    encode::Core,
    json::{self, Form},
    merges::Merges,
};
use crate::vocab::VocabularyError;

/// The control tokens that the family begins with, from id 0.
pub(super) const SPECIALS: [&str; 7] = ["<|start|>", "<|end|>", "<|pad|>", "<|unk|>", "<|cls|>", "<|sep|>", "<|mask|>"];

/// Binary BPE: tokens of arbitrary bytes.
pub struct Vocabulary {
    pub(super) merges: Merges,
    /// The id of each byte and merge.
    pub(super) ids: Vec<u32>,
    /// The byte or merge of each id; none for control tokens and gaps.
    tokens: Vec<Option<u16>>,
    pub(super) specials: Vec<(String, u32)>,
    core: Core,
}

impl Vocabulary {
    /// The family's numbering: control tokens, bytes, merges.
    #[must_use]
    pub fn new(merges: Merges) -> Self {
        let specials: Vec<_> = (0..).zip(SPECIALS).map(|(id, name)| (name.to_owned(), id)).collect();
        let first = specials.len() as u32;
        let ids = (0..merges.n_tokens() as u32).map(|it| first + it).collect();
        Self::with_ids(merges, ids, specials)
    }

    pub(super) fn with_ids(merges: Merges, ids: Vec<u32>, specials: Vec<(String, u32)>) -> Self {
        let n_ids = ids.iter().chain(specials.iter().map(|it| &it.1)).max().map_or(0, |it| *it as usize + 1);
        let mut tokens = vec![None; n_ids];
        for (token, id) in ids.iter().enumerate() {
            tokens[*id as usize] = Some(token as u16);
        }
        let core = Core::new(&merges);
        Self { merges, ids, tokens, specials, core }
    }

    /// From a `tokenizer.json` in either form of the family.
    ///
    /// # Errors
    /// [`VocabularyError`], with what is wrong in the file.
    pub fn from_json(json: &[u8]) -> Result<Self, VocabularyError> {
        json::read(json)
    }

    /// As a `tokenizer.json`.
    #[must_use]
    pub fn to_json(&self, form: Form) -> String {
        json::write(self, form)
    }

    /// How many ids there are, control tokens included.
    #[must_use]
    pub fn n_ids(&self) -> usize {
        self.tokens.len()
    }

    /// What merges to what.
    #[must_use]
    pub fn merges(&self) -> &Merges {
        &self.merges
    }

    /// Control tokens and their ids.
    #[must_use]
    pub fn specials(&self) -> &[(String, u32)] {
        &self.specials
    }

    /// How many tokens `bytes` are.
    #[must_use]
    pub fn count(&self, bytes: &[u8]) -> usize {
        self.core.with_tokens(bytes, <[u16]>::len)
    }

    /// The ids of `bytes`. They never hold control tokens.
    #[must_use]
    pub fn encode(&self, bytes: &[u8]) -> Vec<u32> {
        self.core.with_tokens(bytes, |tokens| tokens.iter().map(|it| self.ids[usize::from(*it)]).collect())
    }

    /// The ids of `bytes` and how many bytes each is.
    pub fn each_token(&self, bytes: &[u8], mut each: impl FnMut(u32, usize)) {
        self.core.with_tokens(bytes, |tokens| {
            tokens.iter().for_each(|it| each(self.ids[usize::from(*it)], self.core.len(*it)));
        });
    }

    /// Bytes for each token; 0 for nothing.
    #[must_use]
    pub fn bytes_per_token(&self, bytes: &[u8]) -> f64 {
        bytes.len() as f64 / self.count(bytes).max(1) as f64
    }

    /// The bytes of a token; none for control tokens and unknown ids.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<&[u8]> {
        let token = self.tokens.get(id as usize).copied().flatten()?;
        Some(self.merges.spelling(token))
    }

    /// The id of the token of exactly these bytes.
    #[must_use]
    pub fn id(&self, bytes: &[u8]) -> Option<u32> {
        self.core.with_tokens(bytes, |tokens| match tokens {
            [token] => Some(self.ids[usize::from(*token)]),
            _ => None,
        })
    }

    /// The bytes of tokens; control tokens and unknown ids are skipped.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter().filter_map(|id| self.token(*id)).flatten().copied().collect()
    }
}
