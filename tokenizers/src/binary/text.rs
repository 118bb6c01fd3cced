//! A Binary BPE in the registry of tokenizers: text is its UTF-8.

use super::vocabulary::Vocabulary;
use crate::{
    cuts::{Cuts, Pairs},
    encoder::{Encoder, Place},
};

/// Bytes that are counted between two looks at the limit; a multiple of no character.
const STEP: usize = 1 << 16;

/// The bytes of a text, as executables are counted.
pub(crate) struct BinaryText {
    vocabulary: &'static Vocabulary,
    cuts: Cuts,
    longest: usize,
}

impl BinaryText {
    pub(crate) fn new(vocabulary: &'static Vocabulary) -> Self {
        let spellings = || (0..vocabulary.merges.n_tokens()).map(|it| vocabulary.merges.spelling(it as u16));
        let longest = spellings().map(<[u8]>::len).max().unwrap_or(1);
        // `Cuts` takes U+2581 (e2 96 81) for a space, so that a space must not be cut where one of these is not.
        let as_space =
            |it: &[u8]| it.iter().map(|byte| if matches!(byte, 0xe2 | 0x81) { b' ' } else { *byte }).collect();
        let spaced: Vec<Vec<u8>> = spellings().map(as_space).collect();
        let pairs = Pairs::of(spellings().chain(spaced.iter().map(Vec::as_slice)));
        Self { vocabulary, cuts: Cuts::Pairs(pairs), longest }
    }
}

impl Encoder for BinaryText {
    fn count(&self, text: &str, _: Place, limit: usize) -> Option<usize> {
        let mut stream = super::Stream::new(self.vocabulary);
        let mut total = 0;
        for part in text.as_bytes().chunks(STEP) {
            stream.push(part, |_, _| total += 1);
            if total > limit {
                return None;
            }
        }
        stream.finish(|_, _| total += 1);
        Some(total).filter(|it| *it <= limit)
    }

    fn encode(&self, text: &str, _: Place, ids: &mut Vec<u32>) {
        self.vocabulary.each_token(text.as_bytes(), |id, _| ids.push(id));
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        self.vocabulary.token(id)
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        self.vocabulary.id(token)
    }

    fn reach(&self, limit: usize) -> usize {
        limit.saturating_mul(self.longest)
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }
}
