//! What a grammar leaves no choice about: such tokens are drafted with certainty.

use std::sync::Arc;

use super::{Context, Draft};
use crate::{backend::Backend, tree::Tree};

/// What an answer may be. The engine asks for each node of a tree, so that drafts and constraints work together.
pub trait Grammar: Send + Sync {
    /// Lowers the logits of tokens that may not follow the answer so far to minus infinity.
    fn mask(&self, answer: &[u32], logits: &mut [f32]);

    /// Tokens that must follow the answer so far.
    fn forced(&self, answer: &[u32]) -> Vec<u32>;
}

/// Drafts what a grammar forces.
pub struct Forced(pub Arc<dyn Grammar>);

impl<B: Backend> Draft<B> for Forced {
    fn name(&self) -> &'static str {
        "forced"
    }

    fn propose(&mut self, context: &Context<'_, B>, tree: &mut Tree, source: usize) {
        let mut at = 0;
        for token in self.0.forced(&context.tokens[context.n_prompt..]) {
            match tree.add(at, token, source) {
                Some(node) => at = node,
                None => return,
            }
        }
    }
}
