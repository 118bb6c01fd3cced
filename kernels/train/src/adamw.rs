//! AdamW (arXiv 1711.05101) with state that can be stored, and its schedule: a rise, a plateau, a fall to a part.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, backprop::GradStore};
use rayon::prelude::*;

use crate::{
    error::{Error, Result},
    model::Parameters,
    ops::with_numbers,
};

/// Settings of the optimiser, all on the command line.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Settings {
    /// Largest learning rate
    #[arg(long, default_value_t = 3e-3)]
    pub rate: f64,
    /// Steps in which the rate rises from 0
    #[arg(long, default_value_t = 100)]
    pub warmup: usize,
    /// Part of the steps, at the end, in which the rate falls
    #[arg(long, default_value_t = 0.5)]
    pub decay_part: f64,
    /// Rate of the last step, as a part of the largest
    #[arg(long, default_value_t = 0.02)]
    pub last_rate: f64,
    /// Decay of the mean of gradients
    #[arg(long, default_value_t = 0.9)]
    pub beta1: f64,
    /// Decay of the mean of squared gradients
    #[arg(long, default_value_t = 0.95)]
    pub beta2: f64,
    /// Decay of weights with two dimensions
    #[arg(long, default_value_t = 0.1)]
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm
    #[arg(long, default_value_t = 1.0)]
    pub clip: f64,
}

impl Settings {
    /// The learning rate of a step, counted from 0.
    #[must_use]
    pub fn rate_at(&self, step: usize, n_steps: usize) -> f64 {
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let start = n_steps as f64 * (1.0 - self.decay_part);
        let fallen = ((step as f64 - start) / (n_steps as f64 - start).max(1.0)).clamp(0.0, 1.0);
        self.rate * rise.min(1.0 - fallen * (1.0 - self.last_rate))
    }
}

/// Means of one parameter's gradients and of their squares.
pub(crate) type Moments = (Vec<f32>, Vec<f32>);

/// The optimiser.
#[derive(Debug)]
pub struct AdamW {
    settings: Settings,
    /// By the parameter's name.
    pub(crate) moments: BTreeMap<String, Moments>,
}

impl AdamW {
    /// An optimiser that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings, parameters: &Parameters) -> Self {
        let zeros = |n: usize| (vec![0.0; n], vec![0.0; n]);
        let moments = parameters.0.iter().map(|(name, it)| (name.clone(), zeros(it.elem_count()))).collect();
        Self { settings, moments }
    }

    /// One step with learning rate `rate`; the norm of the gradients before clipping.
    ///
    /// # Errors
    /// [`Error::Bad`] if a parameter has no gradient or one that is not finite.
    pub fn step(&mut self, parameters: &Parameters, grads: &GradStore, step: usize, rate: f64) -> Result<f64> {
        let mut squares = 0.0;
        for (name, var) in &parameters.0 {
            let grad = grads.get(var).ok_or_else(|| Error::bad(format!("`{name}` has no gradient; it is not used")))?;
            squares += with_numbers(grad, |grad| Ok(grad.iter().map(|it| f64::from(it * it)).sum::<f64>()))?;
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Err(Error::bad(format!("the gradients' norm is {norm} at step {step}; lower --rate")));
        }
        let scale = (self.settings.clip / norm.max(1e-12)).min(1.0) as f32;
        for (name, var) in &parameters.0 {
            let (Some(grad), Some(moments)) = (grads.get(var), self.moments.get_mut(name)) else { continue };
            let mut values = with_numbers(var, |it| Ok(it.to_vec()))?;
            let decay = if var.dims().len() > 1 { rate * self.settings.weight_decay } else { 0.0 };
            let update = Update::new(&self.settings, step, rate, decay);
            with_numbers(grad, |grad| {
                update.apply(&mut values, grad, scale, moments);
                Ok(())
            })?;
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu)?)?;
        }
        Ok(norm)
    }
}

/// The constants of one step.
struct Update {
    beta1: f32,
    beta2: f32,
    rate: f32,
    root_correction: f32,
    keep: f32,
}

impl Update {
    fn new(settings: &Settings, step: usize, rate: f64, decay: f64) -> Self {
        let power = step as i32 + 1;
        let (first, second) = (1.0 - settings.beta1.powi(power), 1.0 - settings.beta2.powi(power));
        Self {
            beta1: settings.beta1 as f32,
            beta2: settings.beta2 as f32,
            rate: (rate / first) as f32,
            root_correction: second.sqrt().recip() as f32,
            keep: (1.0 - decay) as f32,
        }
    }

    fn apply(&self, values: &mut [f32], grads: &[f32], scale: f32, (means, squares): &mut Moments) {
        let state = means.par_iter_mut().zip(squares.par_iter_mut()).with_min_len(1 << 14);
        values.par_iter_mut().zip(grads.par_iter()).zip(state).for_each(|((value, grad), (mean, square))| {
            let grad = grad * scale;
            *mean = self.beta1 * *mean + (1.0 - self.beta1) * grad;
            *square = self.beta2 * *square + (1.0 - self.beta2) * grad * grad;
            *value = *value * self.keep - self.rate * *mean / (square.sqrt() * self.root_correction + 1e-8);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_rises_stays_and_falls() {
        let mut settings = crate::testing::settings();
        (settings.rate, settings.warmup, settings.decay_part, settings.last_rate) = (1.0, 4, 0.5, 0.1);
        let check = |step, expected: f64| {
            let rate = settings.rate_at(step, 100);
            assert!((rate - expected).abs() < 1e-9, "step {step}: {rate}");
        };
        check(0, 0.25);
        check(3, 1.0);
        check(50, 1.0);
        check(75, 0.55);
        check(100, 0.1);
    }

    #[test]
    fn first_step_is_the_rate_against_the_sign() {
        let var = candle_core::Var::new(&[2.0_f32, -3.0], &Device::Cpu).unwrap();
        let parameters = Parameters([("x".to_owned(), var.clone())].into());
        let mut optimiser = AdamW::new(crate::testing::settings(), &parameters);
        let grads = var.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let norm = optimiser.step(&parameters, &grads, 0, 0.1).unwrap();
        assert!((norm - 52.0_f64.sqrt()).abs() < 1e-5);
        let moved: Vec<f32> = var.to_vec1().unwrap();
        assert!((moved[0] - 1.9).abs() < 1e-4 && (moved[1] + 2.9).abs() < 1e-4, "{moved:?}");
    }
}
