//! Which items share a prompt: never items of different realms, never more than fit.

use super::{Policy, Size, costs::Costs, limits, mix::mix, state::ItemState};

/// What decides about companions.
pub(super) struct Packing<'a> {
    pub policy: &'a Policy,
    pub costs: &'a Costs,
    pub states: &'a [ItemState],
    pub realms: &'a [u32],
    /// The most items of a prompt.
    pub size: usize,
    /// What demonstrations add to a prompt of each realm.
    pub extra: &'a dyn Fn(u32) -> u64,
    /// Different for each wave.
    pub salt: u64,
}

impl Packing<'_> {
    /// Parts `items` into prompts.
    pub fn pack(&self, mut items: Vec<u32>) -> Vec<Vec<u32>> {
        items.sort_by_cached_key(|item| self.place(*item));
        let together = |one: &u32, other: &u32| self.pool(*one) == self.pool(*other);
        items.chunk_by(together).flat_map(|pool| self.part(pool)).collect()
    }

    /// Items of one pool may be together: same realm, same limit after failures, and the same first prompt where
    /// batches are not refilled.
    fn pool(&self, item: u32) -> (u32, u32, u32) {
        let state = &self.states[item as usize];
        let group = if self.policy.refill { 0 } else { state.group };
        (self.realms[item as usize], state.at_most, group)
    }

    fn place(&self, item: u32) -> ((u32, u32, u32), u64) {
        let drawn = match self.policy.order {
            super::Order::AsGiven => u64::from(item),
            _ => mix(&[self.salt, u64::from(item)]),
        };
        (self.pool(item), drawn)
    }

    fn part(&self, pool: &[u32]) -> Vec<Vec<u32>> {
        let at_most = self.states[pool[0] as usize].at_most as usize;
        let size = if at_most > 0 { at_most.min(self.size) } else { self.size };
        let size = match self.policy.size {
            Size::Fixed(_) => size,
            // The same number of prompts, of even size.
            _ => pool.len().div_ceil(pool.len().div_ceil(size)),
        };
        let base = self.costs.fixed + (self.extra)(self.realms[pool[0] as usize]);
        let mut prompts: Vec<Vec<u32>> = Vec::new();
        let mut tokens = base;
        for item in pool {
            let line = self.costs.line(*item);
            match prompts.last_mut() {
                Some(last) if last.len() < size && self.fits(tokens + line, last.len() + 1) => last.push(*item),
                _ => {
                    tokens = base;
                    prompts.push(vec![*item]);
                }
            }
            tokens += line;
        }
        prompts
    }

    fn fits(&self, input_tokens: u64, n_items: usize) -> bool {
        limits::fits_window(self.policy, self.costs, input_tokens, n_items)
    }
}
