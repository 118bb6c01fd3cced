//! y = x / sqrt(mean(x^2) + eps) * w, row by row.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{numbers, stored, tensor, with_numbers};

/// Arguments: x (.., width) and w (width).
pub struct RmsNorm {
    /// Added to the mean square.
    pub eps: f32,
}

impl RmsNorm {
    fn inverse(&self, row: &[f32]) -> f32 {
        let squares: f32 = row.iter().map(|it| it * it).sum();
        (squares / row.len() as f32 + self.eps).sqrt().recip()
    }

    /// dx = r (g w) - x r^3 / width * sum(g w x), with r the inverse root.
    fn row_grad(&self, x: &[f32], w: &[f32], grad: &[f32], out: &mut [f32]) {
        let inverse = self.inverse(x);
        let dot: f32 = x.iter().zip(w).zip(grad).map(|((x, w), grad)| x * w * grad).sum();
        let pull = dot * inverse * inverse * inverse / x.len() as f32;
        for (((out, x), w), grad) in out.iter_mut().zip(x).zip(w).zip(grad) {
            *out = grad * w * inverse - x * pull;
        }
    }

    /// dw = sum over rows of g x r.
    fn weight_grad(&self, x: &[f32], grad: &[f32], dw: &mut [f32]) {
        let width = dw.len();
        for (x, grad) in x.chunks(width).zip(grad.chunks(width)) {
            let inverse = self.inverse(x);
            for ((dw, x), grad) in dw.iter_mut().zip(x).zip(grad) {
                *dw += grad * x * inverse;
            }
        }
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, w) = (numbers(s1, l1)?, numbers(s2, l2)?);
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(w.len()).zip(x.par_chunks(w.len())).for_each(|(y, x)| {
            let inverse = self.inverse(x);
            for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                *y = x * inverse * w;
            }
        });
        Ok(stored(y, l1.shape()))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut dx = vec![0.0; x.elem_count()];
        let mut dw = vec![0.0; w.elem_count()];
        with_numbers(x, |x| {
            with_numbers(w, |w| {
                with_numbers(grad, |grad| {
                    let rows = x.par_chunks(w.len()).zip(grad.par_chunks(w.len()));
                    dx.par_chunks_mut(w.len()).zip(rows).for_each(|(dx, (x, grad))| self.row_grad(x, w, grad, dx));
                    self.weight_grad(x, grad, &mut dw);
                    Ok(())
                })
            })
        })?;
        Ok((Some(tensor(dx, x)?), Some(tensor(dw, w)?)))
    }
}
