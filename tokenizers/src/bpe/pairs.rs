//! A byte-level vocabulary: its tables, and the tokens of a piece.

use super::{
    count::{Pieces, Scratch},
    key::{Key, MAX_BYTES},
    long::Long,
    short::{self, LANES},
    spellings::Spellings,
    table::{NONE, Table},
};

/// Ranks must fit the orders of `windows` and `short`.
pub(crate) const MAX_RANK: u32 = 1 << 23;

/// A vocabulary whose ids are its ranks.
pub(crate) struct BytePairs {
    pub(super) table: Table,
    /// The rank of each pair of bytes, the first one lowest.
    pub(super) pairs: Box<[u32; 1 << 16]>,
    spellings: Spellings,
    seeded: Pieces,
}

/// Why a list of tokens is no byte-level vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadVocabulary {
    /// A byte of text could not be encoded.
    #[error("byte {0:#04x} is no token; a byte-level vocabulary has all that occur in text")]
    NoByte(u8),
    /// Ids are packed with other numbers.
    #[error("id {0} is over the limit of {MAX_RANK}")]
    LargeId(u32),
    /// Ranks of merges are packed with places.
    #[error("rank {0} is over the limit of {max}", max = super::lane::MAX_ORDERED)]
    LargeRank(u32),
    /// The same id twice.
    #[error("id {0} is used twice")]
    TwoTokens(u32),
}

impl BytePairs {
    /// Makes the tables, from tokens and their ids in ascending order.
    ///
    /// # Errors
    /// [`BadVocabulary`].
    pub(crate) fn new<'a>(
        tokens: impl Iterator<Item = (u32, &'a [u8])>,
        n_tokens: usize,
    ) -> Result<Self, BadVocabulary> {
        let mut spellings = Spellings::with_capacity(n_tokens);
        for (id, token) in tokens {
            spellings.add(id, token)?;
        }
        let mut made =
            Self { table: Table::with_capacity(n_tokens), pairs: new_pairs(), seeded: Pieces::new(), spellings };
        made.table.insert_parts(made.spellings.bytes(), made.spellings.places(), |_, _| ());
        for (id, token) in made.spellings.iter() {
            if let [first, second] = token {
                made.pairs[usize::from(*first) | usize::from(*second) << 8] = id;
            }
        }
        for (_, (start, end)) in made.spellings.places().filter(|(_, (start, end))| end - start <= MAX_BYTES) {
            made.seeded.seed(Key::of(made.spellings.bytes(), start, end));
        }
        // UTF-8 has no use for the bytes that are left out.
        let mut needed = (0..=255).filter(|byte| !matches!(byte, 0xc0 | 0xc1 | 0xf5..));
        match needed.find(|byte| made.id(&[*byte]).is_none()) {
            Some(byte) => Err(BadVocabulary::NoByte(byte)),
            None => Ok(made),
        }
    }

    /// The id of a token, by all of its bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        Some(self.table.get_bytes(token, 0, token.len())).filter(|it| *it != NONE)
    }

    /// The bytes of a token.
    pub(crate) fn token(&self, id: u32) -> Option<&[u8]> {
        self.spellings.get(id)
    }

    /// The length of the longest token, bytes.
    pub(crate) fn longest(&self) -> usize {
        self.table.longest()
    }

    /// Room for counting, with a cache that knows the first tokens of the vocabulary.
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::new(self.seeded.clone())
    }

    /// The rank of two bytes together, or [`NONE`].
    #[inline(always)]
    pub(super) fn rank_of_pair(&self, [first, second]: [u8; 2]) -> u32 {
        self.pairs[usize::from(first) | usize::from(second) << 8]
    }

    /// Calls `take` with the end of each token of the piece.
    pub(crate) fn token_ends(&self, bytes: &[u8], start: usize, end: usize, mut take: impl FnMut(usize)) {
        if self.table.get_bytes(bytes, start, end) != NONE {
            take(end);
        } else if end - start <= MAX_BYTES {
            let mut starts = [0; LANES];
            short::encode(&self.table, &self.pairs, &[Key::of(bytes, start, end)], &mut starts);
            (1..=end - start).filter(|it| starts[0] >> it & 1 == 1).for_each(|it| take(start + it));
        } else {
            let mut long = Long::default();
            long.push(start, end);
            long.encode(self, bytes, |_, ends| ends.iter().for_each(|it| take(*it)));
        }
    }

    /// Calls `take` with the id and the end of each token of the piece.
    pub(crate) fn encode(&self, bytes: &[u8], start: usize, end: usize, mut take: impl FnMut(u32, usize)) {
        let mut from = start;
        self.token_ends(bytes, start, end, |to| {
            take(self.table.get_bytes(bytes, from, to), to);
            from = to;
        });
    }
}

fn new_pairs() -> Box<[u32; 1 << 16]> {
    vec![NONE; 1 << 16].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("the length is the type's"))
}
