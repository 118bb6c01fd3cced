//! Which two neighbours merge, and which of several pairs first.

use rustc_hash::FxHashMap;

use super::names::Names;
use crate::bpe::NONE;

/// What two neighbours become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Joined {
    /// Lower ones come first, the leftmost of equals.
    pub(super) order: u64,
    pub(super) id: u32,
}

/// The rule of a vocabulary.
pub(crate) enum Joins {
    /// Any two that make a token together, by a rank for each id; [`NONE`] for what is no result. Results may share a
    /// rank, as SentencePiece's pieces a score.
    Results(Vec<u32>),
    /// The same; of several ways to make one token, the one with the longest left half first.
    LongestLeft(Vec<u32>),
    /// The listed pairs of ids, with the rank and the id of what they make.
    Pairs(FxHashMap<(u32, u32), (u32, u32)>),
}

impl Joins {
    /// What `left` and `right` become, which are `bytes[start..middle]` and `bytes[middle..end]`.
    #[inline]
    pub(super) fn join(
        &self,
        names: &Names,
        bytes: &[u8],
        (left, right): (u32, u32),
        (start, middle, end): (usize, usize, usize),
    ) -> Option<Joined> {
        if left == NONE || right == NONE {
            return None;
        }
        let (ranks, is_by_left) = match self {
            Self::Pairs(pairs) => {
                let (rank, id) = *pairs.get(&(left, right))?;
                return Some(Joined { order: rank.into(), id });
            }
            Self::Results(ranks) => (ranks, false),
            Self::LongestLeft(ranks) => (ranks, true),
        };
        let id = names.find(bytes, start, end);
        let rank = *ranks.get(id as usize).filter(|it| **it != NONE)?;
        let shortness = if is_by_left { u32::MAX - (middle - start) as u32 } else { 0 };
        Some(Joined { order: u64::from(rank) << 32 | u64::from(shortness), id })
    }
}
