//! The count of a text that grows.

use crate::{cut, tokenizer::Tokenizer};

/// Counts a text as it is appended to; what was counted is not looked at again.
#[derive(Clone, Debug)]
pub struct Running {
    tokenizer: Tokenizer,
    settled: usize,
    /// Text behind the last cut, whose tokens what comes may change.
    open: String,
}

impl Running {
    /// An empty text.
    #[must_use]
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, settled: 0, open: String::new() }
    }

    /// Appends to the text.
    pub fn push(&mut self, text: &str) {
        self.open.push_str(text);
        let cut = cut::last_cut(&self.open);
        if cut > 0 {
            self.settled += self.tokenizer.count(&self.open[..cut]);
            self.open.drain(..cut);
        }
    }

    /// The tokens of all that was appended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.settled + self.tokenizer.count(&self.open)
    }
}
