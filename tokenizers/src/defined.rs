//! A vocabulary of ranks with tokens beside it that are taken from the text as they are, before anything is split.

use crate::{
    cuts::Cuts,
    encoder::{Encoder, Place},
    model::Model,
    pieces::Matcher,
};

/// A loaded vocabulary.
pub(crate) struct Defined {
    inner: Model,
    matcher: Matcher,
    /// Ids and spellings.
    tokens: Vec<(u32, String)>,
    cuts: Cuts,
    longest: usize,
}

impl Defined {
    pub(crate) fn new(inner: Model, tokens: Vec<(u32, String)>) -> Self {
        let matcher = Matcher::new(tokens.iter().map(|(id, token)| (*id, token.as_bytes())));
        let cuts = Cuts::of_split(inner.split(), tokens.iter().map(|it| &*it.1));
        let longest = tokens.iter().map(|it| it.1.len()).max().unwrap_or(1);
        Self { inner, matcher, tokens, cuts, longest }
    }
}

impl Encoder for Defined {
    fn count(&self, text: &str, place: Place, limit: usize) -> Option<usize> {
        let mut left = limit;
        for part in self.matcher.parts(text) {
            let count = match part {
                Ok(_) => 1,
                Err(between) => self.inner.count(between, place, left)?,
            };
            left = left.checked_sub(count)?;
        }
        Some(limit - left)
    }

    fn encode(&self, text: &str, place: Place, ids: &mut Vec<u32>) {
        for part in self.matcher.parts(text) {
            match part {
                Ok(id) => ids.push(id),
                Err(between) => self.inner.encode(between, place, ids),
            }
        }
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        let defined = self.tokens.iter().find(|it| it.0 == id).map(|it| it.1.as_bytes());
        defined.or_else(|| self.inner.token(id))
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        let defined = self.tokens.iter().find(|it| it.1.as_bytes() == token).map(|it| it.0);
        defined.or_else(|| self.inner.id(token))
    }

    fn reach(&self, limit: usize) -> usize {
        self.inner.reach(limit).max(limit.saturating_mul(self.longest))
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }
}
