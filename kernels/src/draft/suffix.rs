//! What followed last time: the longest suffixes of the text are looked up in the text itself and in past outputs.
//!
//! The statistics are SuffixDecoding's (arXiv 2411.04975): how often each token followed the longest suffix that was seen
//! before. They come from chains of equal three-token endings in a ring of tokens, as in a compressor, and not from a tree
//! of all suffixes: that takes 8 bytes a token and forgets the oldest by itself.

use std::{
    collections::BinaryHeap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Context, Draft};
use crate::{backend::Backend, tree::Tree};

/// Tokens that must be equal before a continuation is believed.
const MIN_MATCH: usize = 3;

/// Tokens of a suffix that are compared, and of a continuation that are guessed.
const MAX_MATCH: usize = 64;

/// Places that are looked at for one guess.
const MAX_PLACES: usize = 48;

/// Heads of chains, as a power of two.
const CHAIN_BITS: u32 = 14;

/// Guesses below this probability are not worth a node.
const MIN_PROBABILITY: f64 = 0.05;

/// Separates texts; no token has this id.
const BORDER: u32 = u32::MAX;

/// A ring of tokens with chains of equal endings.
#[derive(Debug, Clone)]
pub struct SuffixIndex {
    ring: Vec<u32>,
    /// Distance from each place to the one before it with the same ending; 0 for none.
    back: Vec<u32>,
    heads: Vec<u64>,
    /// Tokens so far; place `n` lies at `n % ring.len()`.
    n: u64,
}

impl SuffixIndex {
    /// Room for `capacity` tokens, eight bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(2 * MAX_MATCH);
        Self { ring: vec![BORDER; capacity], back: vec![0; capacity], heads: vec![0; 1 << CHAIN_BITS], n: 0 }
    }

    /// Adds a token to the text.
    pub fn push(&mut self, token: u32) {
        let at = (self.n % self.ring.len() as u64) as usize;
        self.ring[at] = token;
        self.n += 1;
        self.back[at] = 0;
        if let Some(head) = self.ending(self.n).map(chain) {
            let before = std::mem::replace(&mut self.heads[head], self.n);
            self.back[at] = u32::try_from(self.n - before).ok().filter(|_| before > 0).unwrap_or(0);
        }
    }

    /// Adds a whole text, apart from those before it.
    pub fn push_text(&mut self, tokens: &[u32]) {
        self.push(BORDER);
        for token in tokens {
            self.push(*token);
        }
    }

    fn get(&self, place: u64) -> Option<u32> {
        let is_kept = place < self.n && place + self.ring.len() as u64 >= self.n;
        is_kept.then(|| self.ring[(place % self.ring.len() as u64) as usize]).filter(|it| *it != BORDER)
    }

    /// The tokens before place `end`.
    fn ending(&self, end: u64) -> Option<[u32; MIN_MATCH]> {
        let start = end.checked_sub(MIN_MATCH as u64)?;
        let mut ending = [0; MIN_MATCH];
        for (place, token) in (start..).zip(&mut ending) {
            *token = self.get(place)?;
        }
        Some(ending)
    }

    /// Places after which the text goes on as after `context`, with the number of equal tokens, the longest only.
    fn places(&self, context: &[u32]) -> Vec<u64> {
        let Some(ending) = context.last_chunk::<MIN_MATCH>() else { return Vec::new() };
        let (mut place, mut found, mut longest) = (self.heads[chain(*ending)], Vec::new(), MIN_MATCH);
        for _ in 0..MAX_PLACES {
            if place == 0 || place + self.ring.len() as u64 <= self.n {
                break;
            }
            let length = self.equal_before(place, context);
            if length > longest {
                (longest, found) = (length, Vec::new());
            }
            if length == longest && place < self.n {
                found.push(place);
            }
            match self.back[((place - 1) % self.ring.len() as u64) as usize] {
                0 => break,
                distance => place = place.saturating_sub(u64::from(distance)),
            }
        }
        found
    }

    fn equal_before(&self, place: u64, context: &[u32]) -> usize {
        let tokens = context.iter().rev().take(MAX_MATCH).enumerate();
        tokens
            .take_while(|(idx, token)| place.checked_sub(*idx as u64 + 1).and_then(|it| self.get(it)) == Some(**token))
            .count()
    }

    /// Grows the tree where the text is likeliest to go.
    fn grow(&self, context: &[u32], tree: &mut Tree, source: usize) {
        let mut open = BinaryHeap::new();
        open.push(Guess { probability: 1.0, node: 0, places: self.places(context) });
        while let Some(guess) = open.pop() {
            if tree.nodes()[guess.node].depth == MAX_MATCH {
                continue;
            }
            for next in self.followers(&guess) {
                let (token, probability, places) = next;
                let Some(node) = tree.add(guess.node, token, source) else { return };
                open.push(Guess { probability, node, places });
            }
        }
    }

    /// Tokens after a guess, the most frequent first, with their places.
    fn followers(&self, guess: &Guess) -> Vec<(u32, f64, Vec<u64>)> {
        let mut followers: Vec<(u32, f64, Vec<u64>)> = Vec::new();
        for &place in &guess.places {
            let Some(token) = self.get(place) else { continue };
            match followers.iter_mut().find(|it| it.0 == token) {
                Some(follower) => follower.2.push(place + 1),
                None => followers.push((token, 0.0, vec![place + 1])),
            }
        }
        for (_, probability, places) in &mut followers {
            // One of one place is less certain than ten of ten.
            *probability = guess.probability * places.len() as f64 / (guess.places.len() as f64 + 0.2);
        }
        followers.retain(|it| it.1 >= MIN_PROBABILITY);
        followers.sort_by(|a, b| b.1.total_cmp(&a.1));
        followers
    }
}

fn chain(ending: [u32; MIN_MATCH]) -> usize {
    let hash = ending
        .iter()
        .fold(0_u64, |hash, it| (hash ^ u64::from(*it)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CHAIN_BITS)) as usize
}

/// A node whose children are not in the tree yet.
struct Guess {
    probability: f64,
    node: usize,
    places: Vec<u64>,
}

impl PartialEq for Guess {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Guess {}

impl PartialOrd for Guess {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Guess {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.probability.total_cmp(&other.probability).then(other.node.cmp(&self.node))
    }
}

/// Guesses from the request itself, and then from past outputs that several requests share.
#[derive(Debug)]
pub struct Suffix {
    own: SuffixIndex,
    n_seen: usize,
    past: Arc<Mutex<SuffixIndex>>,
}

impl Suffix {
    /// A draft that remembers up to `capacity` tokens of its request.
    #[must_use]
    pub fn new(capacity: usize, past: Arc<Mutex<SuffixIndex>>) -> Self {
        Self { own: SuffixIndex::new(capacity), n_seen: 0, past }
    }
}

impl<B: Backend> Draft<B> for Suffix {
    fn name(&self) -> &'static str {
        "suffix"
    }

    fn propose(&mut self, context: &Context<'_, B>, tree: &mut Tree, source: usize) {
        for token in &context.tokens[self.n_seen..] {
            self.own.push(*token);
        }
        self.n_seen = context.tokens.len();
        self.own.grow(context.tokens, tree, source);
        self.past.lock().unwrap_or_else(PoisonError::into_inner).grow(context.tokens, tree, source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(past: &[u32], context: &[u32], limit: usize) -> Vec<Vec<u32>> {
        let mut index = SuffixIndex::new(1000);
        index.push_text(past);
        let mut tree = Tree::new(context.last().copied().unwrap_or(0), limit);
        index.grow(context, &mut tree, 0);
        (1..tree.nodes().len()).map(|it| tree.tokens(it)).collect()
    }

    #[test]
    fn it_says_what_followed() {
        for (past, context, limit, expected) in [
            (&[1, 2, 3, 4, 5][..], &[1, 2, 3][..], 8, vec![vec![4], vec![4, 5]]),
            (&[1, 2, 3, 4, 5], &[9, 2, 3], 8, vec![]),
            (&[1, 2, 3, 4, 5], &[1, 2, 3], 1, vec![vec![4]]),
            // The longer suffix decides.
            (&[7, 1, 2, 3, 4, 8, 1, 2, 3, 5], &[8, 1, 2, 3], 8, vec![vec![5]]),
            // The more frequent token comes first.
            (&[1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3, 4], &[1, 2, 3], 2, vec![vec![4], vec![5]]),
        ] {
            assert_eq!(guess(past, context, limit), expected, "{past:?} {context:?}");
        }
    }

    #[test]
    fn a_full_ring_forgets_the_oldest() {
        let mut index = SuffixIndex::new(128);
        for token in 0..1000 {
            index.push(token);
        }
        let grown = |context: &[u32]| {
            let mut tree = Tree::new(0, 4);
            index.grow(context, &mut tree, 0);
            tree.nodes().len() - 1
        };
        assert_eq!((grown(&[1, 2, 3]), grown(&[900, 901, 902])), (0, 4));
    }
}
