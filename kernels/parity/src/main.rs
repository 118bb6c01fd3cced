//! Writes the golden logits that `kernels/tests/engine/parity.rs` reads: candle-transformers' models with the same random weights.
//!
//! `cargo run --manifest-path kernels/parity/Cargo.toml` from the root of the repository.

#[path = "../../tests/engine/random.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod random;

use candle_core::{DType, Device, Error, IndexOp, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, qwen2, qwen3};
use serde_json::{Value, json};

/// Lengths of the prompts; each is followed by one decoded token.
const LENGTHS: &[usize] = &[1, 2, 31, 32, 33, 100, 512, 2048, 8191];

/// A model with its cache.
enum Model {
    Llama(llama::Llama, llama::Config, llama::Cache),
    Qwen2(qwen2::ModelForCausalLM),
    Qwen3(qwen3::ModelForCausalLM),
}

impl Model {
    fn new(config: &Value) -> Result<Self> {
        let weights = VarBuilder::from_buffered_safetensors(
            random::safetensors(&random::shapes(config)),
            DType::F32,
            &Device::Cpu,
        )?;
        Ok(match config["model_type"].as_str() {
            Some("llama") => {
                let config: llama::LlamaConfig = read(config)?;
                let config = config.into_config(false);
                let cache = llama::Cache::new(true, DType::F32, &config, &Device::Cpu)?;
                Self::Llama(llama::Llama::load(weights, &config)?, config, cache)
            }
            Some("qwen2") => Self::Qwen2(qwen2::ModelForCausalLM::new(&read(config)?, weights)?),
            _ => Self::Qwen3(qwen3::ModelForCausalLM::new(&read(config)?, weights)?),
        })
    }

    fn forget(&mut self) -> Result<()> {
        match self {
            Self::Llama(_, config, cache) => *cache = llama::Cache::new(true, DType::F32, config, &Device::Cpu)?,
            Self::Qwen2(model) => model.clear_kv_cache(),
            Self::Qwen3(model) => model.clear_kv_cache(),
        }
        Ok(())
    }

    /// The logits of the last token.
    fn forward(&mut self, tokens: &[u32], at: usize) -> Result<Vec<f32>> {
        let tokens = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let logits = match self {
            Self::Llama(model, _, cache) => model.forward(&tokens, at, cache)?,
            Self::Qwen2(model) => model.forward(&tokens, at)?.i((.., 0))?,
            Self::Qwen3(model) => model.forward(&tokens, at)?.i((.., 0))?,
        };
        logits.i(0)?.to_vec1()
    }
}

fn read<T: serde::de::DeserializeOwned>(config: &Value) -> Result<T> {
    serde_json::from_value(config.clone()).map_err(Error::wrap)
}

fn main() -> Result<()> {
    for (name, config) in random::cases() {
        let mut model = Model::new(&config)?;
        let mut rows = Vec::new();
        for &length in LENGTHS {
            let tokens = random::tokens(length as u64, length + 1, 48);
            model.forget()?;
            let prefill = model.forward(&tokens[..length], 0)?;
            let decode = model.forward(&tokens[length..], length)?;
            rows.push(json!({"length": length, "prefill": prefill, "decode": decode}));
        }
        let path = format!("kernels/tests/golden/{name}.json");
        std::fs::write(&path, json!({"config": config, "rows": rows}).to_string() + "\n")?;
        println!("{path}");
    }
    Ok(())
}
