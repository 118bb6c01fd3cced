//! Byte-pair encodings as Hugging Face's `tokenizer.json`; what would not be exact is refused.
//!
//! Control tokens never come out of text: of the added tokens, only those that are not special are matched in it.

mod bytes;
mod file;
mod shape;
mod tables;

use self::{
    file::{Added, File, Head},
    shape::{Shape, unsupported},
    tables::Tables,
};
use crate::{
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
    // Composition could make or unmake what is matched; it leaves white space alone.
    let is_at_risk =
        |it: &&Added| !it.special && it.normalized && !it.content.bytes().all(|it| it.is_ascii_whitespace());
    if normal == Normal::Nfc && file.added_tokens.iter().any(|it| is_at_risk(&it)) {
        return Err(unsupported("an added token that is composed first"));
    }
    let specials = file.added_tokens.iter().filter(|it| it.special).map(|it| (it.content.clone(), it.id)).collect();
    Ok(Loaded { split, normal, specials, model: model(&file, shape)? })
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
            Ok(Box::new(Pieces::of_pairs(names, Joins::Pairs(pairs), bytes, &defined, shape.spaces())?))
        }
    }
}

fn bytes_model(file: &File, tables: Tables, split: Split, normal: Normal) -> Result<Box<dyn Encoder>, VocabularyError> {
    if let Some(byte) = (0..=255).find(|it| tables.names.id(&[*it]).is_none()) {
        return Err(crate::bpe::BadVocabulary::NoByte(byte).into());
    }
    let takes_whole = file.model.ignore_merges == Some(true);
    let matcher = Matcher::new(tables.defined.iter().map(|(id, token)| (*id, token.as_bytes())));
    let is_matching = !tables.defined.is_empty();
    let general = bytes::General::new(tables, matcher, (split, normal), takes_whole);
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
