//! Text to pieces: the pre-tokenizers that come before byte-pair encoding, which never merges across pieces.

mod classes;
mod deepseek;
mod gpt2;
mod masks;
mod rules;
mod scanner;
mod stretch;
mod text;

pub(crate) use scanner::{Batch, LEVEL, Scanner};
pub(crate) use stretch::Stretch;

/// A pre-tokenizer. Each is the exact meaning of a published regular expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The whole text is one piece.
    None,
    /// GPT-2, and all that took its expression over.
    Gpt2,
    /// GPT-4, Llama 3, GLM 4.
    Cl100k,
    /// Qwen 2 and 3: as GPT-4, digit by digit.
    Qwen,
    /// GPT-4o and later.
    O200k,
    /// Mistral since NeMo.
    Tekken,
    /// Kimi K2.
    Kimi,
    /// DeepSeek V3 and R1.
    DeepSeek,
}

impl Split {
    /// The ends of the pieces of `text`, in bytes; they join to the text.
    pub fn ends(self, text: &str) -> Vec<usize> {
        let mut stretch = Box::default();
        let mut scanner = Scanner::new(self, text, &mut stretch);
        let mut ends = Vec::new();
        while let Some(Batch { base, ends: batch }) = scanner.next() {
            ends.extend(batch.iter().map(|it| base + *it as usize));
        }
        ends
    }
}
