//! LongSpec's draft (arXiv 2502.17421, section 3.1): one layer on the target's frozen embedding and head, with
//! self-attention in a window and cross-attention on the keys and values of the target's last layer.

use std::{path::Path, sync::Arc};

use candle_core::Tensor;

use super::{
    Config, Parameters, Weights, attend,
    layer::{FeedForward, Linear, Norm},
    save_half,
};
use crate::{
    error::{Error, Result},
    ops::{Angles, MergeHeads, Sight, SplitHeads},
};

/// Keys before its own that the self-attention sees.
pub const WINDOW: usize = 512;

/// A draft.
#[derive(Debug)]
pub struct Draft {
    config: Config,
    input_norm: Norm,
    feed_norm: Norm,
    own: Attention,
    /// `None` in the plain draft that this one is compared with.
    cross: Option<(Norm, Attention)>,
    feed_forward: FeedForward,
}

#[derive(Debug)]
struct Attention {
    query: Linear,
    /// Keys and values; of cross-attention they are the target's.
    key_value: Option<[Linear; 2]>,
    output: Linear,
}

/// What the target has ready: its last layer's keys and values, and how many of the last are missing.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// (batch, n_kv_heads, length, head_dim), keys turned.
    pub last: (&'a Tensor, &'a Tensor),
    /// At least 1: while drafting the target has not seen the token itself.
    pub lag: usize,
}

const NORMS: [&str; 3] = ["input_layernorm", "post_self_attention_layernorm", "post_cross_attention_layernorm"];

impl Draft {
    /// # Errors
    /// [`Error::Bad`] if a tensor is missing or of another shape.
    pub fn new(config: Config, weights: &Weights, is_plain: bool) -> Result<Self> {
        let norm = |name| Norm::new(weights, name, config.hidden, config.norm_eps);
        let cross = || Ok::<_, Error>((norm(NORMS[1])?, Attention::new(&config, weights, "cross_attn", false)?));
        Ok(Self {
            input_norm: norm(NORMS[0])?,
            feed_norm: norm(NORMS[2])?,
            own: Attention::new(&config, weights, "self_attn", true)?,
            cross: (!is_plain).then(cross).transpose()?,
            feed_forward: FeedForward::new(weights, "mlp", config.hidden, config.intermediate)?,
            config,
        })
    }

    /// The frozen draft of a folder.
    ///
    /// # Errors
    /// As [`new`](Self::new), and for files that are missing or broken.
    pub fn read(config: Config, folder: &Path) -> Result<Self> {
        let weights = Weights::read(folder)?;
        let is_plain = !weights.0.contains_key("cross_attn.q_proj.weight");
        Self::new(config, &weights, is_plain)
    }

    /// Names and shapes of what is trained.
    #[must_use]
    pub fn tensors(config: &Config, is_plain: bool) -> Vec<(String, Vec<usize>)> {
        let (hidden, inner, q, kv) = (config.hidden, config.intermediate, config.q_width(), config.kv_width());
        let mut all: Vec<(String, Vec<usize>)> =
            NORMS.iter().map(|it| (format!("{it}.weight"), vec![hidden])).collect();
        if is_plain {
            all.remove(1);
        }
        let mut add = |name: &str, shape: Vec<usize>| all.push((name.to_owned(), shape));
        for (name, width) in [("q", q), ("k", kv), ("v", kv)] {
            add(&format!("self_attn.{name}_proj.weight"), vec![width, hidden]);
            add(&format!("self_attn.{name}_proj.bias"), vec![width]);
        }
        add("self_attn.o_proj.weight", vec![hidden, q]);
        if !is_plain {
            add("cross_attn.q_proj.weight", vec![q, hidden]);
            add("cross_attn.q_proj.bias", vec![q]);
            add("cross_attn.o_proj.weight", vec![hidden, q]);
        }
        add("mlp.gate_proj.weight", vec![inner, hidden]);
        add("mlp.up_proj.weight", vec![inner, hidden]);
        add("mlp.down_proj.weight", vec![hidden, inner]);
        all
    }

    /// Parameters that begin as the target's last layer: the cross-attention then asks as that layer would.
    ///
    /// # Errors
    /// [`Error::Bad`] if the target lacks a tensor.
    pub fn parameters(config: &Config, target: &Weights, is_plain: bool) -> Result<Parameters> {
        let last = |name: &str| format!("model.layers.{}.{name}", config.n_layers - 1);
        let mut start = Weights::default();
        for (name, shape) in Self::tensors(config, is_plain) {
            let from = match &*name {
                "post_cross_attention_layernorm.weight" => last("post_attention_layernorm.weight"),
                "post_self_attention_layernorm.weight" => last("input_layernorm.weight"),
                name => last(&name.replace("cross_attn", "self_attn")),
            };
            let tensor = match target.0.get(&from) {
                Some(found) => found.clone(),
                None => Tensor::zeros(&*shape, candle_core::DType::F32, &candle_core::Device::Cpu)?,
            };
            start.0.insert(name, tensor);
        }
        Parameters::of_weights(&Self::tensors(config, is_plain), &start)
    }

    /// Writes the draft as the released ones are written: with keys and values of the cross-attention, which nothing
    /// reads and which are zero here.
    ///
    /// # Errors
    /// As [`save_half`].
    pub fn save(config: &Config, weights: &Weights, folder: &Path) -> Result<()> {
        let mut all = weights.clone();
        if all.0.contains_key("cross_attn.q_proj.weight") {
            for name in ["k", "v"] {
                let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &candle_core::Device::Cpu);
                let weight = zeros(&[config.kv_width(), config.hidden])?;
                all.0.insert(format!("cross_attn.{name}_proj.weight"), weight);
                all.0.insert(format!("cross_attn.{name}_proj.bias"), zeros(&[config.kv_width()])?);
            }
        }
        save_half(&all, folder)?;
        config.write_draft(folder, WINDOW)
    }

    /// The states (batch, length, hidden) whose logits, by the target's head, guess the token after each place.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the shapes do not fit.
    pub fn run(&self, embedded: &Tensor, seen: Seen<'_>, angles: &Arc<Angles>) -> Result<Tensor> {
        let config = &self.config;
        let heads = |it: Tensor, n_heads, angles| it.apply_op1(SplitHeads { n_heads, angles });
        let normal = self.input_norm.apply(embedded)?;
        let turn = Some(angles.clone());
        let mut x = embedded.clone();
        if let Some([key, value]) = &self.own.key_value {
            let q = heads(self.own.query.apply(&normal)?, config.n_heads, turn.clone())?;
            let k = heads(key.apply(&normal)?, config.n_kv_heads, turn.clone())?;
            let v = heads(value.apply(&normal)?, config.n_kv_heads, None)?;
            let sight = Sight { shift: 0, window: Some(WINDOW) };
            x = (x + self.own.output.apply(&attend(&q, &k, &v, sight)?.apply_op1(MergeHeads)?)?)?;
        }
        if let Some((norm, cross)) = &self.cross {
            let q = heads(cross.query.apply(&norm.apply(&x)?)?, config.n_heads, turn)?;
            let sight = Sight { shift: seen.lag, window: None };
            let read = attend(&q, seen.last.0, seen.last.1, sight)?.apply_op1(MergeHeads)?;
            x = (x + cross.output.apply(&read)?)?;
        }
        Ok((&x + self.feed_forward.apply(&self.feed_norm.apply(&x)?)?)?)
    }
}

impl Attention {
    fn new(config: &Config, weights: &Weights, name: &str, is_own: bool) -> Result<Self> {
        let part = |part: &str, width: usize| {
            Linear::new(weights, &format!("{name}.{part}_proj"), [width, config.hidden], true)
        };
        let pair = || Ok::<_, Error>([part("k", config.kv_width())?, part("v", config.kv_width())?]);
        Ok(Self {
            query: part("q", config.q_width())?,
            key_value: is_own.then(pair).transpose()?,
            output: Linear::new(weights, &format!("{name}.o_proj"), [config.hidden, config.q_width()], false)?,
        })
    }
}
