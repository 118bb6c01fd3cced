//! Vocabularies as they are published, read into lists of tokens.

pub(crate) mod packed;
pub(crate) mod spelled;
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
    /// What was read makes no vocabulary.
    #[error(transparent)]
    Bad(#[from] BadVocabulary),
}

fn malformed(at: usize, reason: &'static str) -> VocabularyError {
    VocabularyError::Malformed { at, reason }
}
