//! The count of a text that grows.

use crate::{cut, encoder::Place, tokenizer::Tokenizer};

/// Counts a text as it is appended to; what was counted is not looked at again.
#[derive(Clone, Debug)]
pub struct Running {
    tokenizer: Tokenizer,
    settled: usize,
    /// Where the open text stands.
    place: Place,
    /// Text behind the last cut, whose tokens what comes may change.
    open: String,
}

impl Running {
    /// An empty text.
    #[must_use]
    pub fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer, settled: 0, place: Place::First, open: String::new() }
    }

    /// Appends to the text.
    pub fn push(&mut self, text: &str) {
        self.open.push_str(text);
        let cut = cut::last_cut(self.tokenizer.cuts(), &self.open);
        if cut > 0 {
            self.settled += self.tokenizer.count_at(&self.open[..cut], self.place);
            self.place = Place::Rest;
            self.open.drain(..cut);
        }
    }

    /// The tokens of all that was appended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.settled + self.tokenizer.count_at(&self.open, self.place)
    }
}
