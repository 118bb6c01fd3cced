//! Trains a small Llama from nothing, or goes on from a model's folder.

use std::path::PathBuf;

use crate::{
    corpus::{Corpus, Mix, parse_mix, positions, step_rng},
    error::{Error, Result},
    looped::{RunArgs, train},
    model::{Config, Parameters, Target, Weights, save_half},
    ops::{CrossEntropy, Labels},
    tokenizer,
};

/// What `target` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder of `data`
    #[arg(long)]
    pub data: PathBuf,
    /// Folder with tokenizer.json, where config.json and model.safetensors go
    #[arg(long)]
    pub model: PathBuf,
    /// Go on with the weights that are in --model
    #[arg(long)]
    pub resume_model: bool,
    /// Kinds of text with their weights
    #[arg(long, default_value = "rust=1,python=1,prose=1,chat=2", value_parser = parse_mix)]
    pub mix: Mix,
    /// The shape
    #[command(flatten)]
    pub shape: Shape,
    /// The run
    #[command(flatten)]
    pub run: RunArgs,
}

/// Sizes of a new target.
#[derive(Debug, Clone, clap::Args)]
pub struct Shape {
    /// Numbers of a hidden state
    #[arg(long, default_value_t = 192)]
    pub hidden: usize,
    /// Numbers inside a feed-forward layer
    #[arg(long, default_value_t = 512)]
    pub intermediate: usize,
    /// Layers
    #[arg(long, default_value_t = 4)]
    pub layers: usize,
    /// Heads of queries
    #[arg(long, default_value_t = 6)]
    pub heads: usize,
    /// Heads of keys and values
    #[arg(long, default_value_t = 2)]
    pub kv_heads: usize,
    /// Base of the rotary angles
    #[arg(long, default_value_t = 10_000.0)]
    pub rope_theta: f64,
    /// Positions that config.json promises
    #[arg(long, default_value_t = 4096)]
    pub max_positions: usize,
}

impl Shape {
    fn config(&self, vocab_size: usize, end_id: u32) -> Result<Config> {
        if !self.hidden.is_multiple_of(self.heads) {
            return Err(Error::bad(format!("--hidden {} is no multiple of --heads {}", self.hidden, self.heads)));
        }
        let config = Config {
            family: "llama".to_owned(),
            vocab_size,
            hidden: self.hidden,
            intermediate: self.intermediate,
            n_layers: self.layers,
            n_heads: self.heads,
            n_kv_heads: self.kv_heads,
            head_dim: self.hidden / self.heads,
            norm_eps: 1e-5,
            rope_theta: self.rope_theta,
            max_positions: self.max_positions,
            is_tied: true,
            end_id,
        };
        config.checked()
    }
}

/// Trains, and writes the model when the last step is done.
///
/// # Errors
/// What reading, training and writing say.
pub fn run(args: &Args) -> Result<()> {
    let tokenizer = tokenizer::read(&args.model)?;
    let (vocab_size, end_of_text, end_id) = tokenizer::sizes(tokenizer)?;
    let config = if args.resume_model { Config::read(&args.model)? } else { args.shape.config(vocab_size, end_id)? };
    let parameters = parameters(args, &config)?;
    let corpus = Corpus::read(&args.data.join("train.jsonl"), tokenizer, end_of_text)?;
    let target = Target::new(config.clone(), &parameters.weights())?;
    let n_parameters: usize = parameters.0.values().map(|it| it.elem_count()).sum();
    eprintln!(
        "{n_parameters} parameters, {} tokens to learn from",
        corpus.0.values().map(|it| it.tokens.len()).sum::<usize>()
    );
    let settings = format!("target {config:?} {:?}", args.mix);
    let is_done = train(&args.run, &settings, &parameters, |step| loss(&target, &corpus, args, step))?;
    if is_done {
        save_half(&parameters.weights(), &args.model)?;
        config.write(&args.model)?;
    }
    Ok(())
}

fn parameters(args: &Args, config: &Config) -> Result<Parameters> {
    if args.resume_model {
        return Parameters::of_weights(&config.tensors(), &Weights::read(&args.model)?);
    }
    let residual = (2.0 * config.n_layers as f64).sqrt().recip();
    Parameters::random(&config.tensors(), args.run.seed, residual)
}

/// The loss of one step.
///
/// # Errors
/// [`Error::Tensor`].
fn loss(target: &Target, corpus: &Corpus, args: &Args, step: usize) -> Result<candle_core::Tensor> {
    let RunArgs { batch, length, spread, seed, .. } = args.run;
    let mut rng = step_rng(seed, step);
    let rows = corpus.batch(&args.mix, batch, length, &mut rng)?;
    let angles = target.angles(&positions(batch, length, spread, &mut rng));
    let inputs: Vec<Vec<u32>> = rows.iter().map(|it| it[..length].to_vec()).collect();
    let labels = rows.iter().flat_map(|it| it[1..].iter().map(|it| Some(*it))).collect();
    let hidden = target.run(&inputs, &angles)?;
    Ok(target.logits(&hidden.states)?.apply_op1(CrossEntropy(Labels::Hard(labels)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn gradients_reach_every_tensor_of_every_family() {
        for family in ["llama", "qwen2", "qwen3"] {
            let config = testing::config(family);
            let parameters = Parameters::random(&config.tensors(), 1, 1.0).unwrap();
            let target = Target::new(config, &parameters.weights()).unwrap();
            let rows = vec![vec![1, 2, 3, 4, 5], vec![9, 8, 7, 6, 5]];
            let hidden = target.run(&rows, &target.angles(&[0, 1, 2, 3, 4, 0, 1, 12, 13, 14])).unwrap();
            let labels = (0..10).map(Some).collect();
            let loss = target.logits(&hidden.states).unwrap().apply_op1(CrossEntropy(Labels::Hard(labels))).unwrap();
            testing::every_gradient(&loss, &parameters);
        }
    }
}
