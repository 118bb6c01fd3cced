//! Vocabularies as they are published, read into lists of tokens.

pub(crate) mod merges;
pub(crate) mod packed;
pub(crate) mod spelled;
pub(crate) mod spm;
pub(crate) mod tiktoken;

use crate::bpe::BadVocabulary;

/// Why bytes are no vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// The file ends too early, or holds something else.
    #[error("line or byte {at}: {reason}; the file is damaged or of another format")]
    Malformed {
        /// Line of a text file, byte of a binary one, from 1.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A file that is no JSON, or none of a tokenizer.
    #[error("this is no `tokenizer.json`: {0}")]
    Json(String),
    /// A part of a tokenizer that our core does not count exactly.
    #[error("{0} needs the feature `hf`; build with it, or use a byte-pair encoding with a known split")]
    Unsupported(String),
    /// Tokens that differ from time to time.
    #[error("`dropout` makes tokens random; set it to null")]
    Random,
    /// A merge, by its place from 1.
    #[error("merge {0} is none of two tokens into a third")]
    BadMerge(usize),
    /// A merge makes what is no token.
    #[error("a merge makes token {0}, which is none")]
    NoToken(u32),
    /// A token that should be characters.
    #[error("token {0} is no UTF-8")]
    NoText(u32),
    /// The same token twice.
    #[error("token `{0}` has two ids")]
    TwoIds(String),
    /// A token could not be merged from its characters.
    #[error("a character of `{0}` is no token")]
    NoCharacter(String),
    /// What was read makes no vocabulary.
    #[error(transparent)]
    Bad(#[from] BadVocabulary),
}

fn malformed(at: usize, reason: &'static str) -> VocabularyError {
    VocabularyError::Malformed { at, reason }
}
