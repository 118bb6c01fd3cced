//! How many items a prompt holds.

use super::{CurvePoint, Policy, Size, costs::Costs, limits, state::Head};

/// Where nothing was measured, prompts are not larger than this: published curves are flat up to here and fall behind
/// (arXiv 2309.00384, tables 3 to 5: 16 and 32 items are within two points, 64 lose three to fifteen).
const MOST_UNMEASURED: usize = 32;
/// Nor larger than where the instructions cost this part of the items: beyond it size saves little.
const OVERHEAD: f64 = 0.25;
/// But not smaller than this for that reason.
const LEAST: usize = 4;
/// Prompts whose answers are confirmed less often than this are made half as large.
const CONFIRMED: f64 = 0.85;
/// What a larger batch may lose against the best size of a measured curve.
const TOLERANCE: f64 = 0.02;

/// The most items of a prompt in this wave.
pub(super) fn of_wave(policy: &Policy, costs: &Costs, head: &Head) -> usize {
    let most = limits::most_answers(policy, costs);
    match policy.size {
        Size::Fixed(size) => (size as usize).min(most),
        Size::UpTo(size) => best(policy, costs, head, (size as usize).min(most)),
        Size::Auto => best(policy, costs, head, most),
    }
}

fn best(policy: &Policy, costs: &Costs, head: &Head, most: usize) -> usize {
    if !policy.curve.is_empty() {
        return on_curve(&policy.curve, most);
    }
    let worth = (costs.fixed as f64 / (OVERHEAD * costs.mean_item())).round() as usize;
    let first = worth.clamp(LEAST, MOST_UNMEASURED);
    // Repeated questions are votes, and votes from prompts of another size err less alike.
    let mut size = if head.wave == 0 { first } else { MOST_UNMEASURED }.min(most);
    while size > LEAST && head.reliability.confirmed(size).is_some_and(|share| share < CONFIRMED) {
        size /= 2;
    }
    size
}

/// The largest size up to `most` whose accuracy is about the curve's best.
fn on_curve(curve: &[CurvePoint], most: usize) -> usize {
    let mut points = curve.to_vec();
    points.sort_by_key(|point| point.size);
    let highest = points.iter().filter(|it| it.size as usize <= most).map(|it| it.accuracy).fold(0.0, f64::max);
    let last = points.last().map_or(most, |it| it.size as usize);
    let good = |size: &usize| accuracy(&points, *size) >= highest - TOLERANCE;
    (1..=most.min(last)).rev().find(good).unwrap_or(1)
}

/// Between measured sizes accuracy goes with the logarithm of the size.
fn accuracy(points: &[CurvePoint], size: usize) -> f64 {
    let log = |size: f64| size.max(1.0).log2();
    let above = points.iter().position(|it| it.size as usize >= size);
    match above {
        None => points.last().map_or(0.0, |it| it.accuracy),
        Some(0) => points[0].accuracy,
        Some(index) => {
            let (low, high) = (points[index - 1], points[index]);
            let (from, to) = (log(f64::from(low.size)), log(f64::from(high.size)));
            let share = (log(size as f64) - from) / (to - from).max(f64::EPSILON);
            low.accuracy + (high.accuracy - low.accuracy) * share
        }
    }
}
