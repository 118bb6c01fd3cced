//! An upstream reached over streamable HTTP, in both eras.
//!
//! Every message is a POST; an answer comes as JSON or as an event stream. In the legacy era (2025-11-25, transports)
//! there is also a session, a standalone GET stream, and streams that are resumed by `Last-Event-ID`.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};
use sse_stream::SseStream;
use tokio_util::sync::CancellationToken;

use super::mux::{About, Link, LinkError, Mux};
use crate::{
    mcp::{
        era::Era,
        headers,
        jsonrpc::{Id, Message, Request},
        object::RawObject,
    },
    sync::{read, write},
};

const ACCEPT_BOTH: &str = "application/json, text/event-stream";
const EVENT_STREAM: &str = "text/event-stream";
/// Wait before a broken stream is resumed, where the server named none.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_secs(30);
/// Resumptions of one answer's stream without any event in between.
const MAX_RESUMES: u32 = 5;
/// Of an error page, this much is shown.
const SHOWN_BYTES: usize = 300;

pub struct HttpLink {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    url: Url,
    headers: HeaderMap,
    mux: Arc<Mux>,
    max_message_bytes: usize,
    state: RwLock<State>,
    closed: CancellationToken,
    listening: AtomicBool,
}

#[derive(Clone, Debug)]
struct State {
    era: Era,
    version: String,
    session: Option<HeaderValue>,
}

/// Why an HTTP answer was no answer.
#[derive(Debug)]
pub struct Refusal {
    pub status: Option<StatusCode>,
    pub reason: String,
}

impl Refusal {
    fn lost(reason: String) -> Self {
        Self { status: None, reason }
    }

    /// A 404 says for certain that nothing ran.
    fn into_link_error(self) -> LinkError {
        LinkError { not_run: self.status == Some(StatusCode::NOT_FOUND), reason: self.reason }
    }
}

impl HttpLink {
    /// A link that speaks the modern era until told otherwise. Nothing is sent yet.
    pub fn new(client: Client, url: Url, headers: HeaderMap, mux: &Arc<Mux>, max_message_bytes: usize) -> Self {
        let state = State { era: Era::Modern, version: crate::mcp::era::LATEST_MODERN.to_owned(), session: None };
        Self {
            shared: Arc::new(Shared {
                client,
                url,
                headers,
                mux: Arc::clone(mux),
                max_message_bytes,
                state: RwLock::new(state),
                closed: CancellationToken::new(),
                listening: AtomicBool::new(false),
            }),
        }
    }

    /// Sets the lifecycle that all later messages follow.
    pub fn set_era(&self, era: Era, version: &str) {
        let mut state = write(&self.shared.state);
        state.era = era;
        version.clone_into(&mut state.version);
    }

    /// Opens the standalone stream of the legacy era, for as long as the link lives.
    pub fn listen(&self) {
        if !self.shared.listening.swap(true, Ordering::Relaxed) {
            tokio::spawn(listen(Arc::clone(&self.shared)));
        }
    }
}

impl Drop for HttpLink {
    fn drop(&mut self) {
        self.shared.closed.cancel();
    }
}

impl Link for HttpLink {
    fn send(&self, message: Message, about: About) -> BoxFuture<'_, Result<(), LinkError>> {
        Box::pin(async move { self.shared.post(&message, &about).await.map_err(Refusal::into_link_error) })
    }

    fn announces_cancel(&self) -> bool {
        read(&self.shared.state).era == Era::Legacy
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.shared.closed.cancel();
            // An ended connection's session is one that the server forgot.
            if !self.shared.mux.ended().is_cancelled() {
                self.shared.end_session().await;
            }
            self.shared.mux.end("was closed");
        })
    }
}

impl Shared {
    async fn post(&self, message: &Message, about: &About) -> Result<(), Refusal> {
        let body = Bytes::from(message.to_bytes());
        let state = read(&self.state).clone();
        let id = match message {
            Message::Request(request) => request.id.as_number(),
            _ => None,
        };
        let request = self.request(&state, message, about).body(body);
        let response = request.send().await.map_err(unreachable)?;
        self.keep_session(message, response.headers());
        self.take_answer(response, id, &state).await
    }

    fn request(&self, state: &State, message: &Message, about: &About) -> RequestBuilder {
        let mut builder = self.client.post(self.url.clone()).headers(self.headers.clone());
        builder =
            builder.header(http::header::ACCEPT, ACCEPT_BOTH).header(http::header::CONTENT_TYPE, "application/json");
        if let Some(session) = &state.session {
            builder = builder.header(headers::SESSION_ID, session.clone());
        }
        let is_initialize = matches!(message, Message::Request(it) if it.method == "initialize");
        if !is_initialize {
            builder = builder.header(headers::PROTOCOL_VERSION, &state.version);
        }
        match (state.era, message) {
            (Era::Modern, Message::Request(request)) => mirror(builder, request, about),
            _ => builder,
        }
    }

    /// A session id comes with the answer to `initialize` and is good until a 404.
    fn keep_session(&self, message: &Message, headers: &HeaderMap) {
        let is_initialize = matches!(message, Message::Request(it) if it.method == "initialize");
        if is_initialize {
            write(&self.state).session = headers.get(headers::SESSION_ID).cloned();
        }
    }

    async fn take_answer(&self, response: Response, id: Option<u64>, state: &State) -> Result<(), Refusal> {
        let status = response.status();
        if status == StatusCode::NOT_FOUND && state.session.is_some() {
            self.mux.end("forgot the session");
            return Err(Refusal { status: Some(status), reason: "forgot the session; it is being opened anew".into() });
        }
        if is_event_stream(&response) && status.is_success() {
            return self.follow_answer(response, id).await;
        }
        let body = self.read_body(response).await?;
        if let Ok(message) = Message::parse(&body) {
            self.deliver(message, id);
            return Ok(());
        }
        if status.is_success() && id.is_none() {
            return Ok(());
        }
        Err(refused(status, &body))
    }

    /// An error without an id answers the request that it answers over HTTP.
    fn deliver(&self, message: Message, id: Option<u64>) {
        let message = match (message, id) {
            (Message::Response(mut response), Some(id)) if response.id.is_none() => {
                response.id = Some(Id::number(id));
                Message::Response(response)
            }
            (message, _) => message,
        };
        self.mux.dispatch(message, id);
    }

    async fn read_body(&self, response: Response) -> Result<Vec<u8>, Refusal> {
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(unreachable)?;
            if body.len() + chunk.len() > self.max_message_bytes {
                return Err(self.too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn too_long(&self) -> Refusal {
        let limit = self.max_message_bytes;
        Refusal::lost(format!("answered with over {limit} bytes; raise `max_message_bytes` of this upstream"))
    }

    /// Reads an answer's stream to its end, resuming it where the legacy era allows.
    async fn follow_answer(&self, response: Response, id: Option<u64>) -> Result<(), Refusal> {
        let mut cursor = Cursor::default();
        let mut response = Some(response);
        for _ in 0..=MAX_RESUMES {
            if let Some(response) = response.take() {
                self.drain(response, id, &mut cursor).await?;
            }
            let waits = id.is_some_and(|id| self.mux.is_pending(id));
            if !waits {
                return Ok(());
            }
            let Some(last) = cursor.last_id.clone().filter(|_| read(&self.state).era == Era::Legacy) else { break };
            tokio::time::sleep(cursor.retry()).await;
            response = self.get(Some(&last)).await.ok();
        }
        Err(Refusal::lost("closed the stream before it answered; the call may or may not have taken effect".into()))
    }

    /// Delivers the events of one response body.
    async fn drain(&self, response: Response, id: Option<u64>, cursor: &mut Cursor) -> Result<(), Refusal> {
        // Bytes since the last event, so that an endless one is cut off at the limit.
        let unread = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&unread);
        let limit = self.max_message_bytes;
        let bytes = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(std::io::Error::other)?;
            let total = counter.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
            if total > limit { Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge)) } else { Ok(chunk) }
        });
        let mut events = SseStream::from_bytes_stream(bytes);
        while let Some(event) = events.next().await {
            // A stream that breaks off may be resumed; the caller decides.
            let Ok(event) = event else { break };
            unread.store(0, Ordering::Relaxed);
            cursor.note(&event);
            let data = event.data.unwrap_or_default();
            if data.trim().is_empty() {
                continue;
            }
            match Message::parse(data.as_bytes()) {
                Ok(message) => self.deliver(message, id),
                Err(fault) => {
                    tracing::warn!(upstream = %self.mux.upstream(), reason = fault.message(), "an event that is no message was ignored");
                }
            }
        }
        if unread.load(Ordering::Relaxed) > limit { Err(self.too_long()) } else { Ok(()) }
    }

    /// The standalone stream, or the rest of a broken one.
    async fn get(&self, last_event_id: Option<&str>) -> Result<Response, Refusal> {
        let state = read(&self.state).clone();
        let mut builder = self.client.get(self.url.clone()).headers(self.headers.clone());
        builder = builder.header(http::header::ACCEPT, EVENT_STREAM).header(headers::PROTOCOL_VERSION, &state.version);
        if let Some(session) = &state.session {
            builder = builder.header(headers::SESSION_ID, session.clone());
        }
        if let Some(id) = last_event_id {
            builder = builder.header(headers::LAST_EVENT_ID, id);
        }
        let response = builder.send().await.map_err(unreachable)?;
        if response.status().is_success() && is_event_stream(&response) {
            return Ok(response);
        }
        Err(refused(response.status(), b""))
    }

    async fn end_session(&self) {
        let state = read(&self.state).clone();
        let Some(session) = state.session else { return };
        let request = self.client.delete(self.url.clone()).headers(self.headers.clone());
        let request = request.header(headers::SESSION_ID, session).header(headers::PROTOCOL_VERSION, &state.version);
        // A courtesy; the server forgets idle sessions anyway.
        let _ = tokio::time::timeout(Duration::from_secs(1), request.send()).await;
    }
}

/// Keeps the standalone stream open; a server that has none answers 405 once and is left alone.
async fn listen(shared: Arc<Shared>) {
    let mut cursor = Cursor::default();
    let mut failures = 0_u32;
    loop {
        let turn = async {
            match shared.get(cursor.last_id.as_deref()).await {
                Ok(response) => {
                    failures = 0;
                    shared.drain(response, None, &mut cursor).await.is_ok()
                }
                Err(Refusal { status: Some(status), .. }) if status.is_client_error() => false,
                Err(_) => {
                    failures += 1;
                    failures < MAX_RESUMES
                }
            }
        };
        let goes_on = tokio::select! {
            goes_on = turn => goes_on,
            () = shared.closed.cancelled() => false,
            () = shared.mux.ended().cancelled() => false,
        };
        if !goes_on {
            return;
        }
        tokio::time::sleep(cursor.retry() * (failures + 1)).await;
    }
}

/// How far a stream was read.
#[derive(Debug, Default)]
struct Cursor {
    last_id: Option<String>,
    retry_ms: Option<u64>,
}

impl Cursor {
    fn note(&mut self, event: &sse_stream::Sse) {
        if let Some(id) = &event.id {
            self.last_id = Some(id.clone());
        }
        if let Some(retry) = event.retry {
            self.retry_ms = Some(retry);
        }
    }

    fn retry(&self) -> Duration {
        self.retry_ms.map_or(DEFAULT_RETRY, Duration::from_millis).min(MAX_RETRY)
    }
}

/// Adds the headers that mirror the body (2026-07-28, "Request Metadata").
fn mirror(builder: RequestBuilder, request: &Request, about: &About) -> RequestBuilder {
    let mut builder = builder.header(headers::METHOD, &request.method);
    let params = request.params.as_deref().and_then(RawObject::parse).unwrap_or_default();
    if let Some(name) = headers::name_source(&request.method).and_then(|key| params.get_str(key)) {
        builder = builder.header(headers::NAME, headers::encode(&name));
    }
    if about.header_params.is_empty() {
        return builder;
    }
    let arguments = params.get("arguments").and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
    for (name, value) in headers::param_headers(&about.header_params, &arguments) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            builder = builder.header(name, value);
        }
    }
    builder
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(http::header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    kind.is_some_and(|it| it.to_ascii_lowercase().starts_with(EVENT_STREAM))
}

fn unreachable(mut error: reqwest::Error) -> Refusal {
    // The reason is shown to clients, and a query may be a secret.
    if let Some(url) = error.url_mut() {
        url.set_query(None);
    }
    let mut reason = format!("cannot be reached ({error}");
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        reason.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    reason.push(')');
    Refusal::lost(reason)
}

fn refused(status: StatusCode, body: &[u8]) -> Refusal {
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).trim().to_owned();
    let remedy = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; set its credentials in `headers` of this upstream",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; check that `url` is its MCP endpoint",
        _ => "",
    };
    let shown = if shown.is_empty() { String::new() } else { format!(": {shown}") };
    Refusal { status: Some(status), reason: format!("answered HTTP {status}{shown}{remedy}") }
}
