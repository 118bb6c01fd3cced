//! A count with a memory, for many short texts that share their words.

use rustc_hash::FxHashMap;

use crate::cut;
use crate::registry::Tokenizer;

/// Longer words are rarely met twice.
const MAX_WORD_BYTES: usize = 48;

/// Once this many words are known all are forgotten: at most a few MiB.
const MAX_WORDS: usize = 1 << 16;

/// Counts as its [`Tokenizer`] does, but looks at each word once: several times faster on tool definitions, whose
/// keys and turns of phrase recur. Make one per thread and drop it when the batch is done.
pub struct Counter {
    tokenizer: Tokenizer,
    known: FxHashMap<Box<str>, u32>,
}

impl Counter {
    /// A counter that knows no words yet.
    #[must_use]
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, known: FxHashMap::default() }
    }

    /// Exactly [`Tokenizer::count`].
    #[must_use]
    pub fn count(&mut self, text: &str) -> usize {
        cut::words(text).map(|word| self.count_word(word)).sum()
    }

    fn count_word(&mut self, word: &str) -> usize {
        if let Some(&count) = self.known.get(word) {
            return count as usize;
        }
        let count = self.tokenizer.count(word);
        if word.len() <= MAX_WORD_BYTES {
            if self.known.len() >= MAX_WORDS {
                self.known.clear();
            }
            // A word has no more tokens than bytes.
            self.known.insert(word.into(), count as u32);
        }
        count
    }
}
