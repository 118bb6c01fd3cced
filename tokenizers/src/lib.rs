//! Text to tokens, exactly as the target model's own vocabulary does it.
//!
//! Everything here is synchronous and pure. A [`Tokenizer`] is a cheap handle; its tables load on first use and
//! stay for the life of the process. Text is always *ordinary*: `<|endoftext|>` in a tool description is seven
//! characters of punctuation and letters, never a control token.

mod counter;
mod cut;
mod registry;

pub use counter::Counter;
pub use registry::{TOKENIZERS, Tokenizer, TokenizerEntry, UnknownTokenizer};
