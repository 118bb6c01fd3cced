//! In which order the items of a prompt stand.
//!
//! Models answer the first and the last items of a batch better than those between (U shape: section 3.2 of arXiv
//! 2309.00384), and asking the same order again gives the same answers. Blind shuffles mend the second alone; the
//! balanced order sends each item through the thirds of a prompt in turn, so that three rounds are a Latin square.

use super::{Order, mix::mix, state::ItemState};

/// Thirds of a prompt.
const N_THIRDS: usize = 3;

/// Which third of a prompt a place is in: 0 early, 1 middle, 2 late.
#[must_use]
pub fn third(place: u32, size: u32) -> usize {
    let third = (u64::from(place) * 2 + 1) * N_THIRDS as u64 / (u64::from(size.max(1)) * 2);
    (third as usize).min(N_THIRDS - 1)
}

/// Brings the `members` of one prompt into their order. `salt` is different for each wave.
pub(super) fn arrange(order: Order, members: &mut [u32], states: &[ItemState], salt: u64) {
    match order {
        Order::AsGiven => members.sort_unstable(),
        Order::Shuffled => members.sort_by_cached_key(|item| mix(&[salt, u64::from(*item)])),
        Order::Balanced => members.sort_by_cached_key(|item| {
            let drawn = mix(&[salt, u64::from(*item)]);
            (wanted_third(&states[*item as usize], *item), drawn)
        }),
    }
}

/// The third that an item has seen least; among equals the next in its own order, which begins anywhere.
fn wanted_third(state: &ItemState, item: u32) -> usize {
    let mut seen = [0_u32; N_THIRDS];
    for vote in &state.votes {
        seen[third(vote.place, vote.size)] += 1;
    }
    let first = mix(&[u64::from(item)]) as usize % N_THIRDS;
    let next = |step: usize| (first + step + state.votes.len()) % N_THIRDS;
    (0..N_THIRDS).map(next).min_by_key(|third| seen[*third]).unwrap_or(first)
}
