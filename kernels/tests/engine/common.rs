//! A tiny model of random weights in an engine, and drafts that are right as often as a test wants.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tollgate_kernels::{
    cpu::Cpu,
    draft::{Context, Draft},
    engine::{Engine, Event, Limits, Request},
    model::{Config, Decoder, Tensors},
    sample::Sampling,
    tree::Tree,
};

use crate::random;

pub const VOCAB: u64 = 40;

pub fn tiny() -> Value {
    json!({
        "model_type": "llama", "vocab_size": VOCAB, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-5, "max_position_embeddings": 8192,
    })
}

pub struct Tiny {
    pub cpu: Arc<Cpu>,
    pub model: Arc<Decoder<Cpu>>,
}

impl Tiny {
    pub fn new(config: &Value) -> Self {
        let cpu = Arc::new(Cpu::new(1).unwrap());
        let file = random::safetensors(&random::shapes(config));
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let model = Decoder::load(&*cpu, config, &Tensors::new(&[&file]).unwrap(), None).unwrap();
        Self { cpu, model: Arc::new(model) }
    }

    pub fn engine(&self, limits: Limits) -> Engine<Cpu> {
        Engine::new(self.cpu.clone(), self.model.clone(), limits).unwrap()
    }
}

pub fn request(
    prompt: &[u32],
    max_tokens: usize,
    sampling: Sampling,
    drafts: Vec<Box<dyn Draft<Cpu>>>,
) -> Request<Cpu> {
    Request { prompt: prompt.to_vec(), max_tokens, sampling, end_ids: vec![], drafts, grammar: None }
}

/// Runs until nothing is left; the answers by their numbers.
pub fn run(engine: &mut Engine<Cpu>) -> HashMap<u64, Vec<u32>> {
    let mut answers: HashMap<u64, Vec<u32>> = HashMap::new();
    while !engine.is_idle() {
        for event in engine.step(&|| Duration::ZERO) {
            if let Event::Tokens { id, tokens } = event {
                answers.entry(id).or_default().extend(tokens);
            }
        }
    }
    answers
}

/// Knows the answer, says it in a tree of `width` branches, and lies about every `lie`-th token.
pub struct Oracle {
    pub answer: Vec<u32>,
    pub width: usize,
    pub lie: u64,
}

impl Draft<Cpu> for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn propose(&mut self, context: &Context<'_, Cpu>, tree: &mut Tree, source: usize) {
        let start = context.tokens.len() - context.n_prompt;
        let mut at = 0;
        for (idx, &truth) in self.answer.iter().enumerate().skip(start) {
            let bits = random::bits(truth.into(), idx as u64);
            for branch in 1..self.width as u64 {
                tree.add(at, ((u64::from(truth) + branch + bits) % VOCAB) as u32, source);
            }
            let said = if bits.is_multiple_of(self.lie) { (truth + 1) % VOCAB as u32 } else { truth };
            match tree.add(at, said, source) {
                Some(node) => at = node,
                None => return,
            }
        }
    }
}
