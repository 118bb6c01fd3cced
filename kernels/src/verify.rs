//! Which drafted tokens stand. The output has the distribution of plain decoding at every temperature, and its very tokens.
//!
//! At each node a token is drawn from the target's distribution as plain decoding would draw it, with the chance that
//! belongs to its position. If the token is one of the children, the walk goes on there; if not, it is the next token.
//! A child x of a deterministic draft is so accepted with probability p(x), as by the rule of accepting x with p(x), or
//! else p(x) = 0, renormalised, and the next child (Leviathan et al., arXiv 2211.17192, with a one-hot q): what is drawn is
//! the same. Beyond that, equal seeds give equal texts with and without drafts.

use crate::tree::Tree;

/// What came of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Nodes that stand, in order.
    pub accepted: Vec<usize>,
    /// The token after them.
    pub next: u32,
}

/// Walks from the root; `draw` gives the target's token after a node.
pub fn verify(tree: &Tree, mut draw: impl FnMut(usize) -> u32) -> Verdict {
    let (mut accepted, mut at) = (Vec::new(), 0);
    loop {
        let next = draw(at);
        let Some(child) = tree.child(at, next) else { return Verdict { accepted, next } };
        accepted.push(child);
        at = child;
    }
}
