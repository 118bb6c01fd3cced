//! Files that are broken, wrong or made to hurt give one line that names what is wrong, and no panic.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_kernels::{
    cpu::Cpu,
    model::{Config, Decoder, Tensors, shard_names},
};

use crate::{common::tiny, random};

fn load(config: &Value, files: &[&[u8]]) -> Result<(), String> {
    let load = || {
        let config = Config::from_json(config.to_string().as_bytes())?;
        Decoder::load(&Cpu::new(1)?, config, &Tensors::new(files)?, None)
    };
    load().map(|_| ()).map_err(|error| error.to_string())
}

fn check(config: &Value, files: &[&[u8]], expected: &str) {
    let error = load(config, files).expect_err(expected);
    assert!(error.contains(expected) && !error.contains('\n'), "{error}");
}

fn file(header: &Value, n_bytes: usize) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; n_bytes]].concat()
}

#[test]
fn broken_files_are_told_apart() {
    let good = random::safetensors(&random::shapes(&tiny()));
    assert_eq!(load(&tiny(), &[&good]), Ok(()));
    let one = |entry: Value| file(&json!({"model.norm.weight": entry}), 8);
    for (bytes, expected) in [
        (vec![], "`0` bytes are no safetensors file"),
        (vec![255; 8], "a header of `18446744073709551615` bytes is longer than its file"),
        (vec![0; 8], "the header is no JSON object"),
        (file(&json!([1]), 0), "the header is no JSON object"),
        (one(json!({"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]})), "convert it to F32, F16 or BF16"),
        (one(json!({"dtype": "F32", "shape": [2]})), "has no shape or no offsets"),
        (one(json!({"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]})), "has no shape or no offsets"),
        (one(json!({"dtype": "F32", "shape": [2], "data_offsets": [0, 9]})), "is outside of its file"),
        (one(json!({"dtype": "F32", "shape": [2], "data_offsets": [8, 0]})), "is outside of its file"),
        (one(json!({"dtype": "F32", "shape": [3], "data_offsets": [0, 8]})), "has `8` bytes, which do not fit"),
        (one(json!({"dtype": "F32", "shape": [1_u64 << 40, 1_u64 << 40], "data_offsets": [0, 8]})), "which do not fit"),
        (one(json!({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})), "`model.embed_tokens.weight` is missing"),
        (good[..good.len() - 1].to_vec(), "is outside of its file"),
    ] {
        check(&tiny(), &[&bytes], expected);
    }
    check(&tiny(), &[&good, &good], "is there twice");
    let mut wide = tiny();
    wide["intermediate_size"] = json!(49);
    check(&wide, &[&good], "has the shape `[48, 32]` and not `[49, 32]`");
}

#[test]
fn impossible_configurations_are_told_apart() {
    for (key, value, expected) in [
        ("model_type", json!("mamba"), "llama, mistral, qwen2 and qwen3 can be run"),
        ("hidden_size", json!(0), "`hidden_size = 0`"),
        ("hidden_size", json!(u64::MAX), "`hidden_size = 18446744073709551615`"),
        ("vocab_size", json!("many"), "`vocab_size = \"many\"`"),
        ("num_hidden_layers", json!(-1), "`num_hidden_layers = -1`"),
        ("num_key_value_heads", json!(3), "`2` heads for `3` of keys"),
        ("head_dim", json!(7), "heads of `7` numbers"),
        ("rms_norm_eps", json!(0), "`rms_norm_eps = 0`"),
        ("hidden_act", json!("gelu"), "only silu can be run"),
        ("rope_scaling", json!({"rope_type": "dynamic", "factor": 2.0}), "default, linear, llama3 and yarn can be run"),
        ("rope_scaling", json!({"rope_type": "linear"}), "`factor = null`"),
    ] {
        let mut config = tiny();
        config[key] = value;
        check(&config, &[], expected);
    }
}

#[test]
fn an_index_stays_in_its_folder() {
    let names = |value: Value| shard_names(value.to_string().as_bytes()).map_err(|error| error.to_string());
    assert_eq!(names(json!({"weight_map": {"a": "2.st", "b": "1.st", "c": "2.st"}})).unwrap(), ["1.st", "2.st"]);
    for map in [
        json!({"a": "../x"}),
        json!({"a": "/etc/passwd"}),
        json!({"a": ".."}),
        json!({"a": 1}),
        json!({"a": ""}),
        json!({}),
    ] {
        assert!(names(json!({"weight_map": map})).is_err());
    }
    assert!(names(json!({})).is_err());
    assert!(shard_names(b"{").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_bytes_end_in_a_model_or_a_line(
        at in 0_usize..6000, byte in any::<u8>(), cut in 0_usize..40_000, tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = random::safetensors(&random::shapes(&tiny()));
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        bytes.truncate(cut.max(8) * 4);
        bytes.extend(&tail);
        if let Err(error) = load(&tiny(), &[&bytes]) {
            prop_assert!(!error.contains('\n') && error.len() < 600, "{}", error);
        }
        let _ = load(&tiny(), &[&tail]);
        let _ = Config::from_json(&tail);
        let _ = shard_names(&tail);
    }
}
