//! The vocabularies that come with the crate. Smaller ones are beginnings of the largest.

use std::sync::OnceLock;

use super::{merges::Merges, vocabulary::Vocabulary};

/// The merges of the largest vocabulary: two little-endian 16-bit numbers each. `docs/binary.md` says how they were
/// trained, and on what.
static MERGES: &[u8] = include_bytes!("../../vocabularies/binary/merges.bin");

/// A size of the family: ids, control tokens included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Size {
    K4,
    K8,
    K16,
    K32,
    K64,
}

/// Every size, the smallest first.
pub const SIZES: [Size; 5] = [Size::K4, Size::K8, Size::K16, Size::K32, Size::K64];

impl Size {
    /// Ids of the vocabulary.
    #[must_use]
    pub fn n_ids(self) -> usize {
        4096 << self as usize
    }

    /// The name under which the vocabulary is registered.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["binary-4k", "binary-8k", "binary-16k", "binary-32k", "binary-64k"][self as usize]
    }

    /// The size of this name, with or without `binary-`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let short = |it: &Size| it.name().strip_prefix("binary-") == Some(name);
        SIZES.into_iter().find(|it| it.name() == name || short(it))
    }
}

/// The shipped vocabulary of this size. It is made at first use (some 10 ms) and stays.
pub fn shipped(size: Size) -> &'static Vocabulary {
    static MADE: [OnceLock<Vocabulary>; 5] = [const { OnceLock::new() }; 5];
    MADE[size as usize].get_or_init(|| {
        // A test loads every size, so that the file is known to be sound.
        let all = Merges::from_bytes(MERGES).unwrap_or_default();
        Vocabulary::new(all.first(size.n_ids() - 7 - 256))
    })
}
