//! The one budget solver: at most one view of each item, the most value that fits.
//!
//! This is the multiple-choice knapsack problem. Greedy steps along each item's upper convex hull solve its linear
//! relaxation exactly (Kellerer, Pferschy, Pisinger: *Knapsack Problems*, 2004, ch. 11.2); what whole numbers leave
//! over is closed by a bounded exact search over the few items that still matter (ch. 11.3). Nothing here knows what
//! a view shows.

mod core;
mod greedy;
mod hull;

pub use hull::Hull;

/// One way to show an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// What it costs, in tokens of the target model.
    pub cost: u32,
    /// How much of the item it conveys, from 0 to 1.
    pub fidelity: f64,
}

/// Something that can be shown in one of several views, or left out at no cost and no value.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// What showing all of it is worth; the value of a view is `relevance * fidelity`. Not a number counts as zero.
    pub relevance: f64,
    /// The views, in any order.
    pub views: &'a [View],
    /// Pinned: shown in this view or a later one of `views`, never left out.
    pub floor: Option<usize>,
}

/// An item whose views were prepared once, for callers that plan the same items again and again.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<'a> {
    /// As [`Item::relevance`].
    pub relevance: f64,
    /// The prepared views, pinned or not.
    pub hull: &'a Hull,
}

/// Which view of each item to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// For each item the index into its views, or `None` where it is left out.
    pub choice: Vec<Option<usize>>,
    /// Tokens that the chosen views cost together.
    pub cost: u64,
    /// Sum of `relevance * fidelity` over the chosen views.
    pub value: f64,
    /// No plan within the budget is worth more (the optimum of the linear relaxation).
    pub bound: f64,
}

impl Plan {
    /// How far below the optimum this plan may be at most, as a fraction of the bound.
    #[must_use]
    pub fn gap(&self) -> f64 {
        if self.bound > 0.0 { ((self.bound - self.value) / self.bound).max(0.0) } else { 0.0 }
    }
}

/// The pinned views alone exceed the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a budget of {budget} is too small; at least {needed} tokens are needed")]
pub struct OverBudget {
    /// Tokens that the pinned items take in their cheapest allowed views.
    pub needed: u64,
    /// The budget that was given, in tokens.
    pub budget: u64,
}

/// Plans `items` within `budget` tokens. Equal gains per token go to the item that comes first.
///
/// # Errors
/// [`OverBudget`] when the pinned items alone do not fit.
pub fn plan(items: &[Item<'_>], budget: u64) -> Result<Plan, OverBudget> {
    let hulls: Vec<Hull> = items.iter().map(|item| Hull::new(item.views, item.floor)).collect();
    let prepared: Vec<Prepared<'_>> =
        items.iter().zip(&hulls).map(|(item, hull)| Prepared { relevance: item.relevance, hull }).collect();
    plan_prepared(&prepared, budget)
}

/// Plans items whose hulls exist already, in time linear in their number.
///
/// # Errors
/// [`OverBudget`] when the pinned items alone do not fit.
pub fn plan_prepared(items: &[Prepared<'_>], budget: u64) -> Result<Plan, OverBudget> {
    let items: Vec<Prepared<'_>> = items.iter().map(|item| item.checked()).collect();
    let needed: u64 = items.iter().map(|item| u64::from(item.hull.base().cost)).sum();
    let capacity = budget.checked_sub(needed).ok_or(OverBudget { needed, budget })?;
    let relaxed = greedy::relax(&items, capacity);
    let filled = greedy::fill(&items, &relaxed);
    let levels = core::improve(&items, &relaxed, filled);
    Ok(finish(&items, &levels, relaxed.bound))
}

impl Prepared<'_> {
    /// With a relevance that is a number and not negative.
    fn checked(&self) -> Self {
        Self { relevance: self.relevance.max(0.0), hull: self.hull }
    }

    fn value(&self, level: usize) -> f64 {
        self.relevance * self.hull.points()[level].fidelity
    }

    fn cost(&self, level: usize) -> u64 {
        u64::from(self.hull.points()[level].cost)
    }
}

/// `levels` index each hull's points; the plan speaks of the caller's views.
fn finish(items: &[Prepared<'_>], levels: &[usize], bound: f64) -> Plan {
    let chosen = || items.iter().zip(levels);
    let value = total_value(items, levels);
    Plan {
        choice: chosen().map(|(item, &level)| item.hull.points()[level].view()).collect(),
        cost: chosen().map(|(item, &level)| item.cost(level)).sum(),
        value,
        // Rounding must not make a full plan look better than its own bound.
        bound: bound.max(value),
    }
}

fn total_value(items: &[Prepared<'_>], levels: &[usize]) -> f64 {
    items.iter().zip(levels).map(|(item, &level)| item.value(level)).sum()
}
