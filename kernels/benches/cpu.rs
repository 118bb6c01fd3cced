//! Speed of the CPU backend beside this machine's memory: `cargo bench -p tollgate-kernels --bench cpu`.
//!
//! A random Llama of 100 million parameters decodes one sequence. What a step reads (weights, and keys and values) over the
//! measured copy rate is the bound. Verification and drafts are ratios to plain steps of the same run.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops where it cannot go on")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tollgate_kernels::{
    backend::{Backend, Format, PAGE, Queries, Query},
    cpu::Cpu,
    draft::{Context, Draft},
    engine::{Engine, Event, Limits, Request},
    model::{Batch, Config, Decoder, Scratch, Tensors},
    sample::Sampling,
    tree::Tree,
};

const CONTEXT: usize = 1024;
const HIDDEN: usize = 768;
const LAYERS: usize = 12;
const INNER: usize = 2048;
const VOCAB: usize = 20_000;

fn main() {
    let cpu = Arc::new(Cpu::new(2).unwrap());
    let copied = copy_rate();
    println!("copy rate, read and written: {:.1} GB/s", copied / 1e9);
    for format in [Format::F32, Format::F16, Format::Bf16, Format::Int8] {
        let model = Arc::new(random_model(&cpu, format));
        let plain_s = steps(&cpu, &model, format, copied);
        if matches!(format, Format::F32 | Format::F16) {
            replay(&cpu, &model, plain_s);
        }
    }
}

/// The best of some copies of 256 MB by two threads, in bytes read and written a second.
fn copy_rate() -> f64 {
    const N: usize = 32 << 20;
    let (from, mut to) = (vec![1_u64; N], vec![0_u64; N]);
    let once = |from: &[u64], to: &mut [u64]| {
        let began = Instant::now();
        let (low, high) = to.split_at_mut(N / 2);
        std::thread::scope(|scope| {
            scope.spawn(|| low.copy_from_slice(&from[..N / 2]));
            high.copy_from_slice(&from[N / 2..]);
        });
        began.elapsed().as_secs_f64()
    };
    let best = (0..12).map(|_| once(black_box(&from), black_box(&mut to))).fold(f64::INFINITY, f64::min);
    (N * 16) as f64 / best
}

fn random_model(cpu: &Cpu, format: Format) -> Decoder<Cpu> {
    let config = json!({
        "model_type": "llama", "vocab_size": VOCAB, "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": 12, "num_key_value_heads": 12,
        "max_position_embeddings": 8192, "tie_word_embeddings": true,
    });
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    let file = random_file();
    Decoder::load(cpu, config, &Tensors::new(&[&file]).unwrap(), Some(format)).unwrap()
}

fn random_file() -> Vec<u8> {
    let mut shapes = vec![("model.embed_tokens.weight".to_owned(), vec![VOCAB, HIDDEN])];
    for layer in 0..LAYERS {
        let mut add =
            |name: &str, shape: &[usize]| shapes.push((format!("model.layers.{layer}.{name}.weight"), shape.to_vec()));
        for name in ["q", "k", "v", "o"] {
            add(&format!("self_attn.{name}_proj"), &[HIDDEN, HIDDEN]);
        }
        add("mlp.gate_proj", &[INNER, HIDDEN]);
        add("mlp.up_proj", &[INNER, HIDDEN]);
        add("mlp.down_proj", &[HIDDEN, INNER]);
        add("input_layernorm", &[HIDDEN]);
        add("post_attention_layernorm", &[HIDDEN]);
    }
    shapes.push(("model.norm.weight".to_owned(), vec![HIDDEN]));
    let (mut header, mut data, mut state) = (serde_json::Map::new(), Vec::new(), 1_u32);
    for (name, shape) in shapes {
        let start = data.len();
        for _ in 0..shape.iter().product() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            data.extend((((state >> 8) as f32 / 16_777_216.0 - 0.5) * 0.1).to_le_bytes());
        }
        header.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

/// A step of `n` rows at the end of the context: one token, or a token with a tree of chains of eight.
fn batch(n: usize) -> Batch {
    let n_pages = CONTEXT / PAGE + 4;
    let tables: Vec<u32> = (0..n_pages as u32).collect();
    let tree = (CONTEXT + PAGE) as u32;
    let mut batch = Batch { queries: Queries { tables, ..Queries::default() }, ..Batch::default() };
    for idx in 0..n {
        let depth = if idx == 0 { 0 } else { (idx - 1) % 8 + 1 };
        let from = batch.queries.paths.len();
        batch.queries.paths.extend((0..depth).map(|it| tree + (idx - 1 - it) as u32).rev());
        batch.ids.push(idx as u32);
        batch.positions.push((CONTEXT + depth) as u32);
        batch.slots.push(if idx == 0 { CONTEXT as u32 } else { tree + idx as u32 - 1 });
        batch.queries.rows.push(Query {
            table: 0..n_pages,
            start: 0,
            end: CONTEXT + 1,
            path: from..batch.queries.paths.len(),
        });
        batch.wanted.push(idx as u32);
    }
    batch
}

/// Plain steps beside the bound, and trees beside plain steps; seconds of a plain step.
fn steps(cpu: &Cpu, model: &Decoder<Cpu>, format: Format, copied: f64) -> f64 {
    let mut pages = cpu.pages(model.page_shape(), 64).unwrap();
    let mut scratch = Scratch::new(cpu);
    let sizes = [1, 2, 4, 9, 17, 33];
    let mut best = [f64::INFINITY; 6];
    // In turns, so that what slows the machine down slows all of them.
    for _ in 0..12 {
        for (n, best) in sizes.into_iter().zip(&mut best) {
            let batch = batch(n);
            let began = Instant::now();
            for _ in 0..2 {
                cpu.enter(|| black_box(model.forward(cpu, &mut pages, &mut scratch, &batch)));
            }
            *best = best.min(began.elapsed().as_secs_f64() / 2.0);
        }
    }
    let weights = model.n_bytes(cpu);
    let cached = (CONTEXT + 1) * HIDDEN * 2 * 4 * LAYERS;
    let bound_s = (weights + cached) as f64 / copied;
    println!(
        "{format:?}: {:.0} MB of weights, {:.0} MB of keys and values; plain step {:.2} ms, {:.0} tokens/s, {:.0} % of the bound of {:.2} ms",
        weights as f64 / 1e6,
        cached as f64 / 1e6,
        best[0] * 1e3,
        1.0 / best[0],
        100.0 * bound_s / best[0],
        bound_s * 1e3
    );
    for (n, best_s) in sizes.into_iter().zip(best).skip(1) {
        println!("  {} nodes: {:.2} ms, {:.2} plain steps", n - 1, best_s * 1e3, best_s / best[0]);
    }
    best[0]
}

/// Says the known answer, and lies so that 2.3 of 7 tokens stand on average: 3.3 with the token that the target adds.
struct Replay {
    answer: Vec<u32>,
    n_steps: usize,
}

impl Draft<Cpu> for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn propose(&mut self, context: &Context<'_, Cpu>, tree: &mut Tree, source: usize) {
        let start = context.tokens.len() - context.n_prompt;
        let n_true = if self.n_steps % 10 < 7 { 2 } else { 3 };
        self.n_steps += 1;
        let mut at = 0;
        for (idx, &token) in self.answer.iter().skip(start).take(7).enumerate() {
            let said = if idx < n_true { token } else { (token + 1) % VOCAB as u32 };
            match tree.add(at, said, source) {
                Some(node) => at = node,
                None => return,
            }
        }
    }
}

fn answer(cpu: &Arc<Cpu>, model: &Arc<Decoder<Cpu>>, drafts: Vec<Box<dyn Draft<Cpu>>>) -> (Vec<u32>, f64, f64) {
    let limits = Limits { n_pages: 80, max_nodes: 8, is_throttled: false, ..Limits::default() };
    let mut engine = Engine::new(cpu.clone(), model.clone(), limits).unwrap();
    let prompt: Vec<u32> = (0..CONTEXT as u32).map(|it| it * 7919 % VOCAB as u32).collect();
    let request =
        Request { prompt, max_tokens: 200, sampling: Sampling::default(), end_ids: vec![], drafts, grammar: None };
    engine.submit(request, Duration::ZERO).unwrap();
    let (mut said, mut began, mut length) = (Vec::new(), Instant::now(), 0.0);
    while !engine.is_idle() {
        for event in engine.step(&|| Duration::ZERO) {
            match event {
                Event::Tokens { tokens, .. } => {
                    if said.is_empty() {
                        began = Instant::now();
                    }
                    said.extend(tokens);
                }
                Event::Done { stats, .. } => length = (stats.n_tokens - 1) as f64 / (stats.n_steps - 1) as f64,
            }
        }
    }
    (said, began.elapsed().as_secs_f64(), length)
}

fn replay(cpu: &Arc<Cpu>, model: &Arc<Decoder<Cpu>>, plain_s: f64) {
    let mut best = [f64::INFINITY; 2];
    let mut length = 0.0;
    for _ in 0..3 {
        let (said, seconds, _) = answer(cpu, model, Vec::new());
        best[0] = best[0].min(seconds);
        let drafted = answer(cpu, model, vec![Box::new(Replay { answer: said.clone(), n_steps: 0 })]);
        assert_eq!(said, drafted.0);
        (best[1], length) = (best[1].min(drafted.1), drafted.2);
    }
    println!(
        "  drafts replayed at an acceptance length of {length:.2}: {:.2} times plain ({:.0} tokens/s; a bare step would give {:.0})",
        best[0] / best[1],
        199.0 / best[1],
        1.0 / plain_s
    );
}
