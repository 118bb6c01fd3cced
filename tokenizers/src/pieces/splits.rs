//! Every way to make a token of two others.
//!
//! Whether a half is a token is known once memory has answered, and a processor that guesses wrong until then waits for
//! nothing. So halves are looked up many at a time, and what is no token is dropped without a branch.

use super::{
    joins::Joined,
    names::{Names, Span},
};
use crate::bpe::NONE;

/// Results that are split together.
const GROUP: usize = 64;

/// A first half that is a token.
#[derive(Clone, Copy)]
struct Left {
    id: u32,
    rest: Span,
    made: Joined,
}

/// The pairs that make the results, in their order, the longest left half first.
pub(super) fn splits(names: &Names, results: &[Joined], half: impl Fn(Span) -> u32) -> Vec<((u32, u32), Joined)> {
    let mut pairs = Vec::with_capacity(2 * results.len());
    let mut lefts = Vec::new();
    for group in results.chunks(GROUP) {
        find_lefts(names, group, &mut lefts, &half);
        for Left { id, rest, made } in &lefts {
            let right = half(*rest);
            pairs.push(((*id, right), *made));
            pairs.truncate(pairs.len() - usize::from(right == NONE));
        }
    }
    pairs
}

fn find_lefts(names: &Names, group: &[Joined], lefts: &mut Vec<Left>, half: impl Fn(Span) -> u32) {
    lefts.clear();
    for made in group {
        let Span { start, end } = names.span(made.id);
        let token = names.bytes(Span { start, end });
        for middle in (1..token.len()).rev().filter(|it| token[*it] & 0xc0 != 0x80).map(|it| start + it) {
            let id = half(Span { start, end: middle });
            lefts.push(Left { id, rest: Span { start: middle, end }, made: *made });
            lefts.truncate(lefts.len() - usize::from(id == NONE));
        }
    }
}
