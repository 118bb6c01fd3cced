//! `POST /v1/chat/completions` (platform.openai.com/docs/api-reference/chat), with the extensions that compatible
//! servers agree on.

mod request_in;
mod request_out;
mod response;
mod stream_in;
mod stream_out;

use super::{Protocol, openai, request::Format};

pub const PROTOCOL: Protocol = Protocol {
    name: "openai-chat",
    format: Format::OpenAiChat,
    path: "/v1/chat/completions",
    decode_request: request_in::decode,
    encode_request: request_out::encode,
    decode_response: response::decode,
    encode_response: response::encode,
    decode_error: openai::decode_error,
    encode_error: openai::encode_error,
    decoder: || Box::new(stream_in::Decoder::default()),
    encoder: |asked| Box::new(stream_out::Encoder::new(asked)),
    usage_of: response::usage_of,
    usage_in: response::usage_in,
};
