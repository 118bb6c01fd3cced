//! What of a folder's code, texts and data, or of a binary, to show a model under a budget.
//!
//! An [`Outline`] says what a text consists of, an [`Index`] finds what a question means and who uses whom, and
//! [`pack`] lets the one budget solver choose a [`SymbolView`] of each symbol. [`inspect`] does the same for what a binary
//! holds. Texts come from the caller; nothing here
//! reads files.

mod binary;
mod code;
mod data;
mod fit;
mod index;
mod languages;
mod outline;
mod pack;
mod rank;
mod render;
mod terms;
mod text;
mod view;

pub use binary::{
    BinaryPack, BinaryRequest, DISASSEMBLERS, Disassembler, Function, Image, Link, Rarity, Region, Render, Shown,
    entropy, hex_lines, inspect,
};
pub use index::Index;
pub use languages::{LANGUAGES, Language};
pub use outline::{Kind, MAX_PARSED_BYTES, Outline, Span, Symbol};
pub use pack::{Pack, PackError, PackRequest, Packed, pack};
pub use rank::{Found, Weights};
pub use view::{SYMBOL_LADDER, SymbolView};
