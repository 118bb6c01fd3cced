//! y = silu(gate) * up, number by number.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{exp::exp, numbers, stored, tensor, with_numbers};

/// Arguments: gate and up, of one shape.
pub struct SwiGlu;

/// Numbers that one thread does at a time.
const CHUNK: usize = 8192;

#[inline]
fn sigmoid(x: f32) -> f32 {
    let small = exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (numbers(s1, l1)?, numbers(s2, l2)?);
        let mut y = vec![0.0; gate.len()];
        y.par_chunks_mut(CHUNK).zip(gate.par_chunks(CHUNK).zip(up.par_chunks(CHUNK))).for_each(|(y, (gate, up))| {
            for ((y, gate), up) in y.iter_mut().zip(gate).zip(up) {
                *y = gate * sigmoid(*gate) * up;
            }
        });
        Ok(stored(y, l1.shape()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut d_gate = vec![0.0; gate.elem_count()];
        let mut d_up = vec![0.0; gate.elem_count()];
        with_numbers(gate, |gate| {
            with_numbers(up, |up| {
                with_numbers(grad, |grad| {
                    let arguments = gate.par_chunks(CHUNK).zip(up.par_chunks(CHUNK)).zip(grad.par_chunks(CHUNK));
                    let results = d_gate.par_chunks_mut(CHUNK).zip(d_up.par_chunks_mut(CHUNK));
                    results.zip(arguments).for_each(|((d_gate, d_up), ((gate, up), grad))| {
                        chunk_grad((gate, up, grad), d_gate, d_up);
                    });
                    Ok(())
                })
            })
        })?;
        Ok((Some(tensor(d_gate, gate)?), Some(tensor(d_up, up)?)))
    }
}

/// silu'(x) = s (1 + x (1 - s)), with s the sigmoid.
fn chunk_grad((gate, up, grad): (&[f32], &[f32], &[f32]), d_gate: &mut [f32], d_up: &mut [f32]) {
    for (idx, (d_gate, d_up)) in d_gate.iter_mut().zip(d_up).enumerate() {
        let (x, s) = (gate[idx], sigmoid(gate[idx]));
        *d_up = grad[idx] * x * s;
        *d_gate = grad[idx] * up[idx] * s * (1.0 + x * (1.0 - s));
    }
}
