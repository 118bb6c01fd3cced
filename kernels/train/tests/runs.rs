//! The whole path on a few transcripts: vocabulary, target, draft, report; and a run that was broken off.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use candle_core::{DType, Device, safetensors};
use tollgate_train::chat::transcripts;

fn tool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate-train")).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn run(line: &str, folder: &Path, more: &[&str]) {
    let line = line.replace("DIR", folder.to_str().unwrap());
    let arguments: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
    let (is_ok, said) = tool(&arguments);
    assert!(is_ok, "{line}: {said}");
}

fn corpus(folder: &Path) {
    fs::create_dir_all(folder.join("data")).unwrap();
    for (name, seed, n) in [("train.jsonl", 1, 60), ("held_out.jsonl", 2, 12)] {
        let lines = transcripts(seed, n).map(|it| serde_json::to_string(&it).unwrap() + "\n");
        fs::write(folder.join("data").join(name), lines.collect::<String>()).unwrap();
    }
    run("tokenizer --data DIR/data --model DIR/model --vocab 400", folder, &[]);
}

const TARGET: &str = "target --data DIR/data --model DIR/model --hidden 32 --intermediate 48 --layers 2 --heads 4 --kv-heads 2 \
    --mix chat=1 --steps 6 --batch 2 --length 24 --spread 64 --save-every 2 --warmup 2";
const DRAFT: &str =
    "draft --data DIR/data --target DIR/model --mix chat=1 --steps 6 --batch 2 --length 24 --spread 64 --warmup 2";

/// Names and shapes of a file, and that all is f16.
fn shapes(file: PathBuf) -> Vec<String> {
    let tensors = safetensors::load(file, &Device::Cpu).unwrap();
    assert!(tensors.values().all(|it| it.dtype() == DType::F16));
    let mut lines: Vec<String> = tensors.iter().map(|(name, it)| format!("{name} {:?}", it.dims())).collect();
    lines.sort();
    lines
}

#[test]
fn the_whole_path_writes_what_the_engine_loads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    corpus(folder);
    run(TARGET, folder, &["--run", folder.join("run").to_str().unwrap()]);
    let target = shapes(folder.join("model/model.safetensors"));
    let expected = [
        "model.embed_tokens.weight [400, 32]",
        "model.layers.1.mlp.down_proj.weight [32, 48]",
        "model.layers.1.self_attn.k_proj.weight [16, 32]",
        "model.norm.weight [32]",
    ];
    assert!(expected.iter().all(|it| target.contains(&(*it).to_owned())), "{target:?}");
    assert_eq!(target.len(), 2 + 2 * 9);

    for (name, more) in [("draft", ""), ("plain", "--plain")] {
        let line = format!("{DRAFT} --out DIR/{name} --run DIR/run-{name} {more}");
        run(&line, folder, &[]);
    }
    let draft = shapes(folder.join("draft/model.safetensors"));
    let expected = [
        "cross_attn.k_proj.bias [16]",
        "cross_attn.k_proj.weight [16, 32]",
        "cross_attn.o_proj.weight [32, 32]",
        "cross_attn.q_proj.bias [32]",
        "cross_attn.q_proj.weight [32, 32]",
        "cross_attn.v_proj.bias [16]",
        "cross_attn.v_proj.weight [16, 32]",
        "input_layernorm.weight [32]",
        "mlp.down_proj.weight [32, 48]",
        "mlp.gate_proj.weight [48, 32]",
        "mlp.up_proj.weight [48, 32]",
        "post_cross_attention_layernorm.weight [32]",
        "post_self_attention_layernorm.weight [32]",
        "self_attn.k_proj.bias [16]",
        "self_attn.k_proj.weight [16, 32]",
        "self_attn.o_proj.weight [32, 32]",
        "self_attn.q_proj.bias [32]",
        "self_attn.q_proj.weight [32, 32]",
        "self_attn.v_proj.bias [16]",
        "self_attn.v_proj.weight [16, 32]",
    ];
    assert_eq!(draft, expected);

    let line = "eval --data DIR/data --target DIR/model --draft longspec=DIR/draft --draft plain=DIR/plain --length 24 \
        --longest 2 --sequences 2 --generate 3 --out DIR/eval.json";
    run(line, folder, &[]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("eval.json")).unwrap()).unwrap();
    let bits = report["bits"]["chat"]["bits_per_byte"].as_f64().unwrap();
    assert!(bits > 0.5 && bits < 8.0, "{bits}");
    for draft in ["longspec", "plain"] {
        let measured = &report["drafts"][draft]["chat"];
        let length = measured["own"]["acceptance_length"].as_f64().unwrap();
        assert!((1.0..=5.0).contains(&length), "{measured}");
        assert_eq!(measured["held_out"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_resumed_run_ends_as_one_that_was_never_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    corpus(folder);
    let weights = || fs::read(folder.join("model/model.safetensors")).unwrap();
    run(TARGET, folder, &["--run", folder.join("whole").to_str().unwrap()]);
    let whole = weights();
    let broken = folder.join("broken");
    let broken = broken.to_str().unwrap();
    run(TARGET, folder, &["--run", broken, "--stop-after", "3"]);
    run(TARGET, folder, &["--run", broken, "--stop-after", "1"]);
    run(TARGET, folder, &["--run", broken]);
    assert_eq!(whole, weights());
    let log = |run: &str| fs::read_to_string(folder.join(run).join("log.csv")).unwrap();
    assert_eq!(log("whole"), log("broken"));
    assert!(fs::read_to_string(folder.join("broken/loss.svg")).unwrap().starts_with("<svg"));
    let line = TARGET.replace("DIR", folder.to_str().unwrap()).replace("--steps 6", "--steps 7");
    let (is_ok, said) = tool(&[line.split_whitespace().collect(), vec!["--run", broken]].concat());
    assert!(!is_ok && said.contains("give a new --run"), "{said}");
}
