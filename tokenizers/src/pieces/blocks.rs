//! The tokens of a stretch of any length, block by block, in linear time and constant memory.
//!
//! A block's tokens but for the last ones are kept, and the next block starts with a token of this one. If that token
//! comes out again, every two neighbours have been neighbours in one block, and the whole is exact (see [`super`]); if
//! not, larger blocks decide.

use super::{
    core::Core,
    stitch::{Needle, STRIDE},
    symbols::Symbols,
    windows::Windows,
};
use crate::bpe::{Window, windows_of};

/// Symbols that are merged together.
const BLOCK: usize = 1 << 11;
/// What a block grows by where it was too small.
const GROWTH: usize = 16;
/// Symbols at the end of a block whose tokens what comes behind may change.
const MARGIN: usize = 64;

/// Room for the blocks of a stretch.
#[derive(Default)]
pub(super) struct Blocks {
    symbols: Symbols,
    windows: Vec<Window>,
    merged: Windows,
    needle: Needle,
}

/// Tokens that follow one another: their ids, and their symbols.
pub(super) struct Block<'a> {
    pub(super) ids: &'a [u32],
    pub(super) symbols: &'a Symbols,
    pub(super) run: Window,
}

/// What the block before says of the next one: where it starts, and where its first token ends.
#[derive(Clone, Copy)]
struct Seam {
    at: usize,
    first_end: Option<usize>,
}

impl Blocks {
    /// Folds the blocks of `bytes[start..end]`.
    pub(super) fn fold<T: Clone>(
        &mut self,
        core: &Core,
        bytes: &[u8],
        (start, end): (usize, usize),
        nothing: &T,
        mut take: impl FnMut(&mut T, Block<'_>),
    ) -> T {
        let mut limit = BLOCK;
        loop {
            let mut folded = nothing.clone();
            let mut seam = Some(Seam { at: start, first_end: None });
            while let Some(it) = seam.filter(|it| it.at < end) {
                seam = self.block(core, bytes, (it, end), limit, |block| take(&mut folded, block));
            }
            if seam.is_some() {
                return folded;
            }
            limit = limit.saturating_mul(GROWTH);
        }
    }

    /// Merges one block and hands on what is certain of it; `None` if it does not fit the one before.
    fn block(
        &mut self,
        core: &Core,
        bytes: &[u8],
        (seam, end): (Seam, usize),
        limit: usize,
        take: impl FnOnce(Block<'_>),
    ) -> Option<Seam> {
        let Self { symbols, windows, merged, needle } = self;
        symbols.clear();
        let stop = symbols.push(core, bytes, (seam.at, end), limit);
        windows.clear();
        windows.extend(windows_of(0, symbols.len(), STRIDE));
        merged.encode(&core.joins, symbols, windows);
        needle.stitch(&core.joins, symbols, windows, &merged.tokens);
        let (ends, ids) = (&needle.stitched.ends, &needle.stitched.ids);
        let place = |symbol: usize| symbols.start(symbol).unwrap_or(stop);
        if seam.first_end.is_some_and(|it| ends.first().map(|end| place(*end)) != Some(it)) {
            return None;
        }
        if stop == end {
            take(Block { ids, symbols, run: Window { start: 0, end: symbols.len() } });
            return Some(Seam { at: end, first_end: None });
        }
        let shared = ends.iter().rposition(|it| it + MARGIN <= symbols.len()).filter(|it| *it > 0)?;
        let start = ends[shared - 1];
        take(Block { ids: &ids[..shared], symbols, run: Window { start: 0, end: start } });
        Some(Seam { at: place(start), first_end: Some(place(ends[shared])) })
    }
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashMap;

    use super::*;
    use crate::{
        bpe::NONE,
        pieces::{First, Joins, Names, merge::Merging, stitch::Stitched},
    };

    fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
        let mut state = seed * 2 + 88_172_645_463_325_253;
        move |limit| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % limit
        }
    }

    /// Three letters, and merges of any two tokens so far.
    fn vocabulary(number: &mut impl FnMut(usize) -> usize) -> Core {
        let mut tokens: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let mut pairs = FxHashMap::default();
        for rank in 0..40 {
            let (left, right) = (number(tokens.len()), number(tokens.len()));
            let made = format!("{}{}", tokens[left], tokens[right]);
            if made.len() <= 90 && !tokens.contains(&made) {
                pairs.insert((left as u32, right as u32), (rank, tokens.len() as u32));
                tokens.push(made);
            }
        }
        let mut names = Names::with_capacity(tokens.len());
        (0..).zip(&tokens).for_each(|(id, token)| names.add(id, token.as_bytes()).unwrap());
        let first = First::characters(&names, [NONE; 256]);
        Core::new(names, Joins::of_pairs(pairs).unwrap(), first)
    }

    /// Letters in any order, runs of one, and periods.
    fn text(number: &mut impl FnMut(usize) -> usize) -> String {
        let mut text = String::new();
        while text.len() < 3 * BLOCK {
            let unit: String = (0..1 + number(5)).map(|_| ["a", "b", "c"][number(3)]).collect();
            let times = 1 + [0, number(10), number(400)][number(3)];
            text.push_str(&unit.repeat(times));
        }
        text
    }

    #[test]
    fn blocks_are_what_plain_merging_makes() {
        let (mut merging, mut plain) = (Merging::default(), Stitched::default());
        for seed in 0..300 {
            let mut number = numbers(seed);
            let core = vocabulary(&mut number);
            let text = text(&mut number);
            let bytes = text.as_bytes();
            let mut symbols = Symbols::default();
            symbols.push(&core, bytes, (0, bytes.len()), usize::MAX);
            merging.encode(&core.joins, &symbols, Window { start: 0, end: symbols.len() }, &mut plain);
            // What is remembered is remembered of one vocabulary.
            let ids =
                Blocks::default().fold(&core, bytes, (0, bytes.len()), &Vec::new(), |ids: &mut Vec<u32>, block| {
                    ids.extend_from_slice(block.ids);
                });
            assert_eq!(ids, plain.ids, "seed {seed}");
        }
    }
}
