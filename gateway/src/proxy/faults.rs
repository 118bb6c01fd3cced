//! Answers with an error status: which of them the client may read as they are.

use http::{HeaderMap, StatusCode, header};

use super::{
    attempt::{Content, Reply},
    protocol_of,
};
use crate::protocols::{ApiError, ErrorKind};
use tollgate_config::WireFormat;

/// Errors that are not the client's to read as they are become errors of the gateway's.
///
/// # Errors
/// What the client is told instead.
pub fn checked(format: WireFormat, reply: Reply) -> Result<Reply, ApiError> {
    let is_error = !reply.status.is_success();
    if is_error && (is_refused_key(&reply) || reply.format != format || !is_json(&reply.headers)) {
        return Err(error_of(&reply));
    }
    Ok(reply)
}

fn is_refused_key(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// What an answer with an error status comes to. A refused key is the gateway's and not the client's.
pub fn error_of(reply: &Reply) -> ApiError {
    let name = &reply.provider.config.name;
    if is_refused_key(reply) {
        let told = format!("provider `{name}` refused the gateway's key; see `[providers.{name}]`");
        return ApiError { status: 502, ..ApiError::new(ErrorKind::Server, told) };
    }
    let body = match &reply.content {
        Content::Whole(body) => body.clone(),
        Content::Stream { first, .. } => first.clone(),
    };
    (protocol_of(reply.format).decode_error)(reply.status.as_u16(), &body)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/json")
}
