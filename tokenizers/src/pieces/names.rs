//! The tokens of a vocabulary by id and by bytes.

use crate::bpe::{BadVocabulary, NONE, Spellings, Table};

/// Ids and bytes, either from the other.
pub(crate) struct Names {
    table: Table,
    spellings: Spellings,
    /// By id, the tokens that text may be.
    is_found: Vec<bool>,
}

/// A part of the spelling of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Names {
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        Self {
            table: Table::with_capacity(n_tokens),
            spellings: Spellings::with_capacity(n_tokens),
            is_found: Vec::with_capacity(n_tokens),
        }
    }

    /// Adds a token that [`Self::id`] finds, unless there is one of the same bytes.
    ///
    /// # Errors
    /// [`BadVocabulary`] for an id that is too large or used.
    pub(crate) fn add(&mut self, id: u32, token: &[u8]) -> Result<(), BadVocabulary> {
        self.add_hidden(id, token)?;
        let is_new = self.table.insert(token, id);
        set(&mut self.is_found, id, is_new);
        Ok(())
    }

    /// Lets [`Self::id`] find tokens that were hidden. Says which one has the bytes of another.
    pub(super) fn reveal(&mut self, ids: &[u32]) -> Result<(), u32> {
        let Self { table, spellings, is_found } = self;
        let mut second = None;
        let parts = ids.iter().map(|id| (*id, spellings.place(*id)));
        table.insert_parts(spellings.bytes(), parts, |id, is_new| {
            set(is_found, id, is_new);
            second = second.or(Some(id).filter(|_| !is_new));
        });
        second.map_or(Ok(()), Err)
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

    /// True for a token that text may be.
    pub(crate) fn is_found(&self, id: u32) -> bool {
        self.is_found.get(id as usize).is_some_and(|it| *it)
    }

    /// The tokens that text may be, with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.spellings.iter().filter(|(id, _)| self.is_found(*id))
    }

    /// The whole of a token.
    pub(super) fn span(&self, id: u32) -> Span {
        let (start, end) = self.spellings.place(id);
        Span { start, end }
    }

    /// The bytes of a part.
    pub(super) fn bytes(&self, Span { start, end }: Span) -> &[u8] {
        &self.spellings.bytes()[start..end]
    }

    /// The id of a part, or [`NONE`]. Faster than to look up its bytes alone, which nothing follows.
    #[inline(always)]
    pub(super) fn find_part(&self, Span { start, end }: Span) -> u32 {
        self.find(self.spellings.bytes(), start, end)
    }
}

fn set(flags: &mut Vec<bool>, id: u32, flag: bool) {
    if flags.len() <= id as usize {
        flags.resize(id as usize + 1, false);
    }
    flags[id as usize] = flag;
}
