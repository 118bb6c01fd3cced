//! Logits equal those of candle-transformers, which `kernels/parity` wrote down, at prefill and at decode.

use std::{fs, path::Path};

use crate::random;
use serde_json::Value;
use tollgate_kernels::{
    backend::{Backend, PAGE, Queries, Query},
    cpu::Cpu,
    model::{Batch, Config, Decoder, Scratch, Tensors},
};

/// A sequence of its own, in pages that follow one another.
fn batch(tokens: &[u32], start: usize, wanted: &[u32]) -> Batch {
    let end = start + tokens.len();
    let tables: Vec<u32> = (0..end.div_ceil(PAGE) as u32).collect();
    let row = |end: usize| Query { table: 0..tables.len(), start: 0, end, path: 0..0 };
    Batch {
        ids: tokens.to_vec(),
        positions: (start as u32..end as u32).collect(),
        slots: (start as u32..end as u32).collect(),
        queries: Queries { rows: (start + 1..=end).map(row).collect(), tables: tables.clone(), paths: Vec::new() },
        wanted: wanted.to_vec(),
    }
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap() as f32).collect()
}

/// The largest difference, relative to the largest logit.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().fold(0.0_f32, |max, it| max.max(it.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_candle() {
    let cpu = Cpu::new(2).unwrap();
    for (name, config) in random::cases() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
        let golden: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(golden["config"], config, "{name} was written for another model; run kernels/parity again");
        let file = random::safetensors(&random::shapes(&config));
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let model = Decoder::load(&cpu, config, &Tensors::new(&[&file]).unwrap(), None).unwrap();
        let mut pages = cpu.pages(model.page_shape(), 260).unwrap();
        let mut scratch = Scratch::new(&cpu);
        for row in golden["rows"].as_array().unwrap() {
            let length = row["length"].as_u64().unwrap() as usize;
            let tokens = random::tokens(length as u64, length + 1, 48);
            cpu.enter(|| {
                let mut logits = Vec::new();
                for (idx, chunk) in tokens[..length].chunks(512).enumerate() {
                    let last = [chunk.len() as u32 - 1];
                    logits = model.forward(&cpu, &mut pages, &mut scratch, &batch(chunk, idx * 512, &last));
                }
                let prefill = difference(&logits, &numbers(&row["prefill"]));
                logits = model.forward(&cpu, &mut pages, &mut scratch, &batch(&tokens[length..], length, &[0]));
                let decode = difference(&logits, &numbers(&row["decode"]));
                assert!(prefill < 1e-4 && decode < 1e-4, "{name} at {length}: {prefill} and {decode}");
                eprintln!("{name} at {length}: {prefill:.1e} and {decode:.1e}");
            });
        }
    }
}
