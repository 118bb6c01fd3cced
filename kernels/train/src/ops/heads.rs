//! From rows to heads and back, with the rotation by position on the way (the halves of a head are the pairs, as in
//! Hugging Face's Llama).

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{numbers, stored, with_numbers};

/// Cosines and sines of every place of a batch, (batch * length, head_dim / 2).
#[derive(Debug)]
pub struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Angles {
    /// Angles of `positions`, one for each place of the batch.
    #[must_use]
    pub fn new(positions: &[u32], head_dim: usize, theta: f64) -> Arc<Self> {
        let half = head_dim / 2;
        let frequencies: Vec<f64> = (0..half).map(|it| theta.powf(-2.0 * it as f64 / head_dim as f64)).collect();
        let angles = positions.iter().flat_map(|at| frequencies.iter().map(move |it| f64::from(*at) * it));
        let (cos, sin) = angles.map(|it| (it.cos() as f32, it.sin() as f32)).unzip();
        Arc::new(Self { cos, sin })
    }

    /// Turns `from` into `to` by the angles of `place`, backwards if `sign` is -1.
    fn turn(&self, place: usize, sign: f32, from: &[f32], to: &mut [f32]) {
        let half = from.len() / 2;
        let (cos, sin) = (&self.cos[place * half..][..half], &self.sin[place * half..][..half]);
        let ((x, y), (to_x, to_y)) = (from.split_at(half), to.split_at_mut(half));
        for idx in 0..half {
            to_x[idx] = x[idx] * cos[idx] - sign * y[idx] * sin[idx];
            to_y[idx] = y[idx] * cos[idx] + sign * x[idx] * sin[idx];
        }
    }
}

fn turned(angles: Option<&Angles>, place: usize, sign: f32, from: &[f32], to: &mut [f32]) {
    match angles {
        Some(angles) => angles.turn(place, sign, from, to),
        None => to.copy_from_slice(from),
    }
}

/// Sizes of a batch of heads.
#[derive(Clone, Copy)]
struct Sizes {
    length: usize,
    n_heads: usize,
    head_dim: usize,
}

/// x (batch, length, n_heads * head_dim) to (batch, n_heads, length, head_dim), turned.
fn split(x: &[f32], sizes: Sizes, angles: Option<&Angles>) -> Vec<f32> {
    let Sizes { length, n_heads, head_dim } = sizes;
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(length * head_dim).enumerate().for_each(|(idx, out)| {
        let (batch, head) = (idx / n_heads, idx % n_heads);
        for (at, out) in out.chunks_mut(head_dim).enumerate() {
            let from = ((batch * length + at) * n_heads + head) * head_dim;
            turned(angles, batch * length + at, 1.0, &x[from..][..head_dim], out);
        }
    });
    out
}

/// The way back: x (batch, n_heads, length, head_dim) to (batch, length, n_heads * head_dim), turned backwards.
fn merge(x: &[f32], sizes: Sizes, angles: Option<&Angles>) -> Vec<f32> {
    let Sizes { length, n_heads, head_dim } = sizes;
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(n_heads * head_dim).enumerate().for_each(|(place, out)| {
        let (batch, at) = (place / length, place % length);
        for (head, out) in out.chunks_mut(head_dim).enumerate() {
            let from = ((batch * n_heads + head) * length + at) * head_dim;
            turned(angles, place, -1.0, &x[from..][..head_dim], out);
        }
    });
    out
}

/// Argument: (batch, length, n_heads * head_dim); result: (batch, n_heads, length, head_dim).
pub struct SplitHeads {
    /// Heads in a row.
    pub n_heads: usize,
    /// The rotation; values have none.
    pub angles: Option<Arc<Angles>>,
}

impl CustomOp1 for SplitHeads {
    fn name(&self) -> &'static str {
        "split_heads"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, length, width) = layout.shape().dims3()?;
        let sizes = Sizes { length, n_heads: self.n_heads, head_dim: width / self.n_heads };
        let out = split(numbers(storage, layout)?, sizes, self.angles.as_deref());
        Ok(stored(out, &Shape::from((batch, self.n_heads, length, sizes.head_dim))))
    }

    fn bwd(&self, arg: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, length, width) = arg.dims3()?;
        let sizes = Sizes { length, n_heads: self.n_heads, head_dim: width / self.n_heads };
        let out = with_numbers(grad, |grad| Ok(merge(grad, sizes, self.angles.as_deref())))?;
        Tensor::from_vec(out, arg.shape(), arg.device()).map(Some)
    }
}

/// Argument: (batch, n_heads, length, head_dim); result: (batch, length, n_heads * head_dim).
pub struct MergeHeads;

impl CustomOp1 for MergeHeads {
    fn name(&self) -> &'static str {
        "merge_heads"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, n_heads, length, head_dim) = layout.shape().dims4()?;
        let out = merge(numbers(storage, layout)?, Sizes { length, n_heads, head_dim }, None);
        Ok(stored(out, &Shape::from((batch, length, n_heads * head_dim))))
    }

    fn bwd(&self, arg: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, n_heads, length, head_dim) = arg.dims4()?;
        let out = with_numbers(grad, |grad| Ok(split(grad, Sizes { length, n_heads, head_dim }, None)))?;
        Tensor::from_vec(out, arg.shape(), arg.device()).map(Some)
    }
}
