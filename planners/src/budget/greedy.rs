//! The linear relaxation by greedy steps, and the filling of what it leaves over.

use std::cmp::Ordering;

use super::Prepared;

/// One step of one item from a corner of its hull to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Value gained per token.
    slope: f64,
    cost: u32,
    item: u32,
    from: u8,
    to: u8,
}

/// The relaxation, stopped before the first step that does not fit whole.
pub(super) struct Relaxed {
    /// Per item an index into its hull's points.
    pub(super) levels: Vec<usize>,
    /// Tokens left over.
    pub(super) left: u64,
    /// Gain per token of the step that did not fit: the price of a token. Zero if every step fitted.
    pub(super) token_price: f64,
    /// Value of the relaxation's optimum, with the last step taken in part.
    pub(super) bound: f64,
    /// The steps that were not taken, in no order.
    rest: Vec<Step>,
}

/// Below this many steps sorting beats selecting.
const SORT_AT_MOST: usize = 64;

/// The fill looks at this many of the best steps that still fit.
const FILL_AT_MOST: usize = 4096;

/// Solves the relaxation: all steps in order of gain per token while they fit into `capacity`.
pub(super) fn relax(items: &[Prepared<'_>], capacity: u64) -> Relaxed {
    let mut steps = all_steps(items, capacity);
    let (taken, left) = split_at_capacity(&mut steps, capacity);
    let mut levels = vec![0; items.len()];
    for step in &steps[..taken] {
        let level = &mut levels[step.item as usize];
        *level = usize::from(step.to).max(*level);
    }
    let token_price = steps.get(taken).map_or(0.0, |step| step.slope);
    let bound = super::total_value(items, &levels) + token_price * left as f64;
    Relaxed { levels, left, token_price, bound, rest: steps.split_off(taken) }
}

/// Goes on past the first step that did not fit, with those that do. Returns the new levels.
pub(super) fn fill(items: &[Prepared<'_>], relaxed: &Relaxed) -> Vec<usize> {
    let (mut levels, mut left) = (relaxed.levels.clone(), relaxed.left);
    let fits = |step: &&Step| u64::from(step.cost) <= relaxed.left;
    let mut steps: Vec<Step> = relaxed.rest.iter().filter(fits).copied().collect();
    if steps.len() > FILL_AT_MOST {
        steps.select_nth_unstable_by(FILL_AT_MOST, best_first);
        steps.truncate(FILL_AT_MOST);
    }
    steps.sort_unstable_by(best_first);
    for step in steps {
        let level = &mut levels[step.item as usize];
        if *level == usize::from(step.from) && u64::from(step.cost) <= left {
            left -= u64::from(step.cost);
            *level = usize::from(step.to);
        }
    }
    debug_assert_eq!(levels.len(), items.len());
    levels
}

fn all_steps(items: &[Prepared<'_>], capacity: u64) -> Vec<Step> {
    let mut steps = Vec::with_capacity(items.len() * 4);
    for (item, idx) in items.iter().zip(0u32..) {
        if item.relevance <= 0.0 {
            continue;
        }
        let points = item.hull.points();
        item.hull.for_each_step(capacity, |from, to| {
            let cost = points[to].cost - points[from].cost;
            let slope = item.relevance * ((points[to].fidelity - points[from].fidelity) / f64::from(cost));
            // A hull has at most 255 points.
            steps.push(Step { slope, cost, item: idx, from: from as u8, to: to as u8 });
        });
    }
    steps
}

/// Moves the best steps to the front and returns how many of them, in order, fit into `capacity` and what is left
/// of it. Selecting halves of what is undecided keeps this linear where a sort would dominate the whole plan.
fn split_at_capacity(steps: &mut [Step], capacity: u64) -> (usize, u64) {
    let (mut low, mut high, mut left) = (0, steps.len(), capacity);
    while high - low > SORT_AT_MOST {
        let middle = low.midpoint(high);
        steps[low..high].select_nth_unstable_by(middle - low, best_first);
        let cost: u64 = steps[low..middle].iter().map(|step| u64::from(step.cost)).sum();
        if cost <= left {
            (low, left) = (middle, left - cost);
        } else {
            high = middle;
        }
    }
    steps[low..high].sort_unstable_by(best_first);
    while low < high && u64::from(steps[low].cost) <= left {
        left -= u64::from(steps[low].cost);
        low += 1;
    }
    (low, left)
}

/// A total order: gain per token, then the item that comes first, then the step that must come first.
fn best_first(a: &Step, b: &Step) -> Ordering {
    b.slope.total_cmp(&a.slope).then(a.item.cmp(&b.item)).then(a.from.cmp(&b.from))
}
