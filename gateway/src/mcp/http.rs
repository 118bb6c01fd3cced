//! Streamable HTTP, both eras on one URL.
//!
//! A request is answered with plain JSON when its answer comes before anything else does, and with an event stream
//! otherwise. Legacy requests outlive their connection and can be resumed (2025-11-25); modern ones end with it
//! (2026-07-28).

mod detached;
mod guard;
mod sessions;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response as HttpResponse},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, header};
use tokio::sync::mpsc;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use detached::Detached;
pub use guard::Guard;
pub use sessions::Sessions;

use super::{
    caller::{Caller, Client, Outbox, RequestMeta},
    era,
    gate::Gate,
    headers,
    jsonrpc::{Fault, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Message, Request},
    methods,
    object::RawObject,
    session::Session,
    sse,
};
use crate::linger::{self, Unread};

/// An answer that takes longer than this comes as a stream, whose comments keep the connection alive.
const STREAM_AFTER: Duration = Duration::from_secs(2);

/// What the endpoint needs besides the gate.
#[derive(Clone)]
pub struct Endpoint {
    pub gate: Arc<Gate>,
    pub sessions: Arc<Sessions>,
    pub keep_alive: Duration,
    pub max_body_bytes: usize,
    /// Cancelled when the gateway shuts down: standing streams end, running calls may finish.
    pub closing: CancellationToken,
    /// Requests that a shutdown waits for.
    pub running: TaskTracker,
}

/// Answers any request to the endpoint.
pub async fn serve(endpoint: Endpoint, request: axum::extract::Request) -> HttpResponse {
    let (parts, body) = request.into_parts();
    match parts.method {
        HttpMethod::POST => match read_body(&parts.headers, body, endpoint.max_body_bytes).await {
            Ok(body) => post(&endpoint, &parts.headers, &body).await.unwrap_or_else(|it| it),
            Err(response) => response,
        },
        HttpMethod::GET => get(&endpoint, &parts.headers).unwrap_or_else(|it| it),
        HttpMethod::DELETE => delete(&endpoint, &parts.headers).unwrap_or_else(|it| it),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "use POST, GET or DELETE"),
    }
}

async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, HttpResponse> {
    let accepts = |kind| guard::accepts(headers, kind);
    if !accepts("application/json") || !accepts("text/event-stream") {
        let told = "the client must accept both application/json and text/event-stream";
        return Err(plain(StatusCode::NOT_ACCEPTABLE, told));
    }
    if !guard::is_json(headers) {
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"));
    }
    linger::read(headers, body, limit).await.map_err(|unread| match unread {
        Unread::TooLarge(told) => plain(StatusCode::PAYLOAD_TOO_LARGE, &told),
        Unread::Broken(told) => plain(StatusCode::BAD_REQUEST, &told),
    })
}

type Answer = Result<HttpResponse, HttpResponse>;

async fn post(endpoint: &Endpoint, headers: &HeaderMap, body: &[u8]) -> Answer {
    let message = Message::parse(body).map_err(|fault| fault_response(StatusCode::BAD_REQUEST, None, fault))?;
    match &message {
        Message::Request(request) if request.method == "initialize" && !names_version(request) => {
            initialize(endpoint, headers, request)
        }
        Message::Request(request) if is_modern(headers, request) => modern(endpoint, headers, request).await,
        _ => legacy(endpoint, headers, message).await,
    }
}

/// A request is modern where its own `_meta` names a version, where its header names a modern one, and where its method
/// exists in no other era.
fn is_modern(headers: &HeaderMap, request: &Request) -> bool {
    let by_header = header_str(headers, headers::PROTOCOL_VERSION).is_some_and(era::is_modern_version);
    by_header || request.method == "server/discover" || names_version(request)
}

fn names_version(request: &Request) -> bool {
    let params = request.params.as_deref().and_then(RawObject::parse);
    let meta = params.and_then(|it| it.get_object("_meta"));
    meta.is_some_and(|it| it.get(era::META_VERSION).is_some())
}

async fn modern(endpoint: &Endpoint, headers: &HeaderMap, request: &Request) -> Answer {
    let bad = |fault| fault_response(StatusCode::BAD_REQUEST, Some(request), fault);
    let meta = RequestMeta::read(request).map_err(bad)?;
    check_modern(headers, request, &meta).map_err(bad)?;
    check_header_params(endpoint, headers, request).await.map_err(bad)?;
    let cancel = CancellationToken::new();
    let (outbox, messages) = Outbox::new();
    let caller = Caller {
        request_id: request.id.clone(),
        client: Client::Stateless(Box::new(meta)),
        outbox: outbox.clone(),
        cancel: cancel.clone(),
    };
    if request.method == "subscriptions/listen" {
        let (ends, closing) = (cancel.clone(), endpoint.closing.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = closing.cancelled() => ends.cancel(),
                () = ends.cancelled() => {}
            }
        });
    }
    let (gate, request, counted) = (Arc::clone(&endpoint.gate), request.clone(), endpoint.running.token());
    let work = Detached::new(async move {
        let _counted = counted;
        let outcome = gate.handle(&caller, &request).await;
        outbox.finish(Message::response(request.id, outcome)).await;
    });
    // The connection is the request: dropping the response cancels the work.
    Ok(respond(work, messages, endpoint.keep_alive, Some(cancel.drop_guard()), None).await)
}

fn check_modern(headers: &HeaderMap, request: &Request, meta: &RequestMeta) -> Result<(), Fault> {
    let header = header_str(headers, headers::PROTOCOL_VERSION);
    let mismatch = |told: String| Fault::new(era::HEADER_MISMATCH, told);
    let header = header.ok_or_else(|| mismatch("header mismatch: `MCP-Protocol-Version` is required".into()))?;
    if header != meta.version {
        let told =
            format!("header mismatch: `MCP-Protocol-Version` says `{header}` and the body says `{}`", meta.version);
        return Err(mismatch(told));
    }
    if !era::MODERN_VERSIONS.contains(&header) {
        return Err(era::unsupported_version(header));
    }
    headers::check_standard(request, |name| headers.get(name).map(HeaderValue::as_bytes))
}

async fn check_header_params(endpoint: &Endpoint, headers: &HeaderMap, request: &Request) -> Result<(), Fault> {
    if request.method != "tools/call" {
        return Ok(());
    }
    let params = request.params.as_deref().and_then(RawObject::parse).unwrap_or_default();
    let Some(name) = params.get_str("name") else { return Ok(()) };
    let view = endpoint.gate.view().await?;
    let Some(idx) = view.find(&name) else { return Ok(()) };
    let mirrored = &view.routes[idx].tool.header_params;
    if mirrored.is_empty() {
        return Ok(());
    }
    let arguments = params.get("arguments").and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
    headers::check_params(mirrored, &arguments, |name| headers.get(name).map(HeaderValue::as_bytes))
}

fn initialize(endpoint: &Endpoint, headers: &HeaderMap, request: &Request) -> Answer {
    let bad = |fault| fault_response(StatusCode::BAD_REQUEST, Some(request), fault);
    let params = RawObject::parse_or_empty(request.params.as_deref())
        .filter(|it| it.get_str("protocolVersion").is_some())
        .ok_or_else(|| bad(Fault::new(INVALID_PARAMS, "`protocolVersion` is required")))?;
    let asked = params.get_str("protocolVersion").unwrap_or_default();
    if let Some(header) = header_str(headers, headers::PROTOCOL_VERSION).filter(|it| *it != asked) {
        let told = format!("`MCP-Protocol-Version` says `{header}` and `params.protocolVersion` says `{asked}`");
        return Err(bad(Fault::new(INVALID_REQUEST, told)));
    }
    if let Some(method) = header_str(headers, headers::METHOD).filter(|it| *it != request.method) {
        let told = format!("header mismatch: `Mcp-Method` says `{method}` and the body says `initialize`");
        return Err(bad(Fault::new(era::HEADER_MISMATCH, told)));
    }
    let session = endpoint
        .sessions
        .open(&params, &endpoint.gate)
        .map_err(|fault| fault_response(StatusCode::SERVICE_UNAVAILABLE, Some(request), fault))?;
    let result = methods::initialize_result(&endpoint.gate, &session);
    let mut response = json(StatusCode::OK, &Message::response(request.id.clone(), Ok(result)));
    if let Ok(id) = HeaderValue::try_from(&session.id) {
        response.headers_mut().insert(headers::SESSION_ID, id);
    }
    Ok(response)
}

async fn legacy(endpoint: &Endpoint, headers: &HeaderMap, message: Message) -> Answer {
    let session = session_of(endpoint, headers)?;
    match message {
        Message::Request(request) => Ok(legacy_request(endpoint, session, request).await),
        Message::Notification(note) => {
            if note.method == "notifications/cancelled" {
                sessions::cancel(&session, note.params.as_deref());
            }
            Ok(StatusCode::ACCEPTED.into_response())
        }
        Message::Response(response) => {
            session.answer(response);
            Ok(StatusCode::ACCEPTED.into_response())
        }
    }
}

async fn legacy_request(endpoint: &Endpoint, session: Arc<Session>, request: Request) -> HttpResponse {
    let (outbox, messages) = Outbox::new();
    let caller = Caller {
        request_id: request.id.clone(),
        client: Client::Session(Arc::clone(&session)),
        outbox: outbox.clone(),
        cancel: session.start(&request.id),
    };
    let (gate, running) = (Arc::clone(&endpoint.gate), Arc::clone(&session));
    let counted = endpoint.running.token();
    // A broken connection does not cancel a legacy request.
    let work = Detached::new(async move {
        let _counted = counted;
        let outcome = gate.handle(&caller, &request).await;
        running.finish(&request.id);
        // A cancelled request has no answer (2025-11-25, cancellation).
        if !caller.cancel.is_cancelled() {
            outbox.finish(Message::response(request.id, outcome)).await;
        }
    });
    respond(work, messages, endpoint.keep_alive, None, Some(session)).await
}

/// The session that the headers name.
fn session_of(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Arc<Session>, HttpResponse> {
    let bad = |told: String| fault_response(StatusCode::BAD_REQUEST, None, Fault::new(INVALID_REQUEST, told));
    if let Some(version) = header_str(headers, headers::PROTOCOL_VERSION)
        && !era::LEGACY_VERSIONS.contains(&version)
        && !era::MODERN_VERSIONS.contains(&version)
    {
        return Err(bad(format!("unsupported `MCP-Protocol-Version`: `{version}`")));
    }
    let id = header_str(headers, headers::SESSION_ID)
        .ok_or_else(|| bad("`Mcp-Session-Id` is required; open a session with `initialize`".into()))?;
    endpoint.sessions.find(id, &endpoint.gate.profile.name).ok_or_else(|| {
        let fault = Fault::new(INVALID_REQUEST, "unknown session; open a new one with `initialize`");
        fault_response(StatusCode::NOT_FOUND, None, fault)
    })
}

/// Plain JSON if the answer comes first and soon, else a stream.
async fn respond(
    mut work: Detached,
    mut messages: mpsc::Receiver<Message>,
    keep_alive: Duration,
    guard: Option<DropGuard>,
    session: Option<Arc<Session>>,
) -> HttpResponse {
    let first = async {
        tokio::select! {
            biased;
            message = messages.recv() => message,
            // Its last word is in the channel by now.
            () = &mut work => messages.recv().await,
        }
    };
    match tokio::time::timeout(STREAM_AFTER, first).await {
        Ok(Some(message @ Message::Response(_))) => {
            if let Some(guard) = guard {
                guard.disarm();
            }
            json(status_of(&message, session.is_some()), &message)
        }
        // Cancelled before anything was said.
        Ok(None) => event_stream(stream::empty()),
        Ok(Some(message)) => stream_rest(Some(message), messages, keep_alive, guard, session),
        Err(_) => stream_rest(None, messages, keep_alive, guard, session),
    }
}

fn stream_rest(
    first: Option<Message>,
    messages: mpsc::Receiver<Message>,
    keep_alive: Duration,
    guard: Option<DropGuard>,
    session: Option<Arc<Session>>,
) -> HttpResponse {
    match session {
        Some(session) => resumable(&session, first, messages, keep_alive),
        None => event_stream(modern_events(first, messages, keep_alive, guard)),
    }
}

/// A stream that ends with its request, and the request with it.
fn modern_events(
    first: Option<Message>,
    messages: mpsc::Receiver<Message>,
    keep_alive: Duration,
    guard: Option<DropGuard>,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let rest = stream::unfold((messages, guard), move |(mut messages, guard)| async move {
        match tokio::time::timeout(keep_alive, messages.recv()).await {
            Ok(Some(message)) => {
                let is_last = matches!(message, Message::Response(_));
                let guard = guard.and_then(|it| {
                    if is_last {
                        drop(it.disarm());
                        None
                    } else {
                        Some(it)
                    }
                });
                Some((sse::event(&message), (messages, guard)))
            }
            Ok(None) => None,
            Err(_) => Some((sse::keep_alive(), (messages, guard))),
        }
    });
    stream::iter(first.map(|it| sse::event(&it))).chain(rest)
}

/// A stream whose events are kept, so that the client may come back for them.
fn resumable(
    session: &Arc<Session>,
    first: Option<Message>,
    mut messages: mpsc::Receiver<Message>,
    keep_alive: Duration,
) -> HttpResponse {
    let log = session.streams.open();
    let writer = Arc::clone(&log);
    let closed = session.closed.clone();
    tokio::spawn(async move {
        if let Some(first) = first {
            writer.push(&first);
        }
        while let Some(Some(message)) = closed.run_until_cancelled(messages.recv()).await {
            writer.push(&message);
        }
        writer.finish();
    });
    // Clients before 2025-11-25 take the empty priming event for a broken message.
    let priming = (session.version >= era::LATEST_LEGACY).then(|| log.priming());
    event_stream(stream::iter(priming).chain(log.follow(0, keep_alive)))
}

fn get(endpoint: &Endpoint, headers: &HeaderMap) -> Answer {
    if !guard::accepts(headers, "text/event-stream") {
        return Err(plain(StatusCode::NOT_ACCEPTABLE, "the client must accept text/event-stream"));
    }
    if header_str(headers, headers::PROTOCOL_VERSION).is_some_and(era::is_modern_version) {
        return Err(plain(StatusCode::METHOD_NOT_ALLOWED, "2026-07-28 has no GET; use `subscriptions/listen`"));
    }
    let session = session_of(endpoint, headers)?;
    if let Some(last) = header_str(headers, headers::LAST_EVENT_ID) {
        // An unknown id gets an empty stream: an error would make clients ask for it again and again.
        return Ok(match session.streams.find(last) {
            Some((log, seen)) => event_stream(log.follow(seen, endpoint.keep_alive)),
            None => event_stream(stream::empty()),
        });
    }
    let log = endpoint
        .sessions
        .standalone(&session.id)
        .ok_or_else(|| fault_response(StatusCode::NOT_FOUND, None, Fault::new(INVALID_REQUEST, "unknown session")))?;
    let seen = log.take_position();
    let closing = endpoint.closing.clone();
    let events = Arc::clone(&log.log).follow(seen, endpoint.keep_alive);
    Ok(event_stream(events.take_until(closing.cancelled_owned())))
}

fn delete(endpoint: &Endpoint, headers: &HeaderMap) -> Answer {
    let session = session_of(endpoint, headers)?;
    endpoint.sessions.close(&session.id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn header_str<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Legacy faults travel with 200; modern ones have statuses of their own (2026-07-28, streamable HTTP).
fn status_of(message: &Message, is_legacy: bool) -> StatusCode {
    match message {
        Message::Response(response) if !is_legacy => match &response.outcome {
            Err(fault) if fault.code == METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            Err(fault) if (era::UNSUPPORTED_VERSION..=era::HEADER_MISMATCH).contains(&fault.code) => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::OK,
        },
        _ => StatusCode::OK,
    }
}

fn json(status: StatusCode, message: &Message) -> HttpResponse {
    (status, [(header::CONTENT_TYPE, "application/json")], message.to_bytes()).into_response()
}

fn fault_response(status: StatusCode, request: Option<&Request>, fault: Fault) -> HttpResponse {
    let id = request.map(|it| it.id.clone());
    json(status, &Message::Response(super::jsonrpc::Response { id, outcome: Err(fault) }))
}

fn plain(status: StatusCode, text: &str) -> HttpResponse {
    (status, format!("{text}\n")).into_response()
}

fn event_stream(events: impl Stream<Item = Bytes> + Send + 'static) -> HttpResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (http::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
}
