//! The tokens of a vocabulary by id and by bytes.

use crate::bpe::{BadVocabulary, NONE, Spellings, Table};

/// Ids and bytes, either from the other.
pub(crate) struct Names {
    table: Table,
    spellings: Spellings,
}

impl Names {
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        Self { table: Table::with_capacity(n_tokens), spellings: Spellings::with_capacity(n_tokens) }
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
        self.spellings.add(id, token)
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
        self.spellings.get(id)
    }

    /// The tokens that text may be, with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.spellings.iter().filter(|(id, token)| self.find(token, 0, token.len()) == *id)
    }
}
