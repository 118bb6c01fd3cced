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

use serde_json::{Map, Value};

use super::{
    request::{Format, Request, Uncounted},
    tools::Tools,
};
use at::{At, Names};

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

/// Reads what a body's field `tools` holds, in a format where it stands at the top.
///
/// # Errors
/// [`ReadError`], with the path of what is wrong.
pub(super) fn tools(format: Format, tools: Value) -> Result<(Tools, Vec<Uncounted>), ReadError> {
    let body = Value::Object(Map::from_iter([("tools".to_owned(), tools)]));
    let (body, mut request) = (At::root(&body)?, Request::empty(format));
    match format {
        Format::OpenaiChat => openai_chat::tools(&body, &mut request)?,
        Format::OpenaiResponses => openai_responses::tools(&body, &mut request)?,
        Format::Anthropic => anthropic::tools(&body, &Names::default(), &mut request)?,
        Format::Gemini => gemini::tools(&body, &mut request)?,
        Format::BedrockConverse => bedrock::tools(&body, &mut request)?,
    }
    Ok((request.tools, request.uncounted))
}
