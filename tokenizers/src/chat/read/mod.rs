//! Bodies of requests as [`Request`]s, one file per wire format.
//!
//! A reader takes what costs tokens and ignores unknown fields. Content that it cannot price is written down as
//! uncounted; a body that no provider would take is an error that names the place.

mod anthropic;
mod at;
mod bedrock;
mod gemini;
mod guess;
mod image;
mod openai_chat;
mod openai_parts;
mod openai_responses;

use serde_json::Value;

use super::request::{Format, Request};
use at::At;

pub use at::ReadError;
pub use guess::guess;

/// Reads the JSON body of a request.
///
/// # Errors
/// [`ReadError`], with the path of what is wrong.
pub fn read(format: Format, body: &Value) -> Result<Request, ReadError> {
    let body = At::root(body)?;
    match format {
        Format::OpenaiChat => openai_chat::read(&body),
        Format::OpenaiResponses => openai_responses::read(&body),
        Format::Anthropic => anthropic::read(&body),
        Format::Gemini => gemini::read(&body),
        Format::BedrockConverse => bedrock::read(&body),
    }
}
