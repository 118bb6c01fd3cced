//! One wave of prompts: which items, how many together, in which order, and not a token more than may be spent.

use super::{
    Policy, Stop,
    costs::Costs,
    early_stop::surety,
    limits,
    mix::mix,
    permute::arrange,
    refill::Packing,
    size,
    state::{Head, ItemState, Planned, Standing},
};

/// Of what is left of a budget, the part that one wave of repeated questions may spend. What it finds in doubt is
/// asked from the rest.
const WAVE_SHARE: f64 = 0.75;
/// The same for the first of them, which shows how much the answers of such prompts are worth.
const FIRST_SHARE: f64 = 0.25;

/// What a wave is planned from.
pub(super) struct Wave<'a> {
    pub policy: &'a Policy,
    pub costs: &'a Costs,
    pub head: &'a Head,
    pub states: &'a [ItemState],
    pub realms: &'a [u32],
    /// How many labels the task names.
    pub labels: usize,
    /// What demonstrations add to a prompt of each realm.
    pub extra: &'a dyn Fn(u32) -> u64,
    /// The tokens of the question with these items, counted as it will be sent.
    pub question: &'a dyn Fn(&[u32]) -> u64,
}

impl Wave<'_> {
    /// The prompts of this wave. None means that nothing is open, or that the budget does not reach for one more.
    pub fn plan(&self) -> Vec<Planned> {
        let size = size::of_wave(self.policy, self.costs, self.head);
        let salt = mix(&[self.policy.seed, u64::from(self.head.wave)]);
        let packing = Packing {
            policy: self.policy,
            costs: self.costs,
            states: self.states,
            realms: self.realms,
            size,
            extra: self.extra,
            salt,
        };
        let mut prompts = packing.pack(self.choose(size));
        // Should the budget not reach for all, those with items that have no answer go first.
        prompts.sort_by_key(|prompt| prompt.iter().all(|item| !self.states[*item as usize].votes.is_empty()));
        // After a wave without any usable answer one prompt tries whether there are any now.
        if self.head.barren > 0 {
            prompts.truncate(1);
        }
        for prompt in &mut prompts {
            arrange(self.policy.order, prompt, self.states, salt);
        }
        self.within_budget(prompts)
    }

    fn open(&self) -> impl Iterator<Item = u32> {
        let indexed = self.states.iter().enumerate();
        indexed.filter(|(_, state)| state.standing == Standing::Open).map(|(index, _)| index as u32)
    }

    /// Items without an answer, and then the least settled ones, as far as this wave's part of the budget reaches.
    fn choose(&self, size: usize) -> Vec<u32> {
        let left = limits::tokens_left(self.policy, self.costs, self.head);
        let (Some(left), Stop::Posterior { .. }) = (left, self.policy.stop) else {
            return self.open().collect();
        };
        let (new, mut doubtful): (Vec<u32>, Vec<u32>) =
            self.open().partition(|item| self.states[*item as usize].votes.is_empty());
        let expected = |item: u32| self.costs.line(item) + self.costs.answer_most + self.costs.fixed / size as u64;
        doubtful.sort_by_cached_key(|item| self.doubt(*item));
        let mut room = left.saturating_sub(new.iter().map(|item| expected(*item)).sum());
        let full: u64 = doubtful.iter().take(size).map(|item| expected(*item)).sum();
        let part = if self.head.wave <= 1 { FIRST_SHARE } else { WAVE_SHARE };
        room = ((room as f64 * part) as u64).max(full.min(room));
        let affordable = doubtful.into_iter().take_while(|item| {
            let fits = expected(*item) <= room;
            room = room.saturating_sub(expected(*item));
            fits
        });
        new.into_iter().chain(affordable).collect()
    }

    /// The least settled first; among equals as drawn.
    fn doubt(&self, item: u32) -> (u64, u64) {
        let surety = surety(&self.states[item as usize].votes, self.labels, &self.head.reliability);
        let drawn = mix(&[self.policy.seed, u64::from(self.head.wave), u64::from(item)]);
        ((surety * 1e9) as u64, drawn)
    }

    fn within_budget(&self, prompts: Vec<Vec<u32>>) -> Vec<Planned> {
        let mut left = limits::tokens_left(self.policy, self.costs, self.head).unwrap_or(u64::MAX);
        let mut planned = Vec::new();
        for mut items in prompts {
            let id = self.head.next_id + planned.len() as u64;
            let mut prompt = self.price(id, &items);
            while !items.is_empty() && !self.fits(&prompt, left) {
                items.pop();
                prompt = self.price(id, &items);
            }
            if items.is_empty() {
                break;
            }
            left = left.saturating_sub(self.reserve(&prompt));
            planned.push(prompt);
        }
        planned
    }

    /// Parts were packed by their own counts; the whole may be a few tokens more where they meet.
    fn price(&self, id: u64, items: &[u32]) -> Planned {
        let extra = items.first().map_or(0, |item| (self.extra)(self.realms[*item as usize]));
        Planned {
            id,
            wave: self.head.wave,
            items: items.to_vec(),
            input_tokens: self.costs.constant + extra + (self.question)(items),
            max_output_tokens: limits::max_output(self.policy, self.costs, items.len()),
        }
    }

    fn fits(&self, prompt: &Planned, left: u64) -> bool {
        let window = limits::fits_window(self.policy, self.costs, prompt.input_tokens, prompt.items.len());
        window && self.reserve(prompt) <= left
    }

    fn reserve(&self, prompt: &Planned) -> u64 {
        limits::reserve(self.head, prompt.input_tokens, prompt.max_output_tokens)
    }
}
