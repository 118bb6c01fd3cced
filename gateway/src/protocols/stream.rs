//! A response as it comes, in no wire format. Every event goes out when it comes in; nothing waits for its end.

use super::{
    refusal::ApiError,
    request::Seal,
    response::{Stop, Usage},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first event. Anthropic states the usage of the prompt here.
    Start {
        id: String,
        model: String,
        usage: Option<Usage>,
    },
    Text(String),
    /// The model's own words for not answering.
    Refusal(String),
    /// A piece of a thought.
    Reasoning(String),
    /// A new paragraph of the thought begins.
    ReasoningBreak,
    /// What makes the thought usable in later requests, with OpenAI's id of it.
    Sealed {
        seal: Seal,
        id: Option<String>,
    },
    /// The text, refusal or thought is over; what follows is another part, even if of the same kind.
    PartEnd,
    /// The call number `call`, counted from 0, begins.
    ToolStart {
        call: u32,
        id: String,
        name: String,
    },
    ToolArguments {
        call: u32,
        json: String,
    },
    ToolEnd {
        call: u32,
    },
    Stop(Stop),
    /// Totals; later ones replace earlier ones.
    Usage(Usage),
    Error(ApiError),
    Ping,
}

/// A provider's bytes to events.
pub trait StreamDecoder {
    /// Takes bytes cut anywhere. After an error nothing more is read.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), ApiError>;

    /// The stream is over; an error, if it ended before the response did.
    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), ApiError>;
}

/// Events to a caller's bytes.
pub trait StreamEncoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>);

    /// Everything is said; after an [`Event::Error`] nothing is added.
    fn finish(&mut self, out: &mut Vec<u8>);
}
