//! Text to tokens, exactly as the target model's own vocabulary does it.
//!
//! Everything here is synchronous and pure. A [`Tokenizer`] is a cheap handle; its tables load on first use and
//! stay for the life of the process. Text is always *ordinary*: `<|endoftext|>` in a tool description is seven
//! characters of punctuation and letters, never a control token.

pub mod binary;
mod bpe;
pub mod chat;
mod compare;
mod cut;
mod cuts;
mod defined;
mod encoder;
mod hf;
mod intervals;
mod model;
mod pieces;
mod registry;
mod running;
mod split;
mod sync;
mod tokenizer;
mod vocab;

pub use bpe::BadVocabulary;
pub use compare::{Comparison, Measure};
pub use intervals::Intervals;
pub use model::Normal;
pub use registry::{TOKENIZERS, TokenizerEntry};
pub use running::Running;
pub use split::Split;
pub use tokenizer::{Tokenizer, UnknownTokenizer};
pub use vocab::VocabularyError;
