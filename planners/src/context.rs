//! What of a folder's code, texts and data to show a model under a budget.
//!
//! An [`Outline`] says what a text consists of, an [`Index`] finds what a question means and who uses whom, and
//! [`pack`] lets the one budget solver choose a [`SymbolView`] of each symbol. Texts come from the caller; nothing here
//! reads files.

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

pub use index::Index;
pub use languages::{LANGUAGES, Language};
pub use outline::{Kind, MAX_PARSED_BYTES, Outline, Span, Symbol};
pub use pack::{Pack, PackError, PackRequest, Packed, pack};
pub use rank::{Found, Weights};
pub use view::{SYMBOL_LADDER, SymbolView};
