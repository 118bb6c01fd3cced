//! With drafts the engine says what it says without them, token for token: greedily and drawn, in any mix, tree and batch.

use std::sync::{Arc, OnceLock};

use crate::common::{Oracle, Tiny, VOCAB, request, run, tiny};
use crate::random;
use proptest::prelude::*;
use serde_json::json;
use tollgate_kernels::{
    cpu::Cpu,
    draft::{Draft, Forced, Grammar, LongSpec, LongSpecDraft, Suffix},
    engine::{Engine, Limits},
    model::Tensors,
    sample::Sampling,
};

const N_PROMPTS: usize = 1000;
const N_TOKENS: usize = 12;

/// Every third token of an answer is 7.
struct Sevens;

impl Grammar for Sevens {
    fn mask(&self, answer: &[u32], logits: &mut [f32]) {
        if answer.len() % 3 == 2 {
            logits.iter_mut().enumerate().filter(|it| it.0 != 7).for_each(|it| *it.1 = f32::NEG_INFINITY);
        }
    }

    fn forced(&self, answer: &[u32]) -> Vec<u32> {
        if answer.len() % 3 == 2 { vec![7] } else { Vec::new() }
    }
}

fn prompt(idx: usize) -> Vec<u32> {
    random::tokens(idx as u64, 1 + idx % 37, VOCAB)
}

fn sampling(temperature: f32, idx: usize) -> Sampling {
    let cut = Sampling {
        top_k: 9,
        top_p: 0.9,
        min_p: 0.02,
        repetition_penalty: 1.2,
        frequency_penalty: 0.3,
        ..Sampling::default()
    };
    let rules = if temperature > 0.0 && idx.is_multiple_of(2) { cut } else { Sampling::default() };
    Sampling { temperature, seed: idx as u64, ..rules }
}

/// A mix of drafts for one prompt: its answer and where past outputs are.
type Mix = fn(&[u32], &Engine<Cpu>) -> Vec<Box<dyn Draft<Cpu>>>;

const MIXES: &[(&str, Mix)] = &[
    ("suffix", |_, engine| vec![Box::new(Suffix::new(256, engine.past()))]),
    ("oracle, one branch", |answer, _| vec![Box::new(Oracle { answer: answer.to_vec(), width: 1, lie: 5 })]),
    ("oracle, four branches, mostly lies", |answer, _| {
        vec![Box::new(Oracle { answer: answer.to_vec(), width: 4, lie: 2 })]
    }),
    ("longspec", |_, engine| vec![longspec(engine)]),
    ("all", |answer, engine| {
        let oracle = |width, lie| Box::new(Oracle { answer: answer.to_vec(), width, lie });
        vec![
            Box::new(Forced(Arc::new(Sevens))),
            Box::new(Suffix::new(256, engine.past())),
            oracle(2, 3),
            longspec(engine),
        ]
    }),
];

/// A draft of random weights that all tests share; half of the tokens are in its head.
fn longspec(engine: &Engine<Cpu>) -> Box<dyn Draft<Cpu>> {
    static MODEL: OnceLock<Arc<LongSpec<Cpu>>> = OnceLock::new();
    let (cpu, target) = engine.device();
    let model = MODEL.get_or_init(|| {
        let file = random::safetensors(&random::longspec_shapes(&tiny(), "glide."));
        let ranked: Vec<u32> = (0..VOCAB as u32).step_by(2).collect();
        Arc::new(LongSpec::load(cpu, target, Tensors::new(&[&file]).unwrap(), None, &ranked).unwrap())
    });
    Box::new(LongSpecDraft::new(cpu, model.clone(), 64).unwrap())
}

fn answers(
    tiny: &Tiny,
    limits: Limits,
    temperature: f32,
    grammar: bool,
    drafts: impl Fn(usize, &Engine<Cpu>) -> Vec<Box<dyn Draft<Cpu>>>,
) -> Vec<Vec<u32>> {
    let mut engine = tiny.engine(limits);
    let mut ids = Vec::new();
    for idx in 0..N_PROMPTS {
        let drafts = drafts(idx, &engine);
        let mut request = request(&prompt(idx), N_TOKENS, sampling(temperature, idx), drafts);
        request.grammar = grammar.then(|| Arc::new(Sevens) as Arc<dyn Grammar>);
        ids.push(engine.submit(request, std::time::Duration::ZERO).unwrap());
    }
    let mut answers = run(&mut engine);
    assert_eq!(engine.n_available_pages(), limits.n_pages);
    ids.into_iter().map(|id| answers.remove(&id).unwrap()).collect()
}

fn limits(max_nodes: usize, max_running: usize) -> Limits {
    Limits { n_pages: 400, max_running, max_waiting: N_PROMPTS, chunk: 16, max_nodes, is_throttled: false, past: 4096 }
}

fn check(temperature: f32, grammar: bool) {
    let tiny = Tiny::new(&tiny());
    let plain = answers(&tiny, limits(0, 1), temperature, grammar, |_, _| Vec::new());
    assert!(plain.iter().all(|it| it.len() == N_TOKENS));
    for (idx, (name, mix)) in MIXES.iter().enumerate() {
        for (max_nodes, max_running) in [[(1, 1), (33, 7)], [(4, 3), (40, 16)]][idx % 2] {
            let drafted = |idx: usize, engine: &Engine<Cpu>| mix(&plain[idx], engine);
            let drafted = answers(&tiny, limits(max_nodes, max_running), temperature, grammar, drafted);
            assert!(drafted == plain, "{name}, {max_nodes} nodes, {max_running} at once, temperature {temperature}");
        }
    }
}

#[test]
fn drafts_change_no_token() {
    check(0.0, false);
}

#[test]
fn drafts_change_no_drawn_token() {
    check(1.0, false);
}

#[test]
fn drafts_change_no_token_of_a_grammar() {
    check(0.7, true);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Long prompts, windows, chunks and found prefixes change no bit either.
    #[test]
    fn chunks_windows_and_found_prefixes_change_no_token(
        length in 1_usize..300, chunk in 1_usize..90, window in 3_u64..80, seed in 0_u64..1000, nodes in 1_usize..40,
    ) {
        let mut config = tiny();
        config["model_type"] = json!("mistral");
        config["sliding_window"] = json!(window);
        let tiny = Tiny::new(&config);
        let prompt = random::tokens(seed, length, VOCAB);
        let answer = |engine: &mut Engine<Cpu>, drafts| {
            let id = engine.submit(request(&prompt, 40, Sampling::default(), drafts), std::time::Duration::ZERO).unwrap();
            run(engine).remove(&id).unwrap()
        };
        let plain = answer(&mut tiny.engine(Limits { chunk: 512, ..limits(0, 1) }), Vec::new());
        let mut engine = tiny.engine(Limits { chunk, ..limits(nodes, 2) });
        for lie in [2, 5] {
            let drafts: Vec<Box<dyn Draft<Cpu>>> = vec![Box::new(Oracle { answer: plain.clone(), width: 2, lie })];
            prop_assert_eq!(&answer(&mut engine, drafts), &plain);
        }
    }
}
