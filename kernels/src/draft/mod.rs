//! What is guessed ahead. A draft may be wrong as often as it likes: what it costs is time, never a token.

mod forced;
mod longspec;
mod suffix;

pub use self::{
    forced::{Forced, Grammar},
    longspec::{LongSpec, LongSpecDraft},
    suffix::{Suffix, SuffixIndex},
};
use crate::{backend::Backend, model::Decoder, tree::Tree};

/// What a draft may look at.
#[derive(Debug)]
pub struct Context<'a, B: Backend> {
    /// The device.
    pub backend: &'a B,
    /// The model whose tokens are guessed.
    pub target: &'a Decoder<B>,
    /// Its keys and values.
    pub pages: &'a B::Pages,
    /// The sequence's page table; all tokens but the last have their keys and values.
    pub table: &'a [u32],
    /// Prompt and answer so far; the last token is the tree's root.
    pub tokens: &'a [u32],
    /// Where the answer begins.
    pub n_prompt: usize,
}

/// A way to guess ahead, with what it remembers of one request.
pub trait Draft<B: Backend>: Send {
    /// What it is called in statistics.
    fn name(&self) -> &'static str;

    /// Adds nodes to the tree, the likeliest first, signed with `source`.
    fn propose(&mut self, context: &Context<'_, B>, tree: &mut Tree, source: usize);
}
