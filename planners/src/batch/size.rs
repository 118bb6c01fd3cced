//! How many items a prompt holds.

use super::{CurvePoint, Policy, Size, costs::Costs, limits};

/// The first size where nothing was measured: published curves are flat up to here and fall behind (arXiv
/// 2309.00384, tables 3 to 5: 16 and 32 are within two points, 64 loses three to fifteen).
const FIRST: usize = 16;
/// What a larger batch may lose against the best size of a measured curve.
const TOLERANCE: f64 = 0.02;

/// The most items of a prompt in this wave.
pub(super) fn of_wave(policy: &Policy, costs: &Costs, wave: u32) -> usize {
    let most = limits::most_answers(policy, costs);
    match policy.size {
        Size::Fixed(size) => (size as usize).min(most),
        Size::UpTo(size) => best(policy, wave, (size as usize).min(most)),
        Size::Auto => best(policy, wave, most),
    }
}

fn best(policy: &Policy, _wave: u32, most: usize) -> usize {
    if policy.curve.is_empty() { most.min(FIRST) } else { on_curve(&policy.curve, most) }
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
