//! Whether an input is answered rightly.
//!
//! Input `i` at place `p` of an order of `n` inputs is answered rightly where the margin
//! `mean_n + spread_n * z(i) + A * ((2x - 1)^2 - 1/3) + e(i, order)` is above zero, with `x = (p + 1/2) / n`, and `z`,
//! `e` standard normal. `z` is the input's own, in every prompt; `e` is that of the order, so that the same prompt gets
//! the same answer. Between fitted sizes mean and spread go with the logarithm of the size; beyond them they stay.

use tollgate_planners::batch::mix;

use super::params::{Fit, Point};

/// How deep the U of places is. The paper's curves do not fix it.
pub const PLACE_EFFECT: f64 = 0.5;
/// A margin beyond which the model says that it is sure: fitted to the token shares of the paper's early stopping.
pub const CONFIDENT_MARGIN: f64 = 0.05;

/// Where an input stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its number in the prompt.
    pub place: usize,
    /// Inputs in the prompt.
    pub size: usize,
    /// A number that is different for each order of inputs.
    pub order: u64,
}

/// Above zero where the input is answered rightly; far from zero where the model is sure.
#[must_use]
pub fn margin(fit: &Fit, seed: u64, input: u64, at: Place) -> f64 {
    let point = point(fit, at.size as f64);
    let x = (at.place as f64 + 0.5) / at.size as f64;
    let u = (2.0 * x - 1.0).powi(2) - 1.0 / 3.0;
    point.mean + point.spread * normal(&[seed, input]) + PLACE_EFFECT * u + normal(&[seed, input, at.order])
}

/// Mean and spread at a number of inputs.
fn point(fit: &Fit, size: f64) -> Point {
    let points = fit.points;
    let above = points.iter().position(|it| f64::from(it.size) >= size).unwrap_or(points.len() - 1);
    let (low, high) = (points[above.saturating_sub(1)], points[above]);
    let (from, to) = (f64::from(low.size).log2(), f64::from(high.size).log2());
    let share = if to > from { ((size.log2() - from) / (to - from)).min(1.0) } else { 1.0 };
    let between = |low: f64, high: f64| low + (high - low) * share;
    Point { size: size as u32, mean: between(low.mean, high.mean), spread: between(low.spread, high.spread) }
}

/// A standard normal number that follows from `parts` (Box and Muller, 1958).
#[must_use]
pub fn normal(parts: &[u64]) -> f64 {
    let drawn = mix(parts);
    let radius = (-2.0 * (1.0 - uniform(drawn)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(mix(&[drawn, 1]))).cos()
}

/// From 0 up to 1, from the highest 53 bits.
#[must_use]
pub fn uniform(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number for a text (FNV-1a, 64 bits, scrambled).
#[must_use]
pub fn text_hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(&[text.bytes().fold(0xcbf2_9ce4_8422_2325, fold)])
}
