//! Drawn tokens have the target's distribution, with every mix of drafts; by the rule of LongSpec's released code they do not.
//!
//! A million answers of four tokens, by a model that is a table, against the exact joint distribution: Pearson's chi-squared.

use crate::random;
use tollgate_kernels::{
    sample::{Counts, Sampling},
    tree::Tree,
    verify::verify,
};

const VOCAB: usize = 5;
const LENGTH: usize = 4;
const N_CELLS: usize = VOCAB.pow(LENGTH as u32);
const N_SAMPLES: u64 = 1_000_000;

/// The standard normal's 0.999 quantile.
const MAX_Z: f64 = 3.09;

/// Logits after a text; a table, because drawing is what is tested.
fn logits(text: &[u32]) -> Vec<f32> {
    static TABLE: std::sync::LazyLock<std::collections::HashMap<Vec<u32>, Vec<f32>>> = std::sync::LazyLock::new(|| {
        (0..=LENGTH)
            .flat_map(|n| (0..N_CELLS).map(move |cell| text_of(cell)[..n].to_vec()))
            .map(|it| (it.clone(), compute(&it)))
            .collect()
    });
    TABLE.get(text).cloned().unwrap_or_else(|| compute(text))
}

fn compute(text: &[u32]) -> Vec<f32> {
    let seed = text.iter().fold(17, |seed, it| random::bits(seed, u64::from(*it)));
    (0..VOCAB as u64).map(|it| 1.5 * random::uniform(seed, it)).collect()
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let weights: Vec<f64> = logits.iter().map(|it| f64::from(*it).exp()).collect();
    weights.iter().map(|it| it / weights.iter().sum::<f64>()).collect()
}

/// The text that an index stands for.
fn text_of(mut cell: usize) -> Vec<u32> {
    (0..LENGTH).map(|_| (cell % VOCAB, cell /= VOCAB).0 as u32).collect()
}

fn cell(text: &[u32]) -> usize {
    text.iter().rev().fold(0, |cell, it| cell * VOCAB + *it as usize)
}

/// The deviation of counts from what is expected, as a normal variable (Wilson and Hilferty's approximation).
fn z(counts: &[u64]) -> f64 {
    let probability = |cell: usize| -> f64 {
        let text = text_of(cell);
        (0..LENGTH).map(|idx| softmax(&logits(&text[..idx]))[text[idx] as usize]).product()
    };
    let part = |(cell, count): (usize, &u64)| {
        let expected = probability(cell) * N_SAMPLES as f64;
        assert!(expected > 5.0);
        (*count as f64 - expected).powi(2) / expected
    };
    let chi_squared: f64 = counts.iter().enumerate().map(part).sum();
    let freedom = (N_CELLS - 1) as f64;
    ((chi_squared / freedom).cbrt() - (1.0 - 2.0 / (9.0 * freedom))) / (2.0 / (9.0 * freedom)).sqrt()
}

/// Children after a text, of a draft that knows something or nothing.
type Children = fn(&[u32]) -> Vec<u32>;

/// Tokens by another model's probability, which is near the target's.
fn near(text: &[u32]) -> Vec<u32> {
    let mut tokens: Vec<u32> = (0..VOCAB as u32).collect();
    let logits = logits(text);
    tokens.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
    if text.len() % 2 == 1 {
        tokens.swap(0, 1);
    }
    tokens
}

const MIXES: &[(&str, Children)] = &[
    ("none", |_| Vec::new()),
    ("the likeliest", |text| near(text)[..1].to_vec()),
    ("the three likeliest", |text| near(text)[..3].to_vec()),
    ("the unlikeliest", |text| near(text)[VOCAB - 1..].to_vec()),
    ("all", |text| near(text)),
];

fn tree(text: &[u32], children: Children) -> Tree {
    let mut tree = Tree::new(0, 24);
    let mut at = 0;
    while at < tree.nodes().len() && tree.nodes()[at].depth < 3 {
        let text = [text, &tree.tokens(at)].concat();
        for token in children(&text) {
            tree.add(at, token, 0);
        }
        at += 1;
    }
    tree
}

fn draw(seed: u64, children: Children, trees: &mut std::collections::HashMap<Vec<u32>, Tree>) -> Vec<u32> {
    let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
    let mut said = Vec::new();
    while said.len() < LENGTH {
        let tree = trees.entry(said.clone()).or_insert_with(|| tree(&said, children));
        let verdict = verify(tree, |node| {
            let text = [&said[..], &tree.tokens(node)].concat();
            sampling.draw(&mut logits(&text), &Counts::default(), text.len() as u64)
        });
        said.extend(verdict.accepted.iter().map(|it| tree.nodes()[*it].token));
        said.push(verdict.next);
    }
    said.truncate(LENGTH);
    said
}

#[test]
fn drawn_tokens_have_the_targets_distribution() {
    for (name, children) in MIXES {
        let mut counts = vec![0; N_CELLS];
        let mut trees = std::collections::HashMap::new();
        for seed in 0..N_SAMPLES {
            counts[cell(&draw(seed, *children, &mut trees))] += 1;
        }
        let z = z(&counts);
        eprintln!("{name}: z = {z:.2}");
        assert!(z < MAX_Z, "{name}: {z}");
    }
}

/// The released code's rule: p/q of children that were not drawn, looked up by the child's index.
fn released(text: &[u32], seed: u64) -> u32 {
    let (p, children) = (softmax(&logits(text)), &near(text)[..3]);
    let q = softmax(&logits(&[text, &[99]].concat()));
    let chance = |idx: u64| f64::from(random::uniform(seed ^ 0x5eed, text.len() as u64 * 8 + idx)).midpoint(1.0);
    for (idx, token) in children.iter().enumerate() {
        if chance(idx as u64) < p[idx] / q[idx] {
            return *token;
        }
    }
    let left: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p - q).max(0.0)).collect();
    let mut chance = chance(7) * left.iter().sum::<f64>();
    let token = left.iter().position(|it| (chance -= it, chance < 0.0).1);
    token.unwrap_or(VOCAB - 1) as u32
}

#[test]
fn the_released_rule_fails() {
    let mut counts = vec![0; N_CELLS];
    for seed in 0..N_SAMPLES {
        let mut said = Vec::new();
        while said.len() < LENGTH {
            said.push(released(&said, seed));
        }
        counts[cell(&said)] += 1;
    }
    let z = z(&counts);
    assert!(z > 100.0, "{z}");
}
