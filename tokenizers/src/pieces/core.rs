//! Merging with what it needs of a vocabulary, and counts that are remembered.

use super::{joins::Joins, merge::Token, names::Names, walk::Windows};
use crate::{
    bpe::{Cache, Key, MAX_BYTES, NONE},
    sync::Pool,
};

/// The tables of a vocabulary.
pub(crate) struct Core {
    pub(super) names: Names,
    pub(super) joins: Joins,
    /// Text is bytes, and no characters.
    is_bytes: bool,
    /// The characters of ASCII.
    ascii: [u32; 128],
    /// What stands for the bytes of a character that is no token.
    fallback: [u32; 256],
    rooms: Pool<Room>,
}

/// Working memory of one text at a time: about 1 MiB.
pub(crate) struct Room {
    windows: Windows,
    cache: Cache,
}

impl Core {
    /// Merges characters; those that are no token become the tokens of their bytes.
    pub(crate) fn new(names: Names, joins: Joins, fallback: [u32; 256]) -> Self {
        let ascii = std::array::from_fn(|it| names.id(&[it as u8]).unwrap_or(fallback[it]));
        Self { names, joins, is_bytes: false, ascii, fallback, rooms: Pool::default() }
    }

    /// Merges bytes, which all have a token.
    pub(crate) fn of_bytes(names: Names, joins: Joins, bytes: [u32; 256]) -> Self {
        Self { is_bytes: true, ..Self::new(names, joins, bytes) }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The id of the token of exactly these bytes, or of one that stands for the byte.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        let of_byte = || match token {
            [byte] => Some(self.fallback[usize::from(*byte)]).filter(|it| *it != NONE),
            _ => None,
        };
        self.names.id(token).or_else(of_byte)
    }

    pub(crate) fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        self.rooms.with(|| Room { windows: Windows::default(), cache: Cache::new() }, work)
    }

    /// The id and the length of what stands at `at`; [`NONE`] for a character that is no token.
    #[inline(always)]
    pub(super) fn first(&self, bytes: &[u8], at: usize) -> (u32, usize) {
        let byte = bytes[at];
        if byte < 0x80 {
            return (self.ascii[usize::from(byte)], 1);
        }
        if self.is_bytes {
            return (self.fallback[usize::from(byte)], 1);
        }
        let len = 2 + usize::from(byte >= 0xe0) + usize::from(byte >= 0xf0);
        (self.names.find(bytes, at, at + len), len)
    }

    /// The tokens that stand for bytes; none where a vocabulary has none, and passes over what it does not know.
    fn bytes_of(&self, bytes: &[u8]) -> impl Iterator<Item = u32> {
        bytes.iter().map(|it| self.fallback[usize::from(*it)]).filter(|it| *it != NONE)
    }

    /// How many tokens `bytes[start..end]` is.
    #[inline]
    pub(crate) fn count(&self, room: &mut Room, bytes: &[u8], start: usize, end: usize) -> usize {
        if end - start > MAX_BYTES {
            return self.count_anew(room, bytes, start, end);
        }
        let key = Key::of(bytes, start, end);
        match room.cache.get(key) {
            0 => {
                let count = self.count_anew(room, bytes, start, end);
                room.cache.put(key, count);
                count
            }
            known => known,
        }
    }

    fn count_anew(&self, room: &mut Room, bytes: &[u8], start: usize, end: usize) -> usize {
        let (mut total, mut from) = (0, start);
        room.windows.encode(self, bytes, (start, end), |Token { id, end }| {
            total += if id == NONE { self.bytes_of(&bytes[from..end]).count() } else { 1 };
            from = end;
        });
        total
    }

    /// Appends the tokens of `bytes[start..end]`.
    pub(crate) fn encode(&self, room: &mut Room, bytes: &[u8], (start, end): (usize, usize), ids: &mut Vec<u32>) {
        let mut from = start;
        room.windows.encode(self, bytes, (start, end), |Token { id, end }| {
            match id {
                NONE => ids.extend(self.bytes_of(&bytes[from..end])),
                id => ids.push(id),
            }
            from = end;
        });
    }
}
