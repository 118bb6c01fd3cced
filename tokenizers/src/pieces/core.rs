//! What merging needs of a vocabulary.

use super::{
    joins::Joins,
    names::{Names, Span},
    room::Room,
};
use crate::{bpe::NONE, sync::Pool};

/// The tables of a vocabulary.
pub(crate) struct Core {
    pub(super) names: Names,
    pub(super) joins: Joins,
    first: First,
    rooms: Pool<Room>,
}

/// What text is before anything is merged.
pub(crate) struct First {
    /// Text is bytes, and no characters.
    is_bytes: bool,
    /// The characters of ASCII.
    ascii: [u32; 128],
    /// What stands for the bytes of a character that is no token.
    fallback: [u32; 256],
}

impl First {
    /// Characters; those that are no token become the tokens of their bytes.
    pub(crate) fn characters(names: &Names, fallback: [u32; 256]) -> Self {
        let ascii = std::array::from_fn(|it| names.id(&[it as u8]).unwrap_or(fallback[it]));
        Self { is_bytes: false, ascii, fallback }
    }

    /// Bytes, which all have a token.
    pub(crate) fn bytes(names: &Names, bytes: [u32; 256]) -> Self {
        Self { is_bytes: true, ..Self::characters(names, bytes) }
    }

    /// The id of what a merge may join: a token, or a character of ASCII that a byte stands for; [`NONE`] for others.
    #[inline(always)]
    pub(super) fn half(&self, names: &Names, part: Span) -> u32 {
        match names.bytes(part) {
            [byte @ ..0x80] => self.ascii[usize::from(*byte)],
            _ => names.find_part(part),
        }
    }
}

impl Core {
    pub(crate) fn new(names: Names, joins: Joins, first: First) -> Self {
        Self { names, joins, first, rooms: Pool::default() }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The id of the token of exactly these bytes, or of one that stands for the byte.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        let of_byte = || match token {
            [byte] => Some(self.first.fallback[usize::from(*byte)]).filter(|it| *it != NONE),
            _ => None,
        };
        self.names.id(token).or_else(of_byte)
    }

    pub(crate) fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        self.rooms.with(Room::new, |room| {
            room.clear();
            work(room)
        })
    }

    /// The id and the length of what stands at `at`; [`NONE`] for a character that is no token.
    #[inline(always)]
    pub(super) fn first(&self, bytes: &[u8], at: usize) -> (u32, usize) {
        let byte = bytes[at];
        if byte < 0x80 {
            return (self.first.ascii[usize::from(byte)], 1);
        }
        if self.first.is_bytes {
            return (self.first.fallback[usize::from(byte)], 1);
        }
        let len = 2 + usize::from(byte >= 0xe0) + usize::from(byte >= 0xf0);
        (self.names.find(bytes, at, at + len), len)
    }

    /// The tokens that stand for the bytes of the character at `at`, which is no token; none where a vocabulary has none,
    /// and passes over what it does not know.
    pub(super) fn bytes_of(&self, bytes: &[u8], at: usize) -> impl Iterator<Item = u32> {
        let (_, len) = self.first(bytes, at);
        bytes[at..at + len].iter().map(|it| self.first.fallback[usize::from(*it)]).filter(|it| *it != NONE)
    }

    /// Counts `bytes[start..end]`, now or with [`Self::count_waiting`].
    #[inline(always)]
    pub(crate) fn count(&self, room: &mut Room, bytes: &[u8], start: usize, end: usize) -> usize {
        room.count(self, bytes, start, end)
    }

    /// How many tokens those are that [`Self::count`] put off.
    pub(crate) fn count_waiting(&self, room: &mut Room) -> usize {
        room.count_waiting(self)
    }

    /// Appends the tokens of `bytes[start..end]`.
    pub(crate) fn encode(&self, room: &mut Room, bytes: &[u8], range: (usize, usize), ids: &mut Vec<u32>) {
        room.encode(self, bytes, range, ids);
    }
}
