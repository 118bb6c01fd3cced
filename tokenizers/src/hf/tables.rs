//! The tokens and merges of a `tokenizer.json`, by id.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    file::{File, Merge},
    shape::Shape,
};
use crate::{
    bpe::NONE,
    pieces::Names,
    vocab::{VocabularyError, spelled, spm},
};

/// What a file says.
pub(super) struct Tables {
    pub(super) names: Names,
    /// The rank of two ids, and the id of what they make.
    pub(super) pairs: FxHashMap<(u32, u32), (u32, u32)>,
    /// What merges make, in order.
    pub(super) results: Vec<u32>,
    /// Tokens that stand for bytes.
    pub(super) bytes: [u32; 256],
    /// Tokens that are taken from the text as they are.
    pub(super) defined: Vec<(u32, String)>,
}

impl Tables {
    /// # Errors
    /// [`VocabularyError`].
    pub(super) fn new(file: &File, shape: Shape) -> Result<Self, VocabularyError> {
        let names = Names::with_capacity(file.model.vocab.len());
        let mut made =
            Self { names, pairs: FxHashMap::default(), results: Vec::new(), bytes: [NONE; 256], defined: Vec::new() };
        made.add_tokens(file, shape)?;
        let specials: FxHashSet<u32> = file.added_tokens.iter().filter(|it| it.special).map(|it| it.id).collect();
        for (rank, merge) in (0..).zip(&file.model.merges) {
            made.add_merge(file, rank, merge, &specials)?;
        }
        Ok(made)
    }

    fn add_tokens(&mut self, file: &File, shape: Shape) -> Result<(), VocabularyError> {
        let mut tokens: Vec<(&str, u32)> = file.model.vocab.iter().map(|(name, id)| (&**name, *id)).collect();
        tokens.sort_unstable_by_key(|it| it.1);
        let added: FxHashMap<&str, bool> = file.added_tokens.iter().map(|it| (&*it.content, it.special)).collect();
        let has_bytes = file.model.byte_fallback == Some(true);
        for (name, id) in tokens {
            match (shape, spm::byte(name).filter(|_| has_bytes)) {
                _ if added.contains_key(name) => self.names.add_hidden(id, name.as_bytes())?,
                (Shape::Bytes { .. }, _) => match spelled::bytes(name) {
                    Some(bytes) => self.names.add(id, &bytes)?,
                    None => self.names.add_hidden(id, name.as_bytes())?,
                },
                (_, Some(byte)) => {
                    self.bytes[usize::from(byte)] = id;
                    self.names.add_hidden(id, &[byte])?;
                }
                (Shape::Spaced { .. }, _) => self.names.add(id, name.replace('\u{2581}', " ").as_bytes())?,
                (Shape::Characters, _) => self.names.add(id, name.as_bytes())?,
            }
        }
        self.add_added(file, shape)
    }

    /// Added tokens may be in the vocabulary too, under the same id.
    fn add_added(&mut self, file: &File, shape: Shape) -> Result<(), VocabularyError> {
        for token in &file.added_tokens {
            match file.model.vocab.get(&token.content) {
                Some(id) if *id != token.id => return Err(VocabularyError::TwoIds(token.content.clone())),
                Some(_) => {}
                None => self.names.add_hidden(token.id, token.content.as_bytes())?,
            }
            if !token.special {
                let is_spaced = matches!(shape, Shape::Spaced { .. });
                let text = if is_spaced { token.content.replace('\u{2581}', " ") } else { token.content.clone() };
                self.defined.push((token.id, text));
            }
        }
        Ok(())
    }

    /// Merges that make or use a control token are left out.
    fn add_merge(
        &mut self,
        file: &File,
        rank: u32,
        merge: &Merge,
        specials: &FxHashSet<u32>,
    ) -> Result<(), VocabularyError> {
        let vocab = &file.model.vocab;
        let bad = || VocabularyError::BadMerge(rank as usize + 1);
        let (left, right) = merge.halves().ok_or_else(bad)?;
        let id = |token: &str| vocab.get(token).copied().ok_or_else(bad);
        let (pair, made) = ((id(left)?, id(right)?), id(&format!("{left}{right}"))?);
        if [pair.0, pair.1, made].iter().any(|it| specials.contains(it)) {
            return Ok(());
        }
        // Of two equal merges, the reference keeps the later one.
        self.pairs.insert(pair, (rank, made));
        self.results.push(made);
        Ok(())
    }
}
