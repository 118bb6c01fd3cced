//! A request as it arrives: who may send it, how large it may be, and the little that is read of it.

use std::{
    ops::Range,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::extract::Request;
use bytes::Bytes;
use http::HeaderMap;

use super::{Proxy, envelope::Envelope, estimate::Counted};
use crate::{
    auth::key::ApiKey,
    ledger::moment::Moment,
    linger::{self, Unread},
    protocols::{self, ApiError, ErrorKind},
};
use tollgate_config::WireFormat;

/// What the client asked.
pub struct Ask {
    /// Whose request it is, where keys are asked for.
    pub key: Option<Arc<ApiKey>>,
    pub format: WireFormat,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub model: String,
    pub is_stream: bool,
    /// Whether a stream of chat completions shall end with its usage.
    pub has_usage: bool,
    /// Where in the body the tools stand.
    pub tools: Option<Range<usize>>,
}

impl Ask {
    /// The body as it is counted.
    pub fn counted(&self) -> Counted<'_> {
        Counted { format: self.format, body: &self.body, tools: self.tools.clone() }
    }
}

/// A request that was let in.
pub struct Admitted {
    pub key: Option<Arc<ApiKey>>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Lets a request in, and reads its body.
///
/// # Errors
/// Why it is not let in, or that its body is too large or did not arrive.
pub async fn admitted(proxy: &Proxy, request: Request) -> Result<Admitted, ApiError> {
    let (parts, body) = request.into_parts();
    proxy.check_origin(&parts.headers, &parts.uri)?;
    let denied = |told| ApiError::new(ErrorKind::Authentication, told);
    let key = proxy.access.admit(&parts.headers, Moment::now()).map_err(denied)?;
    let body = linger::read(&parts.headers, body, proxy.max_body_bytes).await.map_err(|unread| match unread {
        Unread::TooLarge(told) => ApiError::new(ErrorKind::TooLarge, told),
        Unread::Broken(told) => ApiError::new(ErrorKind::InvalidRequest, told),
    })?;
    Ok(Admitted { key, headers: parts.headers, body })
}

/// Reads a request as far as it must be known before anything is decided.
///
/// # Errors
/// What is wrong with it.
pub async fn read(proxy: &Proxy, format: WireFormat, request: Request) -> Result<Ask, ApiError> {
    let Admitted { key, headers, body } = admitted(proxy, request).await?;
    let bad = |told| ApiError::new(ErrorKind::InvalidRequest, told);
    let envelope = Envelope::read(&body).map_err(bad)?;
    let (model, is_stream) = (envelope.model.clone().into_owned(), envelope.streams());
    let has_usage = envelope.has_usage();
    let tools = envelope.tools_in(&body);
    Ok(Ask { key, format, headers, body, model, is_stream, has_usage, tools })
}

/// Unique over processes and restarts: the start of this one, at random, and a number.
pub fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static PROCESS: OnceLock<u64> = OnceLock::new();
    let process = PROCESS.get_or_init(|| fastrand::u64(..));
    format!("req-{process:016x}{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The format that a decoded request came in.
pub fn format_of(request: &protocols::Request) -> WireFormat {
    match request.format {
        protocols::Format::OpenAiChat => WireFormat::OpenaiChat,
        protocols::Format::OpenAiResponses => WireFormat::OpenaiResponses,
        protocols::Format::Anthropic => WireFormat::Anthropic,
    }
}
