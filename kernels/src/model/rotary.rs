//! The angles of rotary positions, with the stretches that checkpoints use.
//!
//! Products of position and frequency are rounded to f32, as in the code that the checkpoints were trained with; at
//! position 8,192 that is a difference of up to 0.0005.

use std::f32::consts::TAU;

use super::config::{Config, Scaling};

/// The frequencies of a head's pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    frequencies: Vec<f32>,
    /// Factor of cosines and sines.
    attention: f32,
}

impl Rotary {
    /// The frequencies of a model.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::of_head(config, config.head_dim)
    }

    /// The frequencies for heads of another size.
    #[must_use]
    pub fn of_head(config: &Config, head_dim: usize) -> Self {
        let theta = config.rope_theta;
        let power = |idx: usize| f64::from(theta).powf((2 * idx) as f64 / head_dim as f64) as f32;
        let plain: Vec<f32> = (0..head_dim / 2).map(|idx| 1.0 / power(idx)).collect();
        let frequencies = match config.scaling {
            Scaling::None => plain,
            Scaling::Linear { factor } => plain.into_iter().map(|it| it / factor).collect(),
            Scaling::Llama3 { factor, low_freq, high_freq, original } => plain
                .into_iter()
                .map(|it| llama3(it, factor, [original / low_freq, original / high_freq], original))
                .collect(),
            Scaling::Yarn { factor, beta_fast, beta_slow, original, .. } => {
                let (low, high) = yarn_range([beta_fast, beta_slow], head_dim, theta, original);
                let part = |idx: usize| ((idx as f32 - low) / (high - low)).clamp(0.0, 1.0);
                plain
                    .into_iter()
                    .enumerate()
                    .map(|(idx, it)| it / factor * part(idx) + it * (1.0 - part(idx)))
                    .collect()
            }
        };
        let attention = if let Scaling::Yarn { attention, .. } = config.scaling { attention } else { 1.0 };
        Self { frequencies, attention }
    }

    /// For each position the cosines of its angles, then their sines.
    #[must_use]
    pub fn turns(&self, positions: &[u32]) -> Vec<f32> {
        let mut turns = Vec::with_capacity(positions.len() * self.frequencies.len() * 2);
        for &position in positions {
            let angles = || self.frequencies.iter().map(|it| f64::from(position as f32 * it));
            turns.extend(angles().map(|it| it.cos() as f32 * self.attention));
            turns.extend(angles().map(|it| it.sin() as f32 * self.attention));
        }
        turns
    }
}

/// Long wavelengths are stretched, short ones are not, and those between are mixed.
fn llama3(frequency: f32, factor: f32, [long, short]: [f32; 2], original: f32) -> f32 {
    let wavelength = TAU / frequency;
    if wavelength < short {
        return frequency;
    }
    if wavelength > long || long <= short {
        return frequency / factor;
    }
    let (low, high) = (original / long, original / short);
    let smooth = (original / wavelength - low) / (high - low);
    (1.0 - smooth) * frequency / factor + smooth * frequency
}

/// The pairs between which the stretch sets in (YaRN, section 3.2).
fn yarn_range(betas: [f32; 2], head_dim: usize, theta: f32, original: f32) -> (f32, f32) {
    let pair = |turns: f32| head_dim as f32 * (original / (turns * TAU)).ln() / (2.0 * theta.ln());
    let low = pair(betas[0]).floor().max(0.0);
    let high = pair(betas[1]).ceil().min(head_dim as f32 - 1.0);
    if low == high { (low, high + 0.001) } else { (low, high) }
}
