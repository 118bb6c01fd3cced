//! What layers are made of: linear maps, norms and the feed-forward layer.

use candle_core::Tensor;

use crate::{
    error::Result,
    model::Weights,
    ops::{RmsNorm, SwiGlu},
};

/// x (.., n_in) to (.., n_out).
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(super) fn new(weights: &Weights, name: &str, shape: [usize; 2], has_bias: bool) -> Result<Self> {
        let weight = weights.get(&format!("{name}.weight"), &shape)?;
        let bias = has_bias.then(|| weights.get(&format!("{name}.bias"), &shape[..1])).transpose()?;
        Ok(Self { weight, bias })
    }

    pub(super) fn tied(weight: Tensor) -> Self {
        Self { weight, bias: None }
    }

    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let n_in = shape.pop().unwrap_or_default();
        shape.push(self.weight.dim(0)?);
        let out = x.reshape(((), n_in))?.matmul(&self.weight.t()?)?;
        let out = match &self.bias {
            Some(bias) => out.broadcast_add(bias)?,
            None => out,
        };
        Ok(out.reshape(shape)?)
    }
}

#[derive(Debug)]
pub(super) struct Norm {
    weight: Tensor,
    eps: f32,
}

impl Norm {
    pub(super) fn new(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Self> {
        Ok(Self { weight: weights.get(&format!("{name}.weight"), &[width])?, eps: eps as f32 })
    }

    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op2(&self.weight, RmsNorm { eps: self.eps })?)
    }
}

#[derive(Debug)]
pub(super) struct FeedForward {
    gate: Linear,
    up: Linear,
    down: Linear,
}

impl FeedForward {
    pub(super) fn new(weights: &Weights, name: &str, hidden: usize, inner: usize) -> Result<Self> {
        let part = |part: &str, shape| Linear::new(weights, &format!("{name}.{part}_proj"), shape, false);
        Ok(Self {
            gate: part("gate", [inner, hidden])?,
            up: part("up", [inner, hidden])?,
            down: part("down", [hidden, inner])?,
        })
    }

    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let inner = self.gate.apply(x)?.apply_op2(&self.up.apply(x)?, SwiGlu)?;
        self.down.apply(&inner)
    }
}
