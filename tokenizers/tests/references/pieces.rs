//! Mistral's SentencePiece models, read without our code and turned into the merges that `tokenizers` knows.

use std::collections::HashMap;

use serde_json::json;

use super::{Oracle, files};

/// A piece as `sentencepiece_model.proto` numbers its fields.
#[derive(Default)]
struct Piece {
    text: String,
    score: f32,
    kind: u64,
}

const NORMAL: u64 = 1;

pub fn sentencepiece(name: &str) -> Option<Oracle> {
    let model = files::read(&files::fetched(&format!("python/mistral_common/data/{name}")))?;
    let pieces: Vec<Piece> = fields(&model).filter(|it| it.0 == 1).map(|(_, field)| piece(field)).collect();
    let ids: HashMap<&str, usize> = pieces.iter().map(|it| &*it.text).zip(0..).collect();
    let mut merges = Vec::new();
    for Piece { text, score, kind } in &pieces {
        let halves = text.char_indices().skip(1).map(|(at, _)| text.split_at(at));
        let merged = |half: &str| ids.get(half).is_some_and(|it| pieces[*it].kind == NORMAL);
        merges.extend(halves.filter(|it| *kind == NORMAL && merged(it.0) && merged(it.1)).map(|it| (*score, it)));
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0));
    let merges: Vec<_> = merges.into_iter().map(|it| it.1).collect();
    let model = json!({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": ids, "merges": merges});
    let lead = json!({"type": "Prepend", "prepend": "▁"});
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    Some(files::oracle(
        &json!({"version": "1.0", "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": [lead, space]}, "pre_tokenizer": null, "post_processor": null, "decoder": null, "model": model}),
    ))
}

fn piece(message: &[u8]) -> Piece {
    let mut piece = Piece { kind: NORMAL, ..Piece::default() };
    for (number, field) in fields(message) {
        match number {
            1 => piece.text = String::from_utf8(field.to_vec()).unwrap(),
            2 => piece.score = f32::from_le_bytes(field.try_into().unwrap()),
            3 => piece.kind = varint(&mut &*field),
            _ => {}
        }
    }
    piece
}

/// The numbers of a message's fields and what is in them.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        if message.is_empty() {
            return None;
        }
        let key = varint(&mut message);
        let len = match key % 8 {
            0 => 1 + message.iter().position(|it| *it < 0x80).unwrap(),
            1 => 8,
            2 => varint(&mut message) as usize,
            _ => 4,
        };
        Some((key / 8, message.split_off(..len).unwrap()))
    })
}

fn varint(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *rest.split_off_first().unwrap();
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}
