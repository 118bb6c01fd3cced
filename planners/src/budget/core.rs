//! The bounded exact search that closes what the greedy leaves open.
//!
//! At the relaxation's price of a token every view has a *loss*: how much less it is worth, net of its price, than
//! the best view of its item. A plan is worth the bound, minus the losses of its views, minus the price of the tokens
//! it leaves unused. A view whose loss alone exceeds the gap of the best known plan is in no better plan; items with
//! a single view left are decided, the others are the core (Kellerer et al., ch. 11.3; Pisinger 1995).

use super::Prepared;
use super::greedy::Relaxed;

/// Plans already this close to their bound, as a fraction of it, are left as they are.
const CLOSE_ENOUGH: f64 = 0.002;

/// At most this many items are searched, those with the cheapest alternatives.
const MAX_CORE_ITEMS: usize = 40;

/// At most this many partial plans are kept after each item, those with the least loss.
const MAX_STATES: usize = 600;

/// A core item's alternatives: `(level, loss)`.
struct Candidate {
    item: usize,
    options: Vec<(usize, f64)>,
}

/// A partial plan over the first core items.
#[derive(Clone, Copy)]
struct State {
    cost: u64,
    loss: f64,
    /// Index into the states after the item before.
    parent: u32,
    level: u8,
}

/// What the search compares against.
struct Limits {
    /// Tokens that the core items may cost together.
    capacity: u64,
    /// The relaxation's value of one token.
    price: f64,
    /// How far the known plan is below the bound; a plan that falls short by this much is no better.
    gap: f64,
}

/// Returns levels worth at least as much as `known`, which must fit.
pub(super) fn improve(items: &[Prepared<'_>], relaxed: &Relaxed, known: Vec<usize>) -> Vec<usize> {
    let gap = relaxed.bound - super::total_value(items, &known);
    if gap <= CLOSE_ENOUGH * relaxed.bound || relaxed.token_price <= 0.0 {
        return known;
    }
    let candidates = core_items(items, relaxed, gap);
    let chosen_cost: u64 = candidates.iter().map(|c| items[c.item].cost(relaxed.levels[c.item])).sum();
    let limits = Limits { capacity: relaxed.left + chosen_cost, price: relaxed.token_price, gap };
    let stages = search(items, &candidates, &limits);
    best_levels(&stages, &candidates, &limits, &relaxed.levels).unwrap_or(known)
}

fn core_items(items: &[Prepared<'_>], relaxed: &Relaxed, gap: f64) -> Vec<Candidate> {
    let candidate = |(item, prepared): (usize, &Prepared<'_>)| {
        let options = options(prepared, relaxed.levels[item], relaxed.token_price, gap);
        (options.len() > 1).then_some(Candidate { item, options })
    };
    let mut core: Vec<Candidate> = items.iter().enumerate().filter_map(candidate).collect();
    // Stable, so that among equals the first items stay.
    core.sort_by(|a, b| a.cheapest_change().total_cmp(&b.cheapest_change()));
    core.truncate(MAX_CORE_ITEMS);
    core
}

/// The level that the relaxation chose, first, and those others whose loss is below `gap`.
fn options(item: &Prepared<'_>, chosen: usize, price: f64, gap: f64) -> Vec<(usize, f64)> {
    if item.relevance <= 0.0 {
        return Vec::new();
    }
    let net = |level: usize| item.value(level) - price * item.cost(level) as f64;
    let best = net(chosen);
    let others = (0..item.hull.points().len()).filter(|&level| level != chosen);
    let losses = others.map(|level| (level, (best - net(level)).max(0.0))).filter(|&(_, loss)| loss < gap);
    std::iter::once((chosen, 0.0)).chain(losses).collect()
}

impl Candidate {
    fn cheapest_change(&self) -> f64 {
        self.options[1..].iter().map(|&(_, loss)| loss).fold(f64::INFINITY, f64::min)
    }
}

/// Every partial plan that may still beat the known one, after each candidate in turn.
fn search(items: &[Prepared<'_>], candidates: &[Candidate], limits: &Limits) -> Vec<Vec<State>> {
    let mut stages = vec![vec![State { cost: 0, loss: 0.0, parent: 0, level: 0 }]];
    let mut still_needed: u64 = candidates.iter().map(|c| items[c.item].cost(0)).sum();
    for candidate in candidates {
        let item = &items[candidate.item];
        still_needed -= item.cost(0);
        let room = limits.capacity.saturating_sub(still_needed);
        let before = stages.last().map_or(&[][..], Vec::as_slice);
        let mut after = Vec::with_capacity(before.len() * candidate.options.len());
        for &(level, loss) in &candidate.options {
            let extended = before.iter().zip(0u32..).map(|(state, parent)| State {
                cost: state.cost + item.cost(level),
                loss: state.loss + loss,
                parent,
                level: level as u8,
            });
            after.extend(extended.filter(|state| state.cost <= room && state.loss < limits.gap));
        }
        stages.push(prune(after, limits.price));
    }
    stages
}

/// Keeps what no other state beats in both cost and value, and of that what has lost least.
fn prune(mut states: Vec<State>, price: f64) -> Vec<State> {
    let value = |state: &State| price * state.cost as f64 - state.loss;
    states.sort_by(|a, b| a.cost.cmp(&b.cost).then(a.loss.total_cmp(&b.loss)));
    let mut best = f64::NEG_INFINITY;
    states.retain(|state| {
        let improves = value(state) > best;
        best = if improves { value(state) } else { best };
        improves
    });
    if states.len() > MAX_STATES {
        states.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        states.truncate(MAX_STATES);
    }
    states
}

/// The levels of the complete plan that falls short of the bound least, if it beats the known one.
fn best_levels(stages: &[Vec<State>], core: &[Candidate], limits: &Limits, relaxed: &[usize]) -> Option<Vec<usize>> {
    let short = |state: &State| state.loss + limits.price * (limits.capacity - state.cost) as f64;
    let ends = stages.last()?.iter().zip(0usize..);
    let (end, mut at) = ends.min_by(|(a, _), (b, _)| short(a).total_cmp(&short(b)))?;
    if short(end) >= limits.gap {
        return None;
    }
    let mut levels = relaxed.to_vec();
    for (candidate, states) in core.iter().zip(&stages[1..]).rev() {
        levels[candidate.item] = usize::from(states[at].level);
        at = states[at].parent as usize;
    }
    Some(levels)
}
