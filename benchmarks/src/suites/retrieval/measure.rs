//! Measures of one ranking: recall, nDCG, and how far a budget reaches.

use tollgate_planners::tools::Match;

/// A ranking and what it should find.
pub(super) struct Ranked<'a> {
    pub(super) found: &'a [Match],
    /// Of each group any one tool will do.
    pub(super) groups: &'a [Vec<usize>],
}

/// The share of groups with a tool among the first `k`.
pub(super) fn recall(found: &[Match], groups: &[Vec<usize>], k: usize) -> f64 {
    let first = &found[..k.min(found.len())];
    let is_found = |group: &&Vec<usize>| first.iter().any(|it| group.contains(&it.idx));
    groups.iter().filter(is_found).count() as f64 / groups.len().max(1) as f64
}

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002) with one gain for the first tool of each group.
pub(super) fn ndcg(found: &[Match], groups: &[Vec<usize>], k: usize) -> f64 {
    let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let mut is_open = vec![true; groups.len()];
    let mut gain = 0.0;
    for (place, it) in found.iter().take(k).enumerate() {
        let group = groups.iter().position(|group| group.contains(&it.idx)).filter(|&at| is_open[at]);
        if let Some(at) = group {
            is_open[at] = false;
            gain += discount(place);
        }
    }
    let ideal: f64 = (0..groups.len().min(k)).map(discount).sum();
    if ideal > 0.0 { gain / ideal } else { 0.0 }
}

/// How many of the best fit in `budget`, up to the first that does not.
pub(super) fn n_within(found: &[Match], costs: &[u32], budget: u64) -> usize {
    let mut used = 0;
    let fits = |it: &&Match| {
        used += u64::from(costs[it.idx]);
        used <= budget
    };
    found.iter().take_while(fits).count()
}

/// The mean of a measure.
pub(super) fn mean(all: &[Ranked<'_>], measure: impl Fn(&Ranked<'_>) -> f64) -> f64 {
    all.iter().map(measure).sum::<f64>() / all.len().max(1) as f64
}
