//! `tokenizer.json` as the family is published, in both forms: older files spell bytes as the characters of Latin-1 and
//! have no pre-tokenizer; newer ones spell them in GPT-2's alphabet and name `ByteLevel` as pre-tokenizer and decoder.

use std::collections::HashMap;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::{merges::Merges, vocabulary::Vocabulary};
use crate::vocab::{VocabularyError, spelled};

/// How bytes are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// GPT-2's alphabet, `ByteLevel`: what newer exports have.
    ByteLevel,
    /// The characters up to U+00FF: what older exports have.
    Latin1,
}

pub(super) fn read(json: &[u8]) -> Result<Vocabulary, VocabularyError> {
    let file: Value = serde_json::from_slice(json).map_err(|error| VocabularyError::Json(error.to_string()))?;
    let model = &file["model"];
    check(&file, model)?;
    let form = if names(&file["pre_tokenizer"], "ByteLevel") { Form::ByteLevel } else { Form::Latin1 };
    let vocab = model["vocab"].as_object().ok_or_else(|| no("`model.vocab`"))?;
    let mut ids = FxHashMap::default();
    for (name, id) in vocab {
        let id = id.as_u64().and_then(|it| u32::try_from(it).ok()).ok_or_else(|| no("an id"))?;
        // No table is made that is larger than what the file could fill.
        if id as usize >= json.len() {
            return Err(VocabularyError::NoToken(id));
        }
        ids.insert(name.as_str(), id);
    }
    let specials = specials(&file, json.len())?;
    let merges = model["merges"].as_array().ok_or_else(|| no("`model.merges`"))?;
    let mut tokens = Tokens::of_bytes(&ids, form)?;
    for (at, merge) in merges.iter().enumerate() {
        let (left, right) = sides(merge).ok_or(VocabularyError::BadMerge(at + 1))?;
        tokens.merge(&ids, left, right).ok_or(VocabularyError::BadMerge(at + 1))?;
    }
    let merges = Merges::new(tokens.pairs).ok_or(VocabularyError::BadMerge(super::MOST_MERGES + 1))?;
    Ok(Vocabulary::with_ids(merges, tokens.ids, specials))
}

fn no(what: &str) -> VocabularyError {
    VocabularyError::Json(format!("{what} of a Binary BPE is missing or of another kind"))
}

fn check(file: &Value, model: &Value) -> Result<(), VocabularyError> {
    let unsupported =
        |what: &str| VocabularyError::Json(format!("{what} is not part of Binary BPE; load it as a text tokenizer"));
    if model["type"].as_str().is_some_and(|it| it != "BPE") {
        return Err(unsupported("a model that is no `BPE`"));
    }
    if !model["dropout"].is_null() {
        return Err(VocabularyError::Random);
    }
    if !file["normalizer"].is_null() {
        return Err(unsupported("a normalizer"));
    }
    if model["ignore_merges"].as_bool() == Some(true) {
        return Err(unsupported("`ignore_merges`"));
    }
    let split = &file["pre_tokenizer"];
    let plain = split.is_null()
        || (split["type"] == "ByteLevel" && split["use_regex"] == false && split["add_prefix_space"] != true);
    if plain { Ok(()) } else { Err(unsupported("a pre-tokenizer that splits or adds text")) }
}

/// Whether a component, or one of its parts, is of a type.
fn names(component: &Value, kind: &str) -> bool {
    component["type"] == kind
}

fn specials(file: &Value, most: usize) -> Result<Vec<(String, u32)>, VocabularyError> {
    let added = file["added_tokens"].as_array().map_or(&[][..], Vec::as_slice);
    let special = |token: &Value| {
        let id = token["id"].as_u64().and_then(|it| u32::try_from(it).ok()).filter(|it| (*it as usize) < most)?;
        Some((token["content"].as_str()?.to_owned(), id))
    };
    added.iter().map(|it| special(it).ok_or_else(|| no("an added token"))).collect()
}

fn sides(merge: &Value) -> Option<(&str, &str)> {
    match merge {
        Value::String(both) => both.split_once(' '),
        Value::Array(sides) => match sides.as_slice() {
            [left, right] => Some((left.as_str()?, right.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// What was read so far.
struct Tokens<'a> {
    /// The number of a byte or merge, by its name.
    known: HashMap<&'a str, u16>,
    pairs: Vec<(u16, u16)>,
    ids: Vec<u32>,
}

impl<'a> Tokens<'a> {
    fn of_bytes(ids: &FxHashMap<&'a str, u32>, form: Form) -> Result<Self, VocabularyError> {
        let mut tokens = Self { known: HashMap::new(), pairs: Vec::new(), ids: Vec::new() };
        for byte in 0..=255u8 {
            let name = spell(&[byte], form);
            let (name, id) = ids.get_key_value(name.as_str()).ok_or(VocabularyError::NoCharacter(name))?;
            tokens.known.insert(name, u16::from(byte));
            tokens.ids.push(*id);
        }
        Ok(tokens)
    }

    /// Adds a merge of two tokens that are there; `None` if one is not, or if the third is none.
    fn merge(&mut self, ids: &FxHashMap<&'a str, u32>, left: &str, right: &str) -> Option<()> {
        let (left_id, right_id) = (*self.known.get(left)?, *self.known.get(right)?);
        let name = [left, right].concat();
        let (name, id) = ids.get_key_value(name.as_str())?;
        // Its bytes have merged to a token before, so that this pair never comes to stand side by side.
        if self.known.contains_key(name) {
            return Some(());
        }
        let token = u16::try_from(256 + self.pairs.len()).ok()?;
        self.known.insert(name, token);
        self.pairs.push((left_id, right_id));
        self.ids.push(*id);
        Some(())
    }
}

/// Bytes as a token's name.
fn spell(bytes: &[u8], form: Form) -> String {
    match form {
        Form::Latin1 => bytes.iter().map(|it| char::from(*it)).collect(),
        Form::ByteLevel => bytes.iter().map(|it| spelled::char_of(*it)).collect(),
    }
}

pub(super) fn write(vocabulary: &Vocabulary, form: Form) -> String {
    let name = |token: u16| spell(vocabulary.merges.spelling(token), form);
    let mut vocab = serde_json::Map::new();
    for (name, id) in &vocabulary.specials {
        vocab.insert(name.clone(), json!(id));
    }
    for (token, id) in vocabulary.ids.iter().enumerate() {
        vocab.insert(name(token as u16), json!(id));
    }
    let merges: Vec<_> =
        vocabulary.merges.pairs().iter().map(|(left, right)| json!([name(*left), name(*right)])).collect();
    let added = vocabulary.specials.iter().map(|(name, id)| {
        json!({"id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    });
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let (pre_tokenizer, decoder) = match form {
        Form::ByteLevel => (
            byte_level,
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        ),
        Form::Latin1 => (Value::Null, json!({"type": "Fuse"})),
    };
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null, "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": decoder,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": form == Form::ByteLevel,
            "ignore_merges": false, "vocab": vocab, "merges": merges,
        },
    });
    file.to_string()
}
