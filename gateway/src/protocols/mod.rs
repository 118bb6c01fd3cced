//! The wire formats of LLM APIs, as pure functions: bytes to one shared representation and back, for requests,
//! responses, errors and streams. No IO, no clock, no randomness.
//!
//! A format is one folder and one line in [`PROTOCOLS`]. What a target cannot say is either refused, because the answer
//! would be another one, or listed in [`Encoded::dropped`]; nothing is lost silently. Traffic that stays in its format
//! does not come through here: see [`edit`].

pub mod edit;
pub mod json;

mod anthropic;
mod checks;
mod effort;
mod extras;
mod foreign;
mod openai;
mod openai_chat;
mod openai_responses;
mod read;
mod refusal;
mod request;
mod response;
mod seal;
mod sse;
mod stream;
mod watch;

#[cfg(test)]
mod tests;

pub use checks::{check, check_body};
pub use extras::{Dropped, Extras};
pub use json::Json;
pub use refusal::{ApiError, ErrorKind, Refusal};
pub use request::{
    At, Format, Function, Message, Part, PartKind, Request, Role, Seal, Thought, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult,
};
pub use response::{Asked, Response, Stop, StopReason, Usage};
pub use stream::{Event, StreamDecoder, StreamEncoder};
pub use watch::{UsageIn, Watch};

/// What the encoder of a request must know of the model that it goes to; all of it comes from the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The provider's name of the model; the caller's where this is absent.
    pub model: Option<String>,
    /// The most that the model writes. Anthropic wants a number in every request.
    pub max_output_tokens: Option<u64>,
    /// Old servers of chat completions know `max_tokens` only.
    pub has_old_max_tokens: bool,
    /// Claude models before Opus 4.6 know a budget of thinking instead of an effort.
    pub thinks_by_budget: bool,
}

/// A request for a provider.
#[derive(Clone, Debug)]
pub struct Encoded {
    pub body: Vec<u8>,
    /// What the provider does not get, none of which changes the answer.
    pub dropped: Vec<Dropped>,
}

/// One wire format.
pub struct Protocol {
    pub name: &'static str,
    pub format: Format,
    /// Where clients send their requests.
    pub path: &'static str,
    pub decode_request: fn(&[u8]) -> Result<Request, Refusal>,
    pub encode_request: fn(&Request, &Target) -> Result<Encoded, Refusal>,
    pub decode_response: fn(&[u8]) -> Result<Response, ApiError>,
    pub encode_response: fn(&Response, &Asked) -> Vec<u8>,
    pub decode_error: fn(u16, &[u8]) -> ApiError,
    pub encode_error: fn(&ApiError) -> (u16, Vec<u8>),
    pub decoder: fn() -> Box<dyn StreamDecoder + Send>,
    pub encoder: fn(&Asked) -> Box<dyn StreamEncoder + Send>,
    /// The usage in a whole response.
    pub usage_of: fn(&[u8]) -> Option<Usage>,
    /// The usage in one event of a stream.
    pub usage_in: UsageIn,
}

pub static PROTOCOLS: &[Protocol] = &[openai_chat::PROTOCOL, openai_responses::PROTOCOL, anthropic::PROTOCOL];

/// The protocol of that name.
pub fn protocol(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|it| it.name == name)
}
