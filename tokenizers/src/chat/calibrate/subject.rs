//! What a report is about: a model, and the shape of the request.

use crate::chat::{
    families::Family,
    request::{Format, Request},
};

/// A request, as far as its estimate's error depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    family: String,
    model: String,
    format: Format,
    shape: Shape,
    thinking: bool,
    tools: u64,
}

/// Kinds of requests whose estimates err in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Plain,
    Tools,
    Called,
    Schema,
    Media,
    /// With something that nobody can count: what it was charged says little of others.
    Unpriced,
}

impl Subject {
    /// The subject of a request to `model`.
    #[must_use]
    pub fn new(family: &Family, model: &str, request: &Request) -> Self {
        Self {
            family: family.name.to_owned(),
            model: model.chars().take(MOST_NAME).collect(),
            format: request.format,
            shape: shape(request),
            thinking: request.thinking,
            tools: fingerprint(request),
        }
    }

    /// Keys from the closest to the widest, each with the fewest reports that are believed.
    pub(super) fn keys(&self) -> Vec<(Key, usize)> {
        let key = |model: &str, format, tools| Key {
            family: self.family.clone(),
            model: model.to_owned(),
            format,
            shape: self.shape,
            thinking: self.thinking,
            tools,
        };
        let mut keys = Vec::with_capacity(3);
        if self.tools != 0 {
            keys.push((key(&self.model, Some(self.format), self.tools), 1));
        }
        keys.push((key(&self.model, Some(self.format), 0), 2));
        keys.push((key("", None, 0), 3));
        keys
    }
}

/// Names of models come from clients.
const MOST_NAME: usize = 100;

/// What reports are filed under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Key {
    family: String,
    model: String,
    format: Option<Format>,
    shape: Shape,
    thinking: bool,
    tools: u64,
}

fn shape(request: &Request) -> Shape {
    match () {
        () if !request.uncounted.is_empty() => Shape::Unpriced,
        () if request.has_images() => Shape::Media,
        () if request.response.is_some() => Shape::Schema,
        () if request.has_calls() => Shape::Called,
        () if !request.tools.is_empty() => Shape::Tools,
        () => Shape::Plain,
    }
}

/// Tells lists of tools from each other by names and lengths (FNV-1a, which is the same in every process); zero
/// without tools.
fn fingerprint(request: &Request) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for tool in request.tools.iter() {
        let length = tool.description.len() as u64;
        for byte in tool.name.bytes().chain(length.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    if request.tools.is_empty() { 0 } else { hash.max(1) }
}
