//! Answers as HTTP: heads, errors in the caller's own format, and headers that tell what the gateway did.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{explain::Explanation, protocol_of, tools::Shown};
use crate::protocols::ApiError;
use tollgate_config::WireFormat;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// An error as the API of `format` tells it.
pub fn error(format: WireFormat, error: &ApiError) -> Response {
    let (status, body) = (protocol_of(format).encode_error)(error);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    if let Some(value) = error.retry_after.as_ref().and_then(|it| HeaderValue::from_str(it).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A whole answer.
pub fn whole(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(JSON);
    response
}

/// A stream of events.
pub fn stream(headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response.headers_mut().insert(header::CONTENT_TYPE, EVENTS);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Tells a request's id and plan in headers.
pub fn tell(headers: &mut HeaderMap, told: &Explanation) {
    let mut insert = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    insert("x-tollgate-request-id", &told.id);
    insert("x-tollgate-tokens-before", &told.tokens.before.to_string());
    insert("x-tollgate-tokens-sent", &told.tokens.sent.to_string());
    if let Some(shown) = &told.tools {
        let Shown { full, shortened, left_out, .. } = shown;
        insert("x-tollgate-tools", &format!("full={full}, shortened={shortened}, left_out={left_out}"));
    }
    if told.is_cached == Some(true) {
        insert("x-tollgate-cache", "hit");
    }
    if let Some(target) = &told.target {
        insert("x-tollgate-target", target);
    }
    if let Some(returned) = told.tokens.returned {
        insert("x-tollgate-tokens-returned", &returned.input.to_string());
    }
}
