//! Byte-pair encoding over byte strings, under ranks that are ids: the core of every byte-level vocabulary.
//!
//! The token of a pair is found by the pair's bytes, so that a vocabulary is one table and no list of merges. That is
//! exact for vocabularies in which a token's id is the order in which training made it.

mod bridges;
mod cache;
mod count;
mod filter;
mod key;
mod lane;
mod long;
mod long_cache;
mod merge;
mod pairs;
mod short;
mod spellings;
mod stitch;
mod table;
mod walk;
mod windows;

pub(crate) use count::Pieces as Cache;
pub(crate) use count::Scratch;
pub(crate) use key::{Key, MAX_BYTES};
pub(crate) use lane::{Lane, MAX_ORDERED, Starts};
pub use pairs::BadVocabulary;
pub(crate) use pairs::BytePairs;
pub(crate) use spellings::Spellings;
pub(crate) use stitch::{WIDTH, Window, ones, share, windows_of};
pub(crate) use table::{NONE, Table};
