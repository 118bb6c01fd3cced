//! The loop: take the most frequent pair, make it a token everywhere, and count what that changed.

use rustc_hash::FxHashSet;

use super::{
    Progress, TrainOptions,
    field::{Beside, EDGE, Field},
    pairs::Pairs,
};
use crate::binary::merges::Merges;

/// Merges between two reports.
const REPORT_EVERY: usize = 64;
/// Pairs rarer than one in so many places are left unwatched at first. At 64K the last merges are about as rare as
/// that; watching all pairs would only cost memory.
const FIRST_FLOOR: usize = 1 << 20;
/// By how much the floor falls when nothing above it is left.
const FLOOR_FALLS: u32 = 4;

struct Learner<'a> {
    field: Field,
    pairs: Pairs,
    merges: Merges,
    spelled: FxHashSet<Box<[u8]>>,
    options: &'a TrainOptions,
    floor: u32,
    beside: Beside,
}

pub(super) fn learn(field: Field, options: &TrainOptions, mut watch: impl FnMut(Progress)) -> Merges {
    let least = options.least_count.max(1);
    let floor = least.max(u32::try_from(field.len() / FIRST_FLOOR).unwrap_or(u32::MAX));
    let mut it = Learner {
        field,
        pairs: Pairs::default(),
        merges: Merges::default(),
        spelled: (0..=255).map(|it| [it].into()).collect(),
        options,
        floor,
        beside: Beside::default(),
    };
    it.find_pairs();
    while it.merges.len() < options.n_merges.min(crate::binary::MOST_MERGES) {
        let Some((left, right, pair)) = it.pairs.pop(it.floor) else {
            if it.floor == least {
                break;
            }
            it.floor = least.max(it.floor / FLOOR_FALLS);
            it.find_pairs();
            continue;
        };
        if !it.admits(left, right) {
            it.pairs.refuse(left, right);
            continue;
        }
        it.merge(left, right, pair.places);
        if it.merges.len().is_multiple_of(REPORT_EVERY) {
            watch(Progress { n_merges: it.merges.len(), count: pair.count });
        }
    }
    it.merges
}

impl Learner<'_> {
    fn find_pairs(&mut self) {
        let longest = usize::from(self.options.longest_token);
        self.pairs.find(&self.field, self.floor, longest, self.options.n_threads);
    }

    /// False if what the pair spells is a token already, or must not be one. What is admitted counts as spelled.
    fn admits(&mut self, left: u16, right: u16) -> bool {
        let token = [self.merges.spelling(left), self.merges.spelling(right)].concat();
        let is_refused = self.options.no_trailing_space
            && token.last().is_some_and(|it| is_space(*it))
            && !token.iter().all(|it| is_space(*it));
        !is_refused && self.spelled.insert(token.into())
    }

    fn merge(&mut self, left: u16, right: u16, mut places: Vec<u32>) {
        let token = self.field.add_token(left, right);
        self.merges.push(left, right);
        self.field.merge(&mut places, (left, right), token);
        self.field.count_beside(&places, token, &mut self.beside);

        let longest = usize::from(self.options.longest_token);
        let room = longest.saturating_sub(self.field.token_len(token));
        let n_doubles = std::mem::take(&mut self.beside.n_doubles);
        self.pairs.lose(right, left, n_doubles);
        let mut wanted = Wanted::default();
        for (id, count) in self.beside.left.drain() {
            self.pairs.lose(id, left, count);
            if count >= self.floor && self.field.token_len(id) <= room {
                wanted.left.add(id, count);
            }
        }
        for (id, count) in self.beside.right.drain() {
            self.pairs.lose(right, id, count);
            if count >= self.floor && self.field.token_len(id) <= room {
                wanted.right.add(id, count);
            }
        }
        let doubles = n_doubles >= self.floor && self.field.token_len(token) <= room;
        self.list(token, &places, wanted, doubles);
    }

    /// Lists the places of the new token's pairs.
    fn list(&mut self, token: u16, places: &[u32], mut wanted: Wanted, wants_doubles: bool) {
        let mut doubles = Vec::new();
        if wanted.left.ids.is_empty() && wanted.right.ids.is_empty() && !wants_doubles {
            return;
        }
        let len = self.field.token_len(token);
        for place in places {
            let at = *place as usize;
            let (left, left_at) = self.field.left_of(at);
            if left != token && left != EDGE {
                wanted.left.push(left, left_at as u32);
            }
            let right = self.field.at(at + len);
            if right == token {
                doubles.push(*place);
            } else if right != EDGE {
                wanted.right.push(right, *place);
            }
        }
        for (id, places) in wanted.left.ids.into_iter().zip(wanted.left.places) {
            self.pairs.watch(id, token, places);
        }
        for (id, places) in wanted.right.ids.into_iter().zip(wanted.right.places) {
            self.pairs.watch(token, id, places);
        }
        if wants_doubles {
            self.pairs.watch(token, token, doubles);
        }
    }
}

/// Ids whose pair with a new token will be watched.
#[derive(Default)]
struct Wanted {
    left: Side,
    right: Side,
}

#[derive(Default)]
struct Side {
    slots: Vec<u32>,
    ids: Vec<u16>,
    places: Vec<Vec<u32>>,
}

impl Side {
    fn add(&mut self, id: u16, count: u32) {
        if self.slots.is_empty() {
            self.slots = vec![0; 1 << 16];
        }
        self.ids.push(id);
        self.places.push(Vec::with_capacity(count as usize));
        self.slots[usize::from(id)] = self.ids.len() as u32;
    }

    #[inline(always)]
    fn push(&mut self, id: u16, place: u32) {
        let slot = self.slots.get(usize::from(id)).map_or(0, |it| *it as usize);
        if slot > 0 {
            self.places[slot - 1].push(place);
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}
