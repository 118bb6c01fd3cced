//! A vocabulary ready for text: normalisation, pre-tokenizer and byte-pair encoding behind one another.

use std::{borrow::Cow, sync::Mutex};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{
    bpe::{BadVocabulary, BytePairs, Scratch},
    split::{Batch, Scanner, Split, Stretch},
    sync::lock,
};

/// Sets of working memory that are kept for the next text; each is 1 MiB.
const KEPT: usize = 16;

/// What happens to text before it is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normal {
    /// Nothing.
    AsIs,
    /// Unicode's canonical composition.
    Nfc,
}

impl Normal {
    fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Nfc if !text.is_ascii() && is_nfc_quick(text.chars()) != IsNormalized::Yes => {
                Cow::Owned(text.nfc().collect())
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// What a vocabulary is made of.
pub(crate) struct Recipe<'a> {
    /// Ids and bytes.
    pub(crate) tokens: Vec<(u32, Cow<'a, [u8]>)>,
    pub(crate) split: Split,
    pub(crate) normal: Normal,
}

/// One loaded vocabulary.
pub(crate) struct Model {
    pairs: BytePairs,
    split: Split,
    normal: Normal,
    idle: Mutex<Vec<Box<Room>>>,
}

/// Working memory of one text at a time.
struct Room {
    scratch: Scratch,
    stretch: Stretch,
}

impl Model {
    /// Makes the tables.
    ///
    /// # Errors
    /// [`BadVocabulary`].
    pub(crate) fn new(recipe: Recipe<'_>) -> Result<Self, BadVocabulary> {
        let tokens = recipe.tokens.iter().map(|(id, token)| (*id, &**token));
        let pairs = BytePairs::new(tokens, recipe.tokens.len())?;
        let Recipe { split, normal, .. } = recipe;
        Ok(Self { pairs, split, normal, idle: Mutex::default() })
    }

    /// The number of tokens, or `None` where that is over `limit`; the work is bounded by the limit.
    pub(crate) fn count(&self, text: &str, limit: usize) -> Option<usize> {
        let mut total = 0;
        let text = self.normal.apply(text);
        self.with_room(|room| {
            let mut scanner = Scanner::new(self.split, &text, &mut room.stretch);
            while let Some(batch) = scanner.next() {
                total += self.pairs.count(&mut room.scratch, text.as_bytes(), &batch);
                if total > limit {
                    return None;
                }
            }
            Some(total)
        })
    }

    /// Calls `take` with the id and the end in bytes of each token of the normalised text.
    pub(crate) fn each(&self, text: &str, mut take: impl FnMut(u32, usize)) {
        let text = self.normal.apply(text);
        self.with_room(|room| {
            let mut scanner = Scanner::new(self.split, &text, &mut room.stretch);
            while let Some(Batch { base, ends }) = scanner.next() {
                let mut start = base;
                for end in ends.iter().map(|it| base + *it as usize) {
                    self.pairs.encode(text.as_bytes(), start, end, &mut take);
                    start = end;
                }
            }
        });
    }

    /// The bytes of a token; `None` for ids that are none.
    pub(crate) fn token(&self, id: u32) -> Option<&[u8]> {
        self.pairs.token(id)
    }

    /// The id of the token of exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<u32> {
        self.pairs.id(token)
    }

    /// The most bytes of text that `limit` tokens can be.
    pub(crate) fn reach(&self, limit: usize) -> usize {
        // Composition takes at most three bytes for each that it leaves (UAX 15, maximum expansion).
        let shrink = if self.normal == Normal::Nfc { 3 } else { 1 };
        limit.saturating_mul(shrink * self.pairs.longest())
    }

    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        let kept = lock(&self.idle).pop();
        let mut room =
            kept.unwrap_or_else(|| Box::new(Room { scratch: self.pairs.scratch(), stretch: Stretch::default() }));
        let done = work(&mut room);
        let mut idle = lock(&self.idle);
        if idle.len() < KEPT {
            idle.push(room);
        }
        done
    }
}
