//! The things to be labelled, and who may share a prompt with whom.

use serde::{Deserialize, Serialize};

/// One thing to be labelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// By which its answer is found; unique in a job.
    pub id: String,
    /// What the model reads.
    pub text: String,
    /// Whose it is. Items of different keys are never in one prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where it comes from. Items of different trust labels are never in one prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// The right answer, where it is known. It is compared with the result and never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The text was no valid UTF-8, and what was not stands as U+FFFD.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
}

impl Item {
    /// An item of nobody in particular.
    #[must_use]
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), ..Self::default() }
    }

    /// An item whose text may not be UTF-8; what is not becomes U+FFFD, and the item is flagged.
    #[must_use]
    pub fn from_bytes(id: impl Into<String>, text: &[u8]) -> Self {
        let readable = String::from_utf8_lossy(text);
        let replaced = matches!(readable, std::borrow::Cow::Owned(_));
        Self { id: id.into(), text: readable.into_owned(), replaced, ..Self::default() }
    }

    /// Only items of the same realm are ever together.
    pub(super) fn realm(&self) -> (Option<&str>, Option<&str>) {
        (self.key.as_deref(), self.trust.as_deref())
    }
}
