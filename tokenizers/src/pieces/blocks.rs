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
