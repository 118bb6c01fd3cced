//! The mean of -sum(p log q) over the rows that have a label, q being the softmax of the logits.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{exp::exp, numbers, stored, tensor, with_numbers};

/// What the rows should say; `None` for rows that do not count.
pub enum Labels {
    /// One token each (p is 1 there).
    Hard(Vec<Option<u32>>),
    /// The distribution that a teacher's logits (n_rows, n_tokens) give.
    Soft(Vec<Option<Vec<f32>>>),
}

/// Argument: logits (n_rows, n_tokens); result: one number.
pub struct CrossEntropy(pub Labels);

impl Labels {
    /// Rows that count.
    #[must_use]
    pub fn n_counted(&self) -> usize {
        match self {
            Self::Hard(rows) => rows.iter().flatten().count(),
            Self::Soft(rows) => rows.iter().flatten().count(),
        }
    }

    fn loss(&self, row_idx: usize, logits: &[f32]) -> f64 {
        let log_sum = log_sum(logits);
        match self {
            Self::Hard(rows) => rows[row_idx].map_or(0.0, |it| f64::from(log_sum - logits[it as usize])),
            Self::Soft(rows) => rows[row_idx].as_ref().map_or(0.0, |teacher| {
                let below = self::log_sum(teacher);
                let terms = teacher.iter().zip(logits).map(|(t, q)| exp(t - below) * (log_sum - q));
                f64::from(terms.sum::<f32>())
            }),
        }
    }

    /// (q - p) * scale, or zeros.
    fn grad(&self, row_idx: usize, logits: &[f32], scale: f32, out: &mut [f32]) {
        let is_counted = match self {
            Self::Hard(rows) => rows[row_idx].is_some(),
            Self::Soft(rows) => rows[row_idx].is_some(),
        };
        if !is_counted {
            return;
        }
        let log_sum = log_sum(logits);
        for (out, logit) in out.iter_mut().zip(logits) {
            *out = exp(logit - log_sum) * scale;
        }
        match self {
            Self::Hard(rows) => {
                if let Some(token) = rows[row_idx] {
                    out[token as usize] -= scale;
                }
            }
            Self::Soft(rows) => {
                let teacher = rows[row_idx].as_deref().unwrap_or_default();
                let below = self::log_sum(teacher);
                for (out, t) in out.iter_mut().zip(teacher) {
                    *out -= exp(t - below) * scale;
                }
            }
        }
    }
}

/// The logarithm of the sum of exponentials.
pub(crate) fn log_sum(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits {
        sum += exp(logit - largest);
    }
    largest + sum.ln()
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n_tokens) = layout.shape().dims2()?;
        let logits = numbers(storage, layout)?;
        // Summed in order, so that the number of threads changes nothing.
        let rows: Vec<f64> =
            logits.par_chunks(n_tokens).enumerate().map(|(row_idx, logits)| self.0.loss(row_idx, logits)).collect();
        let mean = rows.iter().sum::<f64>() / self.0.n_counted().max(1) as f64;
        Ok(stored(vec![mean as f32], &Shape::from(())))
    }

    fn bwd(&self, arg: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, n_tokens) = arg.dims2()?;
        let scale = grad.to_scalar::<f32>()? / self.0.n_counted().max(1) as f32;
        let mut out = vec![0.0; arg.elem_count()];
        with_numbers(arg, |logits| {
            let rows = out.par_chunks_mut(n_tokens).zip(logits.par_chunks(n_tokens)).enumerate();
            rows.for_each(|(row_idx, (out, logits))| self.0.grad(row_idx, logits, scale, out));
            Ok(())
        })?;
        Ok(Some(tensor(out, arg)?))
    }
}
