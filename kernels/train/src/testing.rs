//! Small things that tests share.

use crate::{
    adamw::Settings,
    corpus::{Corpus, Stream},
    model::{Config, Parameters},
};

pub(crate) fn config(family: &str) -> Config {
    Config {
        family: family.to_owned(),
        vocab_size: 24,
        hidden: 16,
        intermediate: 24,
        n_layers: 2,
        n_heads: 4,
        n_kv_heads: 2,
        head_dim: 4,
        norm_eps: 1e-5,
        rope_theta: 10_000.0,
        max_positions: 64,
        is_tied: family == "llama",
        end_id: 0,
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        rate: 3e-3,
        warmup: 2,
        decay_part: 0.5,
        last_rate: 0.1,
        beta1: 0.9,
        beta2: 0.95,
        weight_decay: 0.1,
        clip: 1.0,
    }
}

pub(crate) fn corpus() -> Corpus {
    let stream = Stream { tokens: (0..500).map(|it| it * it % 23).collect(), starts: vec![0, 100, 321], n_bytes: 900 };
    Corpus([("a".to_owned(), stream)].into())
}

/// Fails if a parameter's gradient is missing or nothing but zeros.
pub(crate) fn every_gradient(loss: &candle_core::Tensor, parameters: &Parameters) {
    let grads = loss.backward().unwrap();
    for (name, var) in &parameters.0 {
        let grad = grads.get(var).unwrap_or_else(|| panic!("`{name}` is cut off"));
        let largest = grad.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(largest > 0.0, "`{name}` has a gradient of zeros");
    }
}
