//! How far off a corrected count may be, told from how far off earlier ones were.

use super::fit::{Fit, Pair, usual};

/// The share of counts that should be within their bound.
const COVERED: f64 = 0.9;

/// Reports that the wider level's bound is worth beside those of a narrower one.
const PRIOR_REPORTS: f64 = 4.0;

/// The bound of a level in usual errors: the quantile of its own residuals (split conformal, Vovk 2005), drawn towards
/// `wider` where the level has few.
pub(super) fn of(pairs: &[Pair], fit: Fit, wider: f64) -> f64 {
    let n = pairs.len();
    let mut errors: Vec<f64> = pairs.iter().map(|pair| residual(pair, fit)).collect();
    errors.sort_by(f64::total_cmp);
    let rank = (COVERED * (n as f64 + 1.0)).ceil() as usize;
    let own = match errors.get(rank.saturating_sub(1)) {
        Some(error) => *error,
        // So few reports do not reach the quantile; what they leave open shrinks with each.
        None => errors.last().map_or(wider, |worst| worst * (1.0 + 2.0 / n as f64)),
    };
    let n = n as f64;
    (n * own + PRIOR_REPORTS * wider) / (n + PRIOR_REPORTS)
}

fn residual(pair: &Pair, fit: Fit) -> f64 {
    (fit.apply(pair.estimated) - pair.charged).abs() / usual(pair.estimated)
}
