//! JSON as the protocols need it: read in one pass with every value's bytes at hand, written member by member.

mod progress;
mod tape;
mod write;

pub use progress::JsonProgress;
pub use tape::{Entry, JsonError, Kind, Node, Tape};
pub use write::{Array, Object, quote};

/// The text of one valid JSON value, carried and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// The bytes of `node`, as they came.
    pub fn of(node: Node<'_>) -> Self {
        Self(node.raw().into())
    }

    /// `text` as a JSON string.
    pub fn string(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        quote(&mut out, text);
        Self(String::from_utf8_lossy(&out).into())
    }

    /// `text`, if it is one JSON value.
    pub fn parse(text: &str) -> Option<Self> {
        Tape::parse(text).ok().map(|tape| Self::of(tape.root()))
    }

    /// What is said of a tool that takes nothing.
    pub fn empty_schema() -> Self {
        Self(r#"{"type":"object","properties":{}}"#.into())
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}
