//! `POST /v1/messages` (platform.claude.com/docs/en/api/messages).

mod error;
mod request_in;
mod request_out;
mod response;
mod stream_in;
mod stream_out;

use super::{Protocol, request::Format};

pub const PROTOCOL: Protocol = Protocol {
    name: "anthropic",
    format: Format::Anthropic,
    path: "/v1/messages",
    decode_request: request_in::decode,
    encode_request: request_out::encode,
    decode_response: response::decode,
    encode_response: response::encode,
    decode_error: super::openai::decode_error,
    encode_error: error::encode,
    decoder: || Box::new(stream_in::Decoder::default()),
    encoder: |asked| Box::new(stream_out::Encoder::new(asked)),
    usage_of: response::usage_of,
    usage_in: response::usage_in,
};
