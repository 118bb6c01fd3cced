//! A response in no wire format, and what its encoders must be told.

use super::{
    extras::Extras,
    json::Json,
    request::{Part, PartKind, Request},
};

#[derive(Clone, Debug)]
pub struct Response {
    /// The provider's id.
    pub id: String,
    /// The model that answered.
    pub model: String,
    pub parts: Vec<Part>,
    pub stop: Stop,
    pub usage: Option<Usage>,
    pub extras: Extras,
}

impl Response {
    pub fn calls_tools(&self) -> bool {
        self.parts.iter().any(|it| matches!(it.kind, PartKind::ToolCall(_)))
    }
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    End,
    MaxTokens,
    StopSequence,
    ToolCalls,
    /// The vendor's filter or the model itself declined.
    Filter,
    /// A long turn of the vendor's own tools was interrupted; the caller sends it back to go on.
    Pause,
    /// The model's window is full.
    Window,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub reason: StopReason,
    /// The sequence that was met.
    pub sequence: Option<String>,
}

impl From<StopReason> for Stop {
    fn from(reason: StopReason) -> Self {
        Self { reason, sequence: None }
    }
}

/// Tokens of one response. Parts are parts: OpenAI counts the same way, Anthropic's `input_tokens` is what is left of
/// `input` without `cached` and `cache_written`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of the prompt, cached or not.
    pub input: u64,
    /// Read from the provider's cache.
    pub cached: u64,
    /// Written to the provider's cache.
    pub cache_written: u64,
    /// Of `cache_written`, what is kept for an hour.
    pub cache_written_1h: u64,
    /// All that the model wrote, thoughts included.
    pub output: u64,
    /// Of `output`, what was thought.
    pub reasoning: u64,
}

impl Usage {
    /// What Anthropic calls `input_tokens`.
    pub fn uncached(&self) -> u64 {
        self.input.saturating_sub(self.cached).saturating_sub(self.cache_written)
    }
}

/// What the encoder of a response must know of the request. Time and ids come in from outside.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Letters and digits, new for each response; every id in it is made from this.
    pub id: String,
    /// Unix time, s.
    pub created: u64,
    /// The model as the caller shall see it; the provider's own word where this is absent.
    pub model: Option<String>,
    /// Whether a stream of chat completions ends with its usage.
    pub has_usage: bool,
    /// [`Request::echo`].
    pub echo: Vec<(&'static str, Json)>,
}

impl Asked {
    pub fn new(request: &Request, id: impl Into<String>, created: u64) -> Self {
        Self { id: id.into(), created, model: None, has_usage: request.has_usage, echo: request.echo.clone() }
    }

    pub fn model<'a>(&'a self, returned: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(returned)
    }
}
