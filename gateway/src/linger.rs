//! A client that is refused before it has sent its whole body still gets to read why.
//!
//! A server that answers and closes while bytes are under way resets the connection, and the client sees a broken pipe
//! in place of the answer (RFC 9112, section 9.6). So the rest is read and thrown away, within bounds.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// What is thrown away at most, and for how long at most.
const REST_BYTES: usize = 256 << 20;
const REST_TIME: Duration = Duration::from_secs(20);

/// Why a body was not read.
#[derive(Debug)]
pub enum Unread {
    TooLarge(String),
    Broken(String),
}

/// Has a request's body read to its end, even where nobody wants the rest.
pub fn to_the_end(request: Request) -> Request {
    // Who waits for a word before sending gets the refusal instead of the word.
    if request.headers().contains_key(header::EXPECT) {
        return request;
    }
    request.map(|body| if body.is_end_stream() { body } else { Body::new(Lingering(body)) })
}

/// Reads a body of at most `limit` bytes; one that says it is larger is not begun.
///
/// # Errors
/// That it is larger, or that it did not arrive.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Unread> {
    let too_large = || Unread::TooLarge(format!("the body is over {limit} bytes; see `server.max_body_bytes`"));
    let said = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > limit as u64) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Unread::Broken(format!("the body did not arrive ({error})"))),
    }
}

/// A body whose rest is read when it is dropped.
struct Lingering(Body);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        // Outside a runtime there is no connection to keep either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(REST_TIME, discard(std::mem::take(&mut self.0))));
        }
    }
}

async fn discard(mut body: Body) {
    let mut left = REST_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let read = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(read) else { return };
        left = rest;
    }
}
