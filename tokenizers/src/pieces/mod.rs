//! Byte-pair encoding where ids are not ranks: merges by score, by result or by pair, over characters or bytes.
//!
//! This is the core of SentencePiece's models and of what was made from them. Greedy merging sees only neighbours, so
//! that a sequence of tokens is the encoding of its text exactly if every two neighbours are the encoding of theirs:
//! of all steps, those inside two neighbours happen in the order in which they happen in these two alone. That holds
//! for any order of merges that goes by the pair and then by the place, and it is what [`stitch`] and [`blocks`] rely on.

mod blocks;
mod core;
mod joins;
mod matcher;
mod merge;
mod model;
mod names;
mod parts;
mod recent;
mod room;
mod splits;
mod stitch;
mod symbols;
mod windows;

pub(crate) use self::{
    core::{Core, First},
    joins::Joins,
    matcher::Matcher,
    model::{Pieces, Spaces, of_merges, of_spm},
    names::Names,
    room::Room,
};
