//! Files of every kind that is read, made of the first tokens of vocabularies that come with the crate.

use std::{collections::HashMap, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tollgate_tokenizers::Tokenizer;

/// So many tokens make files that load fast.
const N_TOKENS: u32 = 12_000;

pub const CL100K: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

pub fn made() -> Vec<(&'static str, Value)> {
    vec![
        ("bytes", bytes()),
        ("shuffled", shuffled()),
        ("composed", composed()),
        ("unsplit", unsplit()),
        ("leading", pieces(true)),
        ("marked", pieces(false)),
    ]
}

/// GPT-2's form, with merges as text.
pub fn bytes() -> Value {
    let (vocab, merges) = of_ranks("r50k_base", |id| id);
    let merges: Vec<Value> = merges.into_iter().map(|(left, right)| json!(format!("{left} {right}"))).collect();
    let model = json!({"type": "BPE", "dropout": null, "vocab": vocab, "merges": merges});
    file(
        json!(null),
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}),
        model,
    )
}

/// Ids in another order than merges, and pieces that are tokens taken whole: Llama 3's form.
fn shuffled() -> Value {
    let (vocab, merges) = of_ranks("cl100k_base", |id| (id * 7919) % N_TOKENS);
    let model = json!({"type": "BPE", "ignore_merges": true, "vocab": vocab, "merges": merges});
    file(json!(null), split(CL100K), model)
}

/// Normalised, with tokens that are matched first: Qwen's and ModernBERT's form.
fn composed() -> Value {
    let (vocab, merges) = of_ranks("qwen3", |id| id);
    let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    let mut file = file(json!({"type": "NFC"}), split(QWEN), model);
    let added = |id: u32, content: &str, normalized: bool| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": normalized, "special": false});
    let spaces = (2..25).map(|it| added(N_TOKENS - 1 + it, &" ".repeat(it as usize), true));
    file["added_tokens"].as_array_mut().unwrap().extend(spaces.chain([added(N_TOKENS + 24, "<tool>", false)]));
    file
}

fn unsplit() -> Value {
    let (vocab, merges) = of_ranks("o200k_base", |id| N_TOKENS - 1 - id);
    let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    file(json!(null), json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}), model)
}

pub fn split(regex: &str) -> Value {
    json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    ]})
}

fn file(normalizer: Value, pre_tokenizer: Value, model: Value) -> Value {
    let special = json!({"id": model["vocab"].as_object().unwrap().len(), "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [special], "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": null, "model": model})
}

/// Tokens of a vocabulary of ranks, and the last merge of each.
fn of_ranks(name: &str, id: impl Fn(u32) -> u32) -> (Map<String, Value>, Vec<(String, String)>) {
    let source = Tokenizer::by_name(name).unwrap();
    let tokens: Vec<&[u8]> = (0..N_TOKENS).map(|it| source.token(it).unwrap()).collect();
    let ranks: HashMap<&[u8], u32> = tokens.iter().copied().zip(0..).collect();
    let merges = tokens.iter().filter(|it| it.len() > 1).map(|it| last_merge(it, &ranks));
    let merges = merges.map(|(left, right)| (spell(left), spell(right))).collect();
    (tokens.iter().zip(0..).map(|(token, rank)| (spell(token), json!(id(rank)))).collect(), merges)
}

fn last_merge<'a>(token: &'a [u8], ranks: &HashMap<&[u8], u32>) -> (&'a [u8], &'a [u8]) {
    let mut ends: Vec<usize> = (0..=token.len()).collect();
    while ends.len() > 3 {
        let pairs = (0..ends.len() - 2).filter_map(|it| Some((ranks.get(&token[ends[it]..ends[it + 2]])?, it)));
        let (_, at) = pairs.min().unwrap();
        ends.remove(at + 1);
    }
    token.split_at(ends[1])
}

/// GPT-2's alphabet.
fn spell(token: &[u8]) -> String {
    let is_plain = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let other = |byte: u8| (0..byte).filter(|it| !is_plain(it)).count() as u32;
    token
        .iter()
        .map(|it| if is_plain(it) { char::from(*it) } else { char::from_u32(0x100 + other(*it)).unwrap() })
        .collect()
}

/// A published list of pieces and scores.
pub fn scored_pieces() -> Vec<(String, f64)> {
    let file_text = std::str::from_utf8(splintr_vocab_mistral::MISTRAL_SPM_VOCAB).unwrap();
    let read = |line: &str| {
        let (piece, score) = line.split_once(' ').unwrap();
        (String::from_utf8(STANDARD.decode(piece).unwrap()).unwrap(), score.parse::<f64>().unwrap())
    };
    file_text.lines().map(read).collect()
}

/// SentencePiece's form: all splits of all pieces, the best score first.
fn pieces(leads: bool) -> Value {
    let pieces = scored_pieces();
    let ids: HashMap<&str, usize> = pieces.iter().map(|it| &*it.0).zip(0..).collect();
    let mut merges = Vec::new();
    for (piece, score) in pieces.iter().skip(259) {
        let halves = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
        merges.extend(halves.filter(|it| ids.contains_key(it.0) && ids.contains_key(it.1)).map(|it| (*score, it)));
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0));
    let merges: Vec<_> = merges.into_iter().map(|it| it.1).collect();
    let model = json!({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": ids, "merges": merges});
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    if leads {
        let lead = json!({"type": "Prepend", "prepend": "▁"});
        return file(json!({"type": "Sequence", "normalizers": [lead, space]}), json!(null), model);
    }
    let split = json!({"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false});
    file(space, split, model)
}

/// Published files for programs, where they are installed.
pub fn binary() -> Vec<(&'static str, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/binary-bpe");
    let read = |name: &'static str| {
        let path = folder.join(name).join("tokenizer.json");
        let Ok(text) = std::fs::read(&path) else {
            eprintln!("skipped: {} is absent", path.display());
            return None;
        };
        Some((name, serde_json::from_slice(&text).unwrap()))
    };
    ["glaurung-001", "glaurung-003", "glaurung-004"].into_iter().filter_map(read).collect()
}
