//! The bytes of tokens by their ids.

use super::pairs::{BadVocabulary, MAX_RANK};

/// Bytes by id, all in one place.
#[derive(Default)]
pub(crate) struct Spellings {
    /// Start and length in `bytes`; (0, 0) for ids that are no token.
    places: Vec<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Spellings {
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        Self { places: Vec::with_capacity(n_tokens), bytes: Vec::with_capacity(8 * n_tokens) }
    }

    /// Adds a token.
    ///
    /// # Errors
    /// [`BadVocabulary`] for an id that is too large or used.
    pub(crate) fn add(&mut self, id: u32, token: &[u8]) -> Result<(), BadVocabulary> {
        if id >= MAX_RANK {
            return Err(BadVocabulary::LargeId(id));
        }
        if self.places.len() <= id as usize {
            self.places.resize(id as usize + 1, (0, 0));
        } else if self.places[id as usize] != (0, 0) {
            return Err(BadVocabulary::TwoTokens(id));
        }
        self.places[id as usize] = (self.bytes.len() as u32, token.len() as u32);
        self.bytes.extend_from_slice(token);
        Ok(())
    }

    /// The bytes of a token.
    pub(crate) fn get(&self, id: u32) -> Option<&[u8]> {
        let (start, len) = *self.places.get(id as usize)?;
        Some(&self.bytes[start as usize..][..len as usize]).filter(|it| !it.is_empty())
    }

    /// Where the bytes of a token start and end among all; (0, 0) for ids that are no token.
    pub(crate) fn place(&self, id: u32) -> (usize, usize) {
        let (start, len) = self.places.get(id as usize).copied().unwrap_or_default();
        (start as usize, (start + len) as usize)
    }

    /// The ids that are tokens, and where their bytes start and end.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u32, (usize, usize))> {
        let places = (0..).zip(&self.places).filter(|(_, (_, len))| *len > 0);
        places.map(|(id, (start, len))| (id, (*start as usize, (start + len) as usize)))
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The ids that are tokens, and their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..).zip(&self.places).filter_map(|(id, _)| Some((id, self.get(id)?)))
    }
}
