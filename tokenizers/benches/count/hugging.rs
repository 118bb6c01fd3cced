//! The files of SentencePiece's and Gemma's vocabularies as a `tokenizer.json`, in the form in which such models are
//! published, for the `tokenizers` crate.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokenizers::pipeline::PipelineTokenizer;

/// What a file says.
struct Vocabulary {
    /// In the order of ids.
    names: Vec<String>,
    /// What is taken from text as it is.
    defined: Vec<u32>,
    /// What merges make, the first one first.
    results: Vec<u32>,
    /// A space is put before a text.
    leads: bool,
}

pub fn has(vocabulary: &str) -> bool {
    spm(vocabulary).is_some() || vocabulary == "gemma4"
}

fn spm(vocabulary: &str) -> Option<(&'static [u8], bool)> {
    match vocabulary {
        "mistral_v1" => Some((splintr_vocab_mistral::MISTRAL_SPM_VOCAB, true)),
        "mistral_v2" => Some((splintr_vocab_mistral::MISTRAL_V2_SPM_VOCAB, true)),
        #[cfg(feature = "llama2")]
        "llama2" => Some((splintr_vocab_llama2::LLAMA2_SPM_VOCAB, true)),
        #[cfg(feature = "gemma3")]
        "gemma3" => Some((splintr_vocab_gemma3::GEMMA3_SPM_VOCAB, false)),
        _ => None,
    }
}

pub fn load(vocabulary: &str) -> PipelineTokenizer {
    let read = spm(vocabulary).map_or_else(of_merges, |(file, leads)| of_scores(file, leads));
    let file = tokenizers::canonicalize_str(&file(&read).to_string()).expect("a sound file");
    tokenizers::from_json(&file).expect("a sound file")
}

fn of_scores(file: &[u8], leads: bool) -> Vocabulary {
    let text = str::from_utf8(file).expect("a text");
    let mut read = Vocabulary { names: Vec::new(), defined: Vec::new(), results: Vec::new(), leads };
    let mut scored = Vec::new();
    for (id, line) in (0..).zip(text.lines()) {
        let fields: Vec<&str> = line.split(' ').collect();
        let piece = String::from_utf8(STANDARD.decode(fields[0]).expect("base64")).expect("a text");
        let score: f64 = fields[1].parse().expect("a number");
        let kind = fields.get(2).copied();
        if kind == Some("4") {
            read.defined.push(id);
        }
        // A file without types gives scores below zero to what is merged.
        if kind == Some("1") || kind.is_none() && score < 0.0 {
            scored.push((score, id));
        }
        read.names.push(piece);
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    read.results = scored.into_iter().map(|it| it.1).collect();
    read
}

/// Files with a magic number and the number of entries in front.
fn of_merges() -> Vocabulary {
    let [mut names_file, mut merges] =
        [splintr_vocab_gemma4::GEMMA4_VOCAB_PACKED, splintr_vocab_gemma4::GEMMA4_MERGES_PACKED].map(|it| &it[12..]);
    let mut names = Vec::new();
    while !names_file.is_empty() {
        assert_eq!(varint(&mut names_file) as usize, names.len(), "ids are in order");
        let len = varint(&mut names_file) as usize;
        let name = names_file.split_off(..len).expect("a whole name");
        names.push(String::from_utf8(name.to_vec()).expect("a text"));
    }
    let mut results = Vec::new();
    while !merges.is_empty() {
        results.push(varint(&mut merges));
        varint(&mut merges);
    }
    Vocabulary { names, defined: Vec::new(), results, leads: false }
}

fn varint(rest: &mut &[u8]) -> u32 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *rest.split_off_first().expect("a whole number");
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

/// All splits of all results, the longest left half first.
fn file(read: &Vocabulary) -> Value {
    let ids: HashMap<&str, usize> = read.names.iter().map(|it| &**it).zip(0..).collect();
    let mut merges = Vec::new();
    for result in &read.results {
        let name = &*read.names[*result as usize];
        let places = name.char_indices().rev().map(|it| it.0).filter(|it| *it > 0);
        let halves = places.map(|at| name.split_at(at));
        merges.extend(halves.filter(|it| ids.contains_key(it.0) && ids.contains_key(it.1)));
    }
    let added: Vec<Value> = read.defined.iter().map(|id| json!({"id": id, "content": read.names[*id as usize], "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false})).collect();
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let lead = json!({"type": "Prepend", "prepend": "▁"});
    let steps = if read.leads { vec![lead, space] } else { vec![space] };
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": ids, "merges": merges},
    })
}
