//! Answers that are none: what a good status promises and the answer does not hold, and which errors the client may read as
//! they are.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    attempt::{Content, Reply},
    protocol_of,
};
use crate::{
    protocols::{ApiError, Watch},
    providers::SendError,
};
use tollgate_config::WireFormat;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Holds an answer to what its good status promises: a JSON object, or a stream where one was asked for. An error under a
/// good status gets the status that it means.
///
/// # Errors
/// That nothing can be done with it.
pub fn held_to(reply: Reply, is_stream: bool) -> Result<Reply, SendError> {
    if !reply.status.is_success() {
        return Ok(reply);
    }
    let provider = reply.provider.config.name.clone();
    held(reply, is_stream).map_err(|reason| SendError::BadAnswer { provider, reason })
}

fn held(mut reply: Reply, is_stream: bool) -> Result<Reply, String> {
    let coding = text_of(&reply.headers, header::CONTENT_ENCODING);
    if !matches!(coding, "" | "identity") {
        return Err(format!("it is packed as `{coding}`, which was not asked for"));
    }
    match &reply.content {
        Content::Whole(body) => match read(body).map_err(|told| not_json(&reply.headers, &told))?.error {
            Some(IgnoredAny) => {
                let error = (protocol_of(reply.format).decode_error)(StatusCode::OK.as_u16(), body);
                let body = body.clone();
                Ok(as_error(reply, &error, body))
            }
            None if is_stream => Err("it is no stream of events".into()),
            None => {
                reply.headers.insert(header::CONTENT_TYPE, JSON);
                Ok(reply)
            }
        },
        Content::Stream { .. } if !is_stream => Err("it is a stream of events, which was not asked for".into()),
        Content::Stream { first, .. } => match first_error(reply.format, first)? {
            Some(error) => {
                let (_, body) = (protocol_of(reply.format).encode_error)(&error);
                Ok(as_error(reply, &error, body.into()))
            }
            None => Ok(reply),
        },
    }
}

/// The little that is read of a whole answer; all of it is checked to be JSON.
#[derive(Deserialize)]
struct Answer {
    error: Option<IgnoredAny>,
}

fn read(body: &[u8]) -> Result<Answer, String> {
    let body = body.trim_ascii();
    match body.first() {
        None => Err("it is empty".into()),
        Some(b'{') => serde_json::from_slice(body).map_err(|error| format!("it is no JSON ({error})")),
        Some(_) => Err("it is no JSON object".into()),
    }
}

fn not_json(headers: &HeaderMap, told: &str) -> String {
    match text_of(headers, header::CONTENT_TYPE) {
        "" => told.to_owned(),
        kind if is_json(headers) || told.ends_with("empty") => format!("{told}, under `{kind}`"),
        kind => format!("{told} but `{kind}`"),
    }
}

/// The error that a stream begins with.
fn first_error(format: WireFormat, first: &Bytes) -> Result<Option<ApiError>, String> {
    if memchr::memmem::find(first, b"\"error\"").is_none() {
        return Ok(None);
    }
    let mut watch = Watch::new(protocol_of(format).usage_in);
    watch.push(first).map_err(|error| error.message)?;
    Ok(watch.error().cloned())
}

fn as_error(reply: Reply, error: &ApiError, body: Bytes) -> Reply {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut headers = reply.headers;
    headers.insert(header::CONTENT_TYPE, JSON);
    Reply { status, headers, content: Content::Whole(body), ..reply }
}

/// Errors that are not the client's to read as they are become errors of the gateway's.
///
/// # Errors
/// What the client is told instead.
pub fn checked(format: WireFormat, reply: Reply) -> Result<Reply, ApiError> {
    let is_error = !reply.status.is_success();
    if is_error && (is_refused_key(&reply) || reply.format != format || !is_readable(&reply)) {
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
        return ApiError::no_credentials(told);
    }
    let body = match &reply.content {
        Content::Whole(body) => body.clone(),
        Content::Stream { first, .. } => first.clone(),
    };
    let retry_after = Some(text_of(&reply.headers, header::RETRY_AFTER)).filter(|it| !it.is_empty());
    let error = (protocol_of(reply.format).decode_error)(reply.status.as_u16(), &body);
    ApiError { retry_after: retry_after.map(String::from), ..error }
}

fn is_readable(reply: &Reply) -> bool {
    is_json(&reply.headers) && matches!(&reply.content, Content::Whole(body) if read(body).is_ok())
}

fn is_json(headers: &HeaderMap) -> bool {
    text_of(headers, header::CONTENT_TYPE).starts_with("application/json")
}

fn text_of(headers: &HeaderMap, name: http::HeaderName) -> &str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_are_json_objects() {
        for (body, told) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("<html>", "it is no JSON object"),
            ("[]", "it is no JSON object"),
            ("{\"a\":[1,", "it is no JSON (EOF"),
            ("{} x", "it is no JSON (trailing"),
        ] {
            assert!(read(body.as_bytes()).err().unwrap().starts_with(told), "{body}");
        }
        for (body, is_error) in [("{}", false), ("{\"error\":null}", false), ("{\"error\":\"no\"}", true)] {
            assert_eq!(read(body.as_bytes()).unwrap().error.is_some(), is_error, "{body}");
        }
    }

    #[test]
    fn an_error_that_opens_a_stream_is_seen() {
        let first = |text: &str| {
            let found = first_error(WireFormat::Anthropic, &Bytes::copy_from_slice(text.as_bytes()));
            found.map(|error| error.map(|it| it.status))
        };
        let error =
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
        assert_eq!(first(error), Ok(Some(503)));
        assert_eq!(first("data: {\"type\":\"ping\"}\n\n"), Ok(None));
        assert_eq!(first("data: {\"type\":\"ping\",\"error\":null}\n\n"), Ok(None));
        assert!(first("data: {\"error\"\n\n").is_err());
    }
}
