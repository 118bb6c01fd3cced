//! Models of random weights that any implementation can make: each number follows from its tensor's name and its index.

use serde_json::{Value, json};

/// Numbers that look random, from a seed and an index (splitmix64).
pub fn bits(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Evenly spread between -1 and 1.
pub fn uniform(seed: u64, index: u64) -> f32 {
    (bits(seed, index) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
}

/// FNV-1a.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Token ids that look random.
pub fn tokens(seed: u64, n: usize, vocab_size: u64) -> Vec<u32> {
    (0..n as u64).map(|it| (bits(seed, it) % vocab_size) as u32).collect()
}

/// Names and shapes of a model's tensors.
pub fn shapes(config: &Value) -> Vec<(String, Vec<usize>)> {
    let size = |key: &str| config[key].as_u64().unwrap_or(0) as usize;
    let (hidden, inner, vocab) = (size("hidden_size"), size("intermediate_size"), size("vocab_size"));
    let head_dim = config["head_dim"].as_u64().map_or(hidden / size("num_attention_heads"), |it| it as usize);
    let (q, kv) = (size("num_attention_heads") * head_dim, size("num_key_value_heads") * head_dim);
    let family = config["model_type"].as_str().unwrap_or_default();
    let mut shapes = vec![("model.embed_tokens.weight".to_owned(), vec![vocab, hidden])];
    for layer in 0..size("num_hidden_layers") {
        let mut add =
            |name: &str, shape: &[usize]| shapes.push((format!("model.layers.{layer}.{name}"), shape.to_vec()));
        add("input_layernorm.weight", &[hidden]);
        for (name, n_rows) in [("q", q), ("k", kv), ("v", kv)] {
            add(&format!("self_attn.{name}_proj.weight"), &[n_rows, hidden]);
            if family == "qwen2" {
                add(&format!("self_attn.{name}_proj.bias"), &[n_rows]);
            }
            if family == "qwen3" && name != "v" {
                add(&format!("self_attn.{name}_norm.weight"), &[head_dim]);
            }
        }
        add("self_attn.o_proj.weight", &[hidden, q]);
        add("post_attention_layernorm.weight", &[hidden]);
        add("mlp.gate_proj.weight", &[inner, hidden]);
        add("mlp.up_proj.weight", &[inner, hidden]);
        add("mlp.down_proj.weight", &[hidden, inner]);
    }
    shapes.push(("model.norm.weight".to_owned(), vec![hidden]));
    if !config["tie_word_embeddings"].as_bool().unwrap_or(false) {
        shapes.push(("lm_head.weight".to_owned(), vec![vocab, hidden]));
    }
    shapes
}

/// Names and shapes of a LongSpec draft for a Llama.
pub fn longspec_shapes(config: &Value, prefix: &str) -> Vec<(String, Vec<usize>)> {
    let size = |key: &str| config[key].as_u64().unwrap_or(0) as usize;
    let (hidden, inner) = (size("hidden_size"), size("intermediate_size"));
    let kv = hidden / size("num_attention_heads") * size("num_key_value_heads");
    let mut shapes = Vec::new();
    let mut add = |name: &str, shape: &[usize]| shapes.push((format!("{prefix}{name}"), shape.to_vec()));
    for attention in ["self_attn", "cross_attn"] {
        for (name, n_rows) in [("q", hidden), ("k", kv), ("v", kv)] {
            add(&format!("{attention}.{name}_proj.weight"), &[n_rows, hidden]);
            add(&format!("{attention}.{name}_proj.bias"), &[n_rows]);
        }
        add(&format!("{attention}.o_proj.weight"), &[hidden, hidden]);
    }
    for (name, shape) in [("gate", [inner, hidden]), ("up", [inner, hidden]), ("down", [hidden, inner])] {
        add(&format!("mlp.{name}_proj.weight"), &shape);
    }
    for name in ["input", "post_self_attention", "post_cross_attention"] {
        add(&format!("{name}_layernorm.weight"), &[hidden]);
    }
    shapes
}

/// A tensor's numbers: norms near 1, biases small, matrices of a size that keeps hidden states in range.
pub fn numbers(name: &str, shape: &[usize]) -> impl Iterator<Item = f32> {
    let seed = hash(name);
    let (centre, size) = match shape {
        [_] if name.contains("norm") => (1.0, 0.3),
        [_] => (0.0, 0.3),
        [_, width] if !name.contains("embed") => (0.0, 2.0 / (*width as f32).sqrt()),
        _ => (0.0, 1.0),
    };
    (0..shape.iter().product::<usize>() as u64).map(move |it| centre + size * uniform(seed, it))
}

/// A safetensors file of f32.
pub fn safetensors(shapes: &[(String, Vec<usize>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape) in shapes {
        let start = data.len();
        data.extend(numbers(name, shape).flat_map(f32::to_le_bytes));
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend(data);
    file
}

/// The models that are compared.
pub fn cases() -> Vec<(&'static str, Value)> {
    let base = json!({
        "vocab_size": 48, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "max_position_embeddings": 8256, "hidden_act": "silu", "tie_word_embeddings": false,
    });
    let with = |extra: Value| {
        let mut config = base.clone();
        for (key, value) in extra.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        config
    };
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 512,
    });
    let qwen = |family: &str, extra: Value| {
        let mut config = with(json!({
            "model_type": family, "sliding_window": 40000, "max_window_layers": 3, "use_sliding_window": false,
            "rope_theta": 1_000_000.0,
        }));
        for (key, value) in extra.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        config
    };
    vec![
        ("llama", with(json!({"model_type": "llama"}))),
        ("llama-3.1", with(json!({"model_type": "llama", "rope_theta": 500_000.0, "rope_scaling": llama3}))),
        (
            "llama-multi-head",
            with(json!({"model_type": "llama", "num_key_value_heads": 4, "tie_word_embeddings": true})),
        ),
        ("qwen2", qwen("qwen2", json!({"tie_word_embeddings": true}))),
        ("qwen3", qwen("qwen3", json!({"head_dim": 24, "attention_bias": false}))),
    ]
}
