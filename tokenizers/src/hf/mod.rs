//! Hugging Face's `tokenizer.json`: byte-pair encodings that our core counts exactly, and the rest through a backend.
//!
//! Control tokens never come out of text: of the added tokens, only those that are not special are matched in it.

#[cfg(feature = "hf")]
mod backend;
#[cfg(not(feature = "hf"))]
#[path = "no_backend.rs"]
mod backend;
mod bytes;
mod file;
#[cfg(feature = "hf")]
mod hidden;
mod shape;
mod tables;

use rustc_hash::FxHashSet;

use self::{
    file::{Added, File, Head},
    shape::{Shape, unsupported},
    tables::Tables,
};
use crate::{
    bpe::BadVocabulary,
    encoder::Encoder,
    model::{Model, Normal, Recipe},
    pieces::{Joins, Matcher, Pieces, Spaces},
    split::Split,
    vocab::VocabularyError,
};

/// What a file holds.
pub(crate) struct Loaded {
    pub(crate) split: Split,
    pub(crate) normal: Normal,
    pub(crate) specials: Vec<(String, u32)>,
    pub(crate) model: Box<dyn Encoder>,
}

/// # Errors
/// [`VocabularyError`].
pub(crate) fn read(json: &[u8]) -> Result<Loaded, VocabularyError> {
    match read_own(json) {
        // Bytes that are no token may occur where a vocabulary has a token for the unknown, or passes over them.
        Err(why @ (VocabularyError::Unsupported(_) | VocabularyError::Bad(BadVocabulary::NoByte(_)))) => {
            backend::read(json, why)
        }
        read => read,
    }
}

fn read_own(json: &[u8]) -> Result<Loaded, VocabularyError> {
    let head: Head = serde_json::from_slice(json).map_err(|it| VocabularyError::Json(it.to_string()))?;
    if let Some(kind) = head.model.kind.filter(|it| it != "BPE") {
        return Err(unsupported(&format!("the model `{kind}`")));
    }
    let file: File = serde_json::from_slice(json).map_err(|it| VocabularyError::Json(it.to_string()))?;
    check(&file)?;
    let shape = Shape::of(&file)?;
    let (split, normal) = match shape {
        Shape::Bytes { split, normal } => (split, normal),
        _ => (Split::None, Normal::AsIs),
    };
    if normal == Normal::Nfc && text_tokens(&file).any(|it| it.normalized && !survives_composition(&it.content)) {
        return Err(unsupported("an added token that is composed first"));
    }
    let specials = file.added_tokens.iter().filter(|it| it.special).map(|it| (it.content.clone(), it.id)).collect();
    Ok(Loaded { split, normal, specials, model: model(&file, shape)? })
}

/// Added tokens that text becomes.
fn text_tokens(file: &File) -> impl Iterator<Item = &Added> {
    file.added_tokens.iter().filter(|it| !it.special)
}

/// True if composition neither makes nor unmakes the token, whatever stands around it: of ASCII, `K`, `;` and the
/// backtick have canonical twins, and only letters and `<=>` compose with what follows.
fn survives_composition(token: &str) -> bool {
    let is_plain = token.bytes().all(|it| it.is_ascii() && !matches!(it, b'K' | b';' | b'`'));
    is_plain && !token.ends_with(|it: char| it.is_ascii_alphanumeric() || matches!(it, '<' | '=' | '>'))
}

/// Tokens of raw text are matched before those of normalised text: together only where no two can overlap.
fn may_overlap(file: &File) -> bool {
    let (normalized, raw): (Vec<&Added>, Vec<&Added>) = text_tokens(file).partition(|it| it.normalized);
    let raw: FxHashSet<char> = raw.iter().flat_map(|it| it.content.chars()).collect();
    normalized.iter().any(|it| it.content.contains(|it| raw.contains(&it)))
}

fn check(file: &File) -> Result<(), VocabularyError> {
    let model = &file.model;
    let has = |text: &Option<String>| text.as_deref().is_some_and(|it| !it.is_empty());
    if model.dropout.is_some_and(|it| it > 0.0) {
        return Err(unsupported("`dropout`"));
    }
    if has(&model.continuing_subword_prefix) || has(&model.end_of_word_suffix) {
        return Err(unsupported("a prefix or suffix of pieces"));
    }
    let plain = |it: &Added| it.special || !(it.single_word || it.lstrip || it.rstrip || it.content.is_empty());
    if may_overlap(file) {
        return Err(unsupported("added tokens of raw and of normalized text that may overlap"));
    }
    if !file.added_tokens.iter().all(plain) {
        return Err(unsupported("an added token that is a word or strips spaces"));
    }
    Ok(())
}

fn model(file: &File, shape: Shape) -> Result<Box<dyn Encoder>, VocabularyError> {
    let tables = Tables::new(file, shape)?;
    match shape {
        Shape::Bytes { split, normal } => bytes_model(file, tables, split, normal),
        Shape::Characters | Shape::Spaced { .. } => {
            if file.model.unk_token.is_some() && file.model.byte_fallback != Some(true) {
                return Err(unsupported("a token for unknown characters"));
            }
            if file.model.ignore_merges == Some(true) {
                return Err(unsupported("`ignore_merges` without a split"));
            }
            let Tables { names, pairs, bytes, defined, .. } = tables;
            Ok(Box::new(Pieces::of_pairs(names, Joins::of_pairs(pairs)?, bytes, &defined, shape.spaces())?))
        }
    }
}

fn bytes_model(file: &File, tables: Tables, split: Split, normal: Normal) -> Result<Box<dyn Encoder>, VocabularyError> {
    if let Some(byte) = (0..=255).find(|it| tables.names.id(&[*it]).is_none()) {
        return Err(BadVocabulary::NoByte(byte).into());
    }
    let takes_whole = file.model.ignore_merges == Some(true);
    let matcher = Matcher::new(tables.defined.iter().map(|(id, token)| (*id, token.as_bytes())));
    let is_matching = !tables.defined.is_empty();
    let general = bytes::General::new(tables, matcher, (split, normal), takes_whole)?;
    match general.ranked().filter(|_| !is_matching) {
        Some(tokens) => Ok(Box::new(Model::new(Recipe { tokens, split, normal })?)),
        None => Ok(Box::new(general)),
    }
}

impl Shape {
    fn spaces(self) -> Spaces {
        match self {
            Self::Spaced { leads: true } => Spaces::Leading,
            Self::Spaced { leads: false } => Spaces::Marked,
            Self::Bytes { .. } | Self::Characters => Spaces::Plain,
        }
    }
}
