//! A byte-level vocabulary ready for text: normalisation, pre-tokenizer and byte-pair encoding behind one another.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{
    bpe::{BadVocabulary, BytePairs, Scratch},
    cuts::Cuts,
    encoder::{Encoder, Place},
    split::{Batch, Scanner, Split, Stretch},
    sync::Pool,
};

/// What happens to text before it is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normal {
    /// Nothing.
    AsIs,
    /// Unicode's canonical composition.
    Nfc,
}

impl Normal {
    /// The most bytes of text for each byte that is left.
    pub(crate) fn most_shrink(self) -> usize {
        // Composition takes at most three bytes for each that it leaves (UAX 15, maximum expansion).
        if self == Self::Nfc { 3 } else { 1 }
    }

    pub(crate) fn apply(self, text: &str) -> Cow<'_, str> {
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
    cuts: Cuts,
    rooms: Pool<Room>,
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
        let cuts = Cuts::of_split(split, std::iter::empty());
        Ok(Self { pairs, split, normal, cuts, rooms: Pool::default() })
    }

    pub(crate) fn split(&self) -> Split {
        self.split
    }

    fn with_room<T>(&self, work: impl FnOnce(&mut Room) -> T) -> T {
        self.rooms.with(|| Room { scratch: self.pairs.scratch(), stretch: Stretch::default() }, work)
    }
}

impl Encoder for Model {
    fn count(&self, text: &str, _: Place, limit: usize) -> Option<usize> {
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

    fn encode(&self, text: &str, _: Place, ids: &mut Vec<u32>) {
        let text = self.normal.apply(text);
        self.with_room(|room| {
            let mut scanner = Scanner::new(self.split, &text, &mut room.stretch);
            while let Some(Batch { base, ends }) = scanner.next() {
                let mut start = base;
                for end in ends.iter().map(|it| base + *it as usize) {
                    self.pairs.encode(text.as_bytes(), start, end, |id, _| ids.push(id));
                    start = end;
                }
            }
        });
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        self.pairs.token(id)
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        self.pairs.id(token)
    }

    fn reach(&self, limit: usize) -> usize {
        limit.saturating_mul(self.normal.most_shrink() * self.pairs.longest())
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }
}
