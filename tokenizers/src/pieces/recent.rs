//! Windows of one vocabulary that were merged a moment ago, so that text that repeats itself is merged once.

use super::windows::Tokens;
use crate::bpe::WIDTH;

/// So many windows, a power of two: those of a period of some ten thousand symbols.
const PLACES: usize = 256;

#[derive(Clone, Copy)]
struct Entry {
    len: usize,
    symbols: [u32; WIDTH],
    tokens: Tokens,
}

/// 130 KiB, from the first window on.
#[derive(Default)]
pub(super) struct Recent(Vec<Entry>);

impl Recent {
    /// The tokens of these symbols, if they are known.
    pub(super) fn get(&self, symbols: &[u32]) -> Option<&Tokens> {
        let entry = self.0.get(place(symbols))?;
        (entry.symbols[..entry.len] == *symbols).then_some(&entry.tokens)
    }

    pub(super) fn put(&mut self, symbols: &[u32], tokens: &Tokens) {
        if self.0.is_empty() {
            self.0.resize(PLACES, Entry { len: 0, symbols: [0; WIDTH], tokens: *tokens });
        }
        let entry = &mut self.0[place(symbols)];
        (entry.len, entry.tokens) = (symbols.len(), *tokens);
        entry.symbols[..symbols.len()].copy_from_slice(symbols);
    }
}

fn place(symbols: &[u32]) -> usize {
    let (groups, rest) = symbols.as_chunks::<8>();
    let mut hashes = [0u32; 8];
    for group in groups {
        hashes = std::array::from_fn(|it| (hashes[it].rotate_left(7) ^ group[it]).wrapping_mul(0x9e37_79b9));
    }
    let hash = hashes.iter().chain(rest).fold(symbols.len() as u64, |hash, it| {
        (hash.rotate_left(5) ^ u64::from(*it)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (hash >> 32) as usize % PLACES
}
