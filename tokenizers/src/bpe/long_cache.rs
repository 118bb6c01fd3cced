//! Token counts of the longer pieces that were met last: rules of dashes, long identifiers, addresses.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Longer pieces are rarely met twice.
const MAX_BYTES: usize = 128;
const PLACES: usize = 512;

#[derive(Clone, Copy)]
struct Entry {
    bytes: [u8; MAX_BYTES],
    len: u8,
    count: u8,
}

/// 65 KiB of counts.
#[derive(Clone)]
pub(super) struct LongCache {
    entries: Box<[Entry; PLACES]>,
}

impl LongCache {
    pub(super) fn new() -> Self {
        let empty = Entry { bytes: [0; MAX_BYTES], len: 0, count: 0 };
        let entries = vec![empty; PLACES].into_boxed_slice();
        Self { entries: entries.try_into().unwrap_or_else(|_| unreachable!("the length is the type's")) }
    }

    /// The count of tokens of a piece, if it is known.
    pub(super) fn get(&self, piece: &[u8]) -> Option<usize> {
        let entry = &self.entries[place(piece)];
        (piece.len() <= MAX_BYTES && entry.bytes[..entry.len.into()] == *piece).then_some(entry.count.into())
    }

    pub(super) fn put(&mut self, piece: &[u8], count: usize) {
        let Ok(count) = u8::try_from(count) else { return };
        if piece.len() <= MAX_BYTES {
            let entry = &mut self.entries[place(piece)];
            entry.bytes[..piece.len()].copy_from_slice(piece);
            (entry.len, entry.count) = (piece.len() as u8, count);
        }
    }
}

fn place(piece: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(&piece[..piece.len().min(MAX_BYTES)]);
    hasher.finish() as usize % PLACES
}
