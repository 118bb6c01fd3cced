//! Binary BPE (arXiv 2511.17573): byte-pair encoding of executables and other binary files, without any splitting.
//!
//! [`shipped`] gives the vocabularies that come with the crate, [`Vocabulary::from_json`] reads others, and [`train`]
//! makes new ones.

mod apart;
mod encode;
mod json;
mod merges;
mod render;
mod shipped;
mod stream;
mod text;
mod train;
mod trie;
mod vocabulary;

pub use json::Form;
pub use merges::Merges;
pub use render::{BadRendering, parse, render};
pub use shipped::{SIZES, Size, shipped};
pub use stream::Stream;
pub(crate) use text::BinaryText;
pub use train::{CHUNK_BYTES, Progress, Sample, TrainOptions, train};
pub use vocabulary::Vocabulary;

/// With the family's seven control tokens and 256 bytes these are 65,536 tokens.
pub const MOST_MERGES: usize = 65_536 - 7 - 256;
