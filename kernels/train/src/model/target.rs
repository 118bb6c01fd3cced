//! A Llama, Qwen 2 or Qwen 3 decoder over whole sequences, with the last layer's keys and values for a draft.

use std::{path::Path, sync::Arc};

use candle_core::{Device, Tensor};

use super::{
    Config, Weights, attend,
    layer::{FeedForward, Linear, Norm},
};
use crate::{
    error::{Error, Result},
    ops::{Angles, MergeHeads, Sight, SplitHeads},
};

/// A target.
#[derive(Debug)]
pub struct Target {
    /// Its shape.
    pub config: Config,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Norm,
    head: Linear,
}

#[derive(Debug)]
struct Layer {
    input_norm: Norm,
    qkv: [Linear; 3],
    qk_norms: Option<[Norm; 2]>,
    output: Linear,
    post_norm: Norm,
    feed_forward: FeedForward,
}

/// What a target makes of a batch.
#[derive(Debug)]
pub struct Hidden {
    /// The normalised states (batch, length, hidden).
    pub states: Tensor,
    /// The last layer's keys, turned, and values (batch, n_kv_heads, length, head_dim).
    pub last: (Tensor, Tensor),
}

impl Target {
    /// # Errors
    /// [`Error::Bad`] if a tensor is missing or of another shape.
    pub fn new(config: Config, weights: &Weights) -> Result<Self> {
        let embedding = weights.get("model.embed_tokens.weight", &[config.vocab_size, config.hidden])?;
        let head = if config.is_tied {
            Linear::tied(embedding.clone())
        } else {
            Linear::new(weights, "lm_head", [config.vocab_size, config.hidden], false)?
        };
        let layers = (0..config.n_layers).map(|it| Layer::new(&config, weights, it)).collect::<Result<_>>()?;
        let norm = Norm::new(weights, "model.norm", config.hidden, config.norm_eps)?;
        Ok(Self { config, embedding, layers, norm, head })
    }

    /// The frozen target of a folder.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Tensor`] for files that are missing or broken, [`Error::Bad`] for what they hold.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::new(Config::read(folder)?, &Weights::read(folder)?)
    }

    /// The embedding of a batch of tokens (batch, length, hidden).
    ///
    /// # Errors
    /// [`Error::Bad`] for a token that is not in the vocabulary, or rows of different lengths.
    pub fn embed(&self, batch: &[Vec<u32>]) -> Result<Tensor> {
        let length = batch.first().map_or(0, Vec::len);
        let ids: Vec<u32> = batch.concat();
        if let Some(id) = ids.iter().find(|it| **it as usize >= self.config.vocab_size) {
            return Err(Error::bad(format!("token {id} is not in the vocabulary of {}", self.config.vocab_size)));
        }
        if ids.len() != length * batch.len() {
            return Err(Error::bad("the sequences of a batch differ in length; pad or cut them"));
        }
        let n = ids.len();
        let ids = Tensor::from_vec(ids, n, &Device::Cpu)?;
        Ok(self.embedding.index_select(&ids, 0)?.reshape((batch.len(), length, self.config.hidden))?)
    }

    /// Runs all layers.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn run(&self, batch: &[Vec<u32>], angles: &Arc<Angles>) -> Result<Hidden> {
        let mut x = self.embed(batch)?;
        let mut last = None;
        for layer in &self.layers {
            let (next, keys, values) = layer.run(&self.config, &x, angles)?;
            (x, last) = (next, Some((keys, values)));
        }
        let last = last.ok_or_else(|| Error::bad("the target has no layers; use a whole model"))?;
        Ok(Hidden { states: self.norm.apply(&x)?, last })
    }

    /// Logits (n, vocab) of states (.., hidden).
    ///
    /// # Errors
    /// [`Error::Tensor`] if the width is another.
    pub fn logits(&self, states: &Tensor) -> Result<Tensor> {
        self.head.apply(&states.reshape(((), self.config.hidden))?)
    }

    /// The angles of `positions`.
    #[must_use]
    pub fn angles(&self, positions: &[u32]) -> Arc<Angles> {
        Angles::new(positions, self.config.head_dim, self.config.rope_theta)
    }
}

impl Layer {
    fn new(config: &Config, weights: &Weights, idx: usize) -> Result<Self> {
        let name = |it: &str| format!("model.layers.{idx}.{it}");
        let (hidden, eps) = (config.hidden, config.norm_eps);
        let projection = |it: &str, width: usize| {
            Linear::new(weights, &name(&format!("self_attn.{it}_proj")), [width, hidden], config.has_qkv_bias())
        };
        let head_norm = |it: &str| Norm::new(weights, &name(&format!("self_attn.{it}_norm")), config.head_dim, eps);
        let qk_norms = config.has_qk_norm().then(|| Ok::<_, Error>([head_norm("q")?, head_norm("k")?])).transpose()?;
        Ok(Self {
            input_norm: Norm::new(weights, &name("input_layernorm"), hidden, eps)?,
            qkv: [
                projection("q", config.q_width())?,
                projection("k", config.kv_width())?,
                projection("v", config.kv_width())?,
            ],
            qk_norms,
            output: Linear::new(weights, &name("self_attn.o_proj"), [hidden, config.q_width()], false)?,
            post_norm: Norm::new(weights, &name("post_attention_layernorm"), hidden, eps)?,
            feed_forward: FeedForward::new(weights, &name("mlp"), hidden, config.intermediate)?,
        })
    }

    /// Norms each head, where the family does.
    fn norm_heads(&self, idx: usize, x: Tensor, head_dim: usize) -> Result<Tensor> {
        let Some(norms) = &self.qk_norms else { return Ok(x) };
        let shape = x.shape().clone();
        Ok(norms[idx].apply(&x.reshape(((), head_dim))?)?.reshape(shape)?)
    }

    fn run(&self, config: &Config, x: &Tensor, angles: &Arc<Angles>) -> Result<(Tensor, Tensor, Tensor)> {
        let normal = self.input_norm.apply(x)?;
        let turned = |it: Tensor, n_heads| it.apply_op1(SplitHeads { n_heads, angles: Some(angles.clone()) });
        let q = turned(self.norm_heads(0, self.qkv[0].apply(&normal)?, config.head_dim)?, config.n_heads)?;
        let k = turned(self.norm_heads(1, self.qkv[1].apply(&normal)?, config.head_dim)?, config.n_kv_heads)?;
        let v = self.qkv[2].apply(&normal)?.apply_op1(SplitHeads { n_heads: config.n_kv_heads, angles: None })?;
        let seen = attend(&q, &k, &v, Sight::CAUSAL)?.apply_op1(MergeHeads)?;
        let x = (x + self.output.apply(&seen)?)?;
        let out = (&x + self.feed_forward.apply(&self.post_norm.apply(&x)?)?)?;
        Ok((out, k, v))
    }
}
