//! What a loaded vocabulary does with text, whatever its kind.

use crate::cuts::Cuts;

/// Where a text stands: a few vocabularies put a space before the first word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the start, or alone.
    First,
    /// Behind other text, at a cut.
    Rest,
}

/// A kind of vocabulary. Implementations take time linear in the text.
pub(crate) trait Encoder: Send + Sync {
    /// The number of tokens, or `None` where that is over `limit`; the work is bounded by the limit.
    fn count(&self, text: &str, place: Place, limit: usize) -> Option<usize>;

    /// Appends the token ids of `text`.
    fn encode(&self, text: &str, place: Place, ids: &mut Vec<u32>);

    /// The bytes of a token; `None` for ids that are none.
    fn token(&self, id: u32) -> Option<&[u8]>;

    /// The id of the token of exactly these bytes.
    fn id(&self, token: &[u8]) -> Option<u32>;

    /// The most bytes of text that `limit` tokens can be.
    fn reach(&self, limit: usize) -> usize;

    /// Where a text may be cut.
    fn cuts(&self) -> &Cuts;

    /// The text of tokens, where it is not what they spell one after another.
    fn decode(&self, _: &[u32]) -> Option<String> {
        None
    }

    /// True if a space is put before a text; reading tokens takes it away again.
    fn leads_with_space(&self) -> bool {
        false
    }
}
