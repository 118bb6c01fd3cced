//! Softmax of scaled scores over the keys that a query may see; the others get 0. A query that sees nothing gets zeros.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{exp::exp, numbers, stored, tensor, with_numbers};

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The last keys that are hidden: with 0 a query sees its own key, with 1 the one before. This is the stale cache of
    /// drafting (LongSpec, flash noisy training).
    pub shift: usize,
    /// Keys before its own that a query sees; `None` for all.
    pub window: Option<usize>,
}

impl Sight {
    /// What decoders see.
    pub const CAUSAL: Self = Self { shift: 0, window: None };

    /// The keys that query `at` sees.
    #[must_use]
    pub fn keys(self, at: usize) -> Range<usize> {
        let start = self.window.map_or(0, |it| at.saturating_sub(it));
        let end = (at + 1).saturating_sub(self.shift);
        start.min(end)..end
    }
}

/// Argument: scores (.., n_rows, n_keys), where row `r` is query `first_query + r % n_queries` and column `c` is key
/// `first_key + c`.
pub struct CausalSoftmax {
    /// What a query sees.
    pub sight: Sight,
    /// Multiplies the scores.
    pub scale: f32,
    /// Queries of a head; heads that share keys follow one another.
    pub n_queries: usize,
    /// Place of the first query.
    pub first_query: usize,
    /// Place of the first key.
    pub first_key: usize,
}

impl CausalSoftmax {
    fn columns(&self, row_idx: usize, n_keys: usize) -> Range<usize> {
        let keys = self.sight.keys(self.first_query + row_idx % self.n_queries);
        let place = |key: usize| key.saturating_sub(self.first_key).min(n_keys);
        place(keys.start)..place(keys.end)
    }

    fn row(&self, scores: &[f32], out: &mut [f32]) {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (out, score) in out.iter_mut().zip(scores) {
            *out = exp((score - largest) * self.scale);
        }
        for out in &*out {
            sum += out;
        }
        for out in out {
            *out /= sum;
        }
    }
}

impl CustomOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal_softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (scores, n_keys) = (numbers(storage, layout)?, layout.dims()[layout.dims().len() - 1]);
        let mut out = vec![0.0; scores.len()];
        out.par_chunks_mut(n_keys).zip(scores.par_chunks(n_keys)).enumerate().for_each(|(row_idx, (out, scores))| {
            let columns = self.columns(row_idx, n_keys);
            self.row(&scores[columns.clone()], &mut out[columns]);
        });
        Ok(stored(out, layout.shape()))
    }

    /// ds = scale * p (g - sum(p g))
    fn bwd(&self, arg: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let n_keys = arg.dim(candle_core::D::Minus1)?;
        let mut out = vec![0.0; arg.elem_count()];
        with_numbers(res, |res| {
            with_numbers(grad, |grad| {
                let rows = res.par_chunks(n_keys).zip(grad.par_chunks(n_keys));
                out.par_chunks_mut(n_keys).zip(rows).enumerate().for_each(|(row_idx, (out, (p, grad)))| {
                    let columns = self.columns(row_idx, n_keys);
                    let (p, grad) = (&p[columns.clone()], &grad[columns.clone()]);
                    let dot: f32 = p.iter().zip(grad).map(|(p, grad)| p * grad).sum();
                    for ((out, p), grad) in out[columns].iter_mut().zip(p).zip(grad) {
                        *out = self.scale * p * (grad - dot);
                    }
                });
                Ok(())
            })
        })?;
        Ok(Some(tensor(out, arg)?))
    }
}
