//! Working memory of one text at a time, and the counts that are kept from one text to the next.

use super::{
    blocks::{Block, Blocks},
    core::Core,
    stitch::{Needle, STRIDE},
    symbols::Symbols,
    windows::Windows,
};
use crate::bpe::{Cache, Key, MAX_BYTES, NONE, Window, windows_of};

/// Stretches whose counts are not known are merged together when they have so many symbols.
const BATCH: usize = 1 << 9;

/// About 1 MiB.
pub(crate) struct Room {
    cache: Cache,
    waiting: Waiting,
    blocks: Blocks,
}

/// Stretches that wait to be merged.
#[derive(Default)]
struct Waiting {
    stretches: Vec<Stretch>,
    symbols: Symbols,
    windows: Vec<Window>,
    merged: Windows,
    needle: Needle,
}

/// The key of a stretch, if it has one; its symbols; its windows; and how many tokens its unknown characters are.
struct Stretch {
    key: Option<Key>,
    windows: (usize, usize),
    unknown: Unknown,
}

/// Characters that are no token, and the tokens of their bytes.
#[derive(Clone, Copy, Default)]
struct Unknown {
    n_characters: usize,
    n_tokens: usize,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { cache: Cache::new(), waiting: Waiting::default(), blocks: Blocks::default() }
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Counts `bytes[start..end]`: now if the count is known or long in coming, or else with others, to be had from
    /// [`Self::count_waiting`].
    #[inline(always)]
    pub(super) fn count(&mut self, core: &Core, bytes: &[u8], start: usize, end: usize) -> usize {
        match self.cache.get(Key::of_short(bytes, start, end)) {
            0 => self.count_anew(core, bytes, (start, end)),
            known => known,
        }
    }

    #[inline(never)]
    fn count_anew(&mut self, core: &Core, bytes: &[u8], (start, end): (usize, usize)) -> usize {
        if end - start > BATCH {
            return self.blocks.fold(core, bytes, (start, end), &0, |total, Block { ids, symbols, run }| {
                *total += Unknown::of(core, bytes, symbols, run).count(ids.len());
            });
        }
        self.waiting.push(core, bytes, (start, end));
        if self.waiting.symbols.len() >= BATCH { self.count_waiting(core) } else { 0 }
    }

    /// How many tokens the stretches are that wait.
    pub(super) fn count_waiting(&mut self, core: &Core) -> usize {
        let cache = &mut self.cache;
        let mut total = 0;
        self.waiting.merge(core, |key, count| {
            if let Some(key) = key {
                cache.put(key, count);
            }
            total += count;
        });
        total
    }

    /// Appends the tokens of `bytes[start..end]`.
    pub(super) fn encode(&mut self, core: &Core, bytes: &[u8], range: (usize, usize), ids: &mut Vec<u32>) {
        let new = self.blocks.fold(core, bytes, range, &Vec::new(), |new, block| {
            let mut unknown = block.symbols.unknown(block.run);
            for id in block.ids {
                match id {
                    &NONE => new.extend(unknown.next().into_iter().flat_map(|at| core.bytes_of(bytes, at))),
                    id => new.push(*id),
                }
            }
        });
        ids.extend(new);
    }
}

impl Waiting {
    fn clear(&mut self) {
        self.stretches.clear();
        self.symbols.clear();
        self.windows.clear();
    }

    fn push(&mut self, core: &Core, bytes: &[u8], (start, end): (usize, usize)) {
        let (from, first) = (self.symbols.len(), self.windows.len());
        self.symbols.push(core, bytes, (start, end), usize::MAX);
        let run = Window { start: from, end: self.symbols.len() };
        self.windows.extend(windows_of(run.start, run.end, STRIDE));
        self.stretches.push(Stretch {
            key: (end - start <= MAX_BYTES).then(|| Key::of(bytes, start, end)),
            windows: (first, self.windows.len()),
            unknown: Unknown::of(core, bytes, &self.symbols, run),
        });
    }

    /// Calls `take` with the key and the count of each, and empties the list.
    fn merge(&mut self, core: &Core, mut take: impl FnMut(Option<Key>, usize)) {
        self.merged.encode(&core.joins, &self.symbols, &self.windows);
        for Stretch { key, windows: (first, end), unknown } in &self.stretches {
            let n_tokens = match &self.merged.tokens[*first..*end] {
                [only] => only.starts.count_ones() as usize,
                tokens => {
                    self.needle.stitch(&core.joins, &self.symbols, &self.windows[*first..*end], tokens);
                    self.needle.stitched.ends.len()
                }
            };
            take(*key, unknown.count(n_tokens));
        }
        self.clear();
    }
}

impl Unknown {
    fn of(core: &Core, bytes: &[u8], symbols: &Symbols, run: Window) -> Self {
        symbols.unknown(run).fold(Self::default(), |all, at| Self {
            n_characters: all.n_characters + 1,
            n_tokens: all.n_tokens + core.bytes_of(bytes, at).count(),
        })
    }

    /// The tokens of text of which unknown characters were taken for one each.
    fn count(self, n_tokens: usize) -> usize {
        n_tokens - self.n_characters + self.n_tokens
    }
}
