//! `POST /v1/responses` (platform.openai.com/docs/api-reference/responses), without what needs the vendor's memory.

mod items;
mod request_in;
mod request_out;
mod response;
mod stream_in;
mod stream_out;

use super::{Protocol, openai, request::Format};

pub const PROTOCOL: Protocol = Protocol {
    name: "openai-responses",
    format: Format::OpenAiResponses,
    path: "/v1/responses",
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
