//! The tokens of a vocabulary by id and by bytes.

use crate::bpe::{BadVocabulary, MAX_RANK, NONE, Table};

/// Ids and bytes, either from the other.
pub(crate) struct Names {
    table: Table,
    /// Where each token's bytes are; empty for ids that are no token.
    places: Vec<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Names {
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        Self { table: Table::with_capacity(n_tokens), places: Vec::with_capacity(n_tokens), bytes: Vec::new() }
    }

    /// Adds a token that [`Self::id`] finds, unless there is one of the same bytes.
    ///
    /// # Errors
    /// [`BadVocabulary`] for an id that is too large or used.
    pub(crate) fn add(&mut self, id: u32, token: &[u8]) -> Result<(), BadVocabulary> {
        self.add_hidden(id, token)?;
        self.table.insert(token, id);
        Ok(())
    }

    /// Adds a token that no text is.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(crate) fn add_hidden(&mut self, id: u32, token: &[u8]) -> Result<(), BadVocabulary> {
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

    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        Some(self.find(token, 0, token.len())).filter(|it| *it != NONE)
    }

    /// The id of `bytes[start..end]`, or [`NONE`].
    #[inline(always)]
    pub(crate) fn find(&self, bytes: &[u8], start: usize, end: usize) -> u32 {
        self.table.get_bytes(bytes, start, end)
    }

    pub(crate) fn token(&self, id: u32) -> Option<&[u8]> {
        let (start, len) = *self.places.get(id as usize)?;
        Some(&self.bytes[start as usize..][..len as usize]).filter(|it| !it.is_empty())
    }

    /// The tokens that text may be, with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let tokens = (0..).zip(&self.places).filter_map(|(id, _)| Some((id, self.token(id)?)));
        tokens.filter(|(id, token)| self.find(token, 0, token.len()) == *id)
    }
}
