//! Many requests over one connection to an upstream: ids, answers, progress, and questions the upstream asks back.
//!
//! The upstream sees ids and progress tokens of ours (they are one number), so that two clients may use the same ones.
//! A request is sent once; when the connection ends under it, it fails, and whoever sent it is told that it may have
//! taken effect.

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{event::UpstreamEvent, last_words};
use crate::{
    mcp::{
        caller::{Caller, Client},
        era::{self, Era},
        headers::HeaderParam,
        jsonrpc::{Fault, INTERNAL_ERROR, Id, Message, Notification, Outcome, Raw, Request, Response, raw},
        object::RawObject,
    },
    sync::lock,
};

/// What a transport must know of a request besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub header_params: Arc<[HeaderParam]>,
}

/// Why a message was not delivered, or its answer is lost.
#[derive(Clone, Debug)]
pub struct LinkError {
    pub reason: String,
    /// The upstream certainly did not act on the message, so that it may be sent again.
    pub not_run: bool,
}

/// One way of carrying messages to an upstream.
pub trait Link: Send + Sync {
    /// Carries one message. For requests over HTTP the future lasts as long as the exchange does; dropping it ends the
    /// exchange.
    fn send(&self, message: Message, about: About) -> BoxFuture<'_, Result<(), LinkError>>;

    /// Whether a cancelled request is announced by a message (else dropping the exchange says it).
    fn announces_cancel(&self) -> bool;

    /// Ends the connection in good order.
    fn close(&self) -> BoxFuture<'_, ()>;
}

struct Pending {
    reply: oneshot::Sender<Outcome>,
    caller: Option<Caller>,
    /// The client's own token, to be put back into progress notifications.
    progress_token: Option<Raw>,
}

pub struct Mux {
    upstream: Arc<str>,
    pending: Mutex<FxHashMap<u64, Pending>>,
    next_id: AtomicU64,
    link: OnceLock<Weak<dyn Link>>,
    events: mpsc::Sender<UpstreamEvent>,
    ended: CancellationToken,
    end_reason: Mutex<Option<String>>,
    /// The last line that was no message, to explain a timeout.
    last_garbage: Mutex<Option<String>>,
    /// What a child said last on stderr, to explain its end.
    last_words: Mutex<Option<String>>,
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl Mux {
    pub fn new(upstream: Arc<str>, events: mpsc::Sender<UpstreamEvent>) -> Arc<Self> {
        Arc::new(Self {
            upstream,
            pending: Mutex::default(),
            next_id: AtomicU64::new(1),
            link: OnceLock::new(),
            events,
            ended: CancellationToken::new(),
            end_reason: Mutex::default(),
            last_garbage: Mutex::default(),
            last_words: Mutex::default(),
        })
    }

    pub fn attach(&self, link: &Arc<dyn Link>) {
        // A second link would be a second connection; the first one stays.
        let _ = self.link.set(Arc::downgrade(link));
    }

    pub fn upstream(&self) -> &Arc<str> {
        &self.upstream
    }

    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub fn end_reason(&self) -> String {
        lock(&self.end_reason).clone().unwrap_or_else(|| "the connection ended".to_owned())
    }

    pub fn note_garbage(&self, text: String) {
        *lock(&self.last_garbage) = Some(text);
    }

    pub fn note_stderr(&self, line: &str) {
        last_words::keep(&mut lock(&self.last_words), line);
    }

    /// What the upstream said last on stderr, as the end of a sentence; empty where it said nothing.
    pub fn last_words(&self) -> String {
        lock(&self.last_words).as_ref().map_or_else(String::new, |it| format!("; its last words: `{it}`"))
    }

    /// What may explain a silence, as the end of a sentence: output that is no message, else stderr.
    pub fn last_output(&self) -> String {
        let garbage = lock(&self.last_garbage).clone();
        garbage.map_or_else(|| self.last_words(), |it| format!("; its last output that is no message was `{it}`"))
    }

    /// Opens a request: its id, where its answer arrives, and a guard that forgets it.
    pub fn open(
        self: &Arc<Self>,
        caller: Option<Caller>,
        progress_token: Option<Raw>,
    ) -> (Open, oneshot::Receiver<Outcome>) {
        let (reply, receiver) = oneshot::channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut pending = lock(&self.pending);
        // After the end nobody answers: the reply is dropped, as `end` drops the earlier ones.
        if !self.ended.is_cancelled() {
            pending.insert(id, Pending { reply, caller, progress_token });
        }
        drop(pending);
        (Open { mux: Arc::clone(self), id }, receiver)
    }

    /// Answers a pending request from our side, as where its transport broke.
    pub fn fail(&self, id: u64, reason: &str) {
        if let Some(pending) = lock(&self.pending).remove(&id) {
            // The caller may be gone already.
            let _ = pending.reply.send(Err(self.fault(reason)));
        }
    }

    pub fn is_pending(&self, id: u64) -> bool {
        lock(&self.pending).contains_key(&id)
    }

    fn fault(&self, reason: &str) -> Fault {
        Fault::new(INTERNAL_ERROR, format!("upstream `{}`: {reason}", self.upstream))
    }

    /// The connection is over: every pending request loses its reply, and nothing is sent any more. What that means is
    /// for whoever waits to say.
    pub fn end(&self, reason: &str) {
        lock(&self.end_reason).get_or_insert_with(|| reason.to_owned());
        self.ended.cancel();
        let pending: Vec<_> = lock(&self.pending).drain().collect();
        drop(pending);
    }

    /// Takes a message from the upstream. `origin` is the request on whose stream it came, where streams are told apart.
    pub fn dispatch(self: &Arc<Self>, message: Message, origin: Option<u64>) {
        match message {
            Message::Response(response) => self.on_response(response),
            Message::Notification(notification) => self.on_notification(notification, origin),
            Message::Request(request) => self.on_request(request, origin),
        }
    }

    fn on_response(&self, response: Response) {
        let id = response.id.as_ref().and_then(Id::as_number);
        match id.and_then(|id| lock(&self.pending).remove(&id)) {
            // The caller may have given up.
            Some(pending) => drop(pending.reply.send(response.outcome)),
            None => {
                tracing::debug!(upstream = %self.upstream, id = ?response.id, "a late or unknown answer was dropped")
            }
        }
    }

    fn on_notification(&self, note: Notification, origin: Option<u64>) {
        match note.method.as_str() {
            "notifications/progress" => self.on_progress(&note),
            "notifications/message" => self.on_log(note, origin),
            "notifications/cancelled" => tracing::debug!(upstream = %self.upstream, "the upstream withdrew a question"),
            _ => self.emit(UpstreamEvent::from_notification(note)),
        }
    }

    fn emit(&self, event: Option<UpstreamEvent>) {
        let Some(event) = event else { return };
        if self.events.try_send(event).is_err() {
            tracing::warn!(upstream = %self.upstream, "too many notifications at once; one was dropped");
        }
    }

    fn on_progress(&self, note: &Notification) {
        let Some(mut params) = note.params.as_deref().and_then(RawObject::parse) else { return };
        let id = params.get("progressToken").and_then(Id::from_raw).and_then(|it| it.as_number());
        let pending = lock(&self.pending);
        let Some((caller, token)) = id.and_then(|id| pending.get(&id)).and_then(with_token) else { return };
        params.set("progressToken", token.clone());
        caller.outbox.send(Message::notification(&note.method, Some(params.to_raw())));
    }

    /// A log line goes to the request it is about. Where no stream says which that is, the one running request it can
    /// be about gets it; else it goes to every client that listens.
    fn on_log(&self, note: Notification, origin: Option<u64>) {
        let pending = lock(&self.pending);
        let about = match origin {
            Some(id) => pending.get(&id),
            None if pending.len() == 1 => pending.values().next(),
            None => None,
        };
        let caller = about.and_then(|it| it.caller.clone());
        drop(pending);
        match caller {
            Some(caller) => forward_log(&caller, note),
            None => self.emit(UpstreamEvent::log(note)),
        }
    }

    fn on_request(self: &Arc<Self>, request: Request, origin: Option<u64>) {
        let caller = self.asked_client(&request.method, origin);
        let mux = Arc::clone(self);
        // A task of its own: the answer may take a person's time, and the connection must go on.
        tokio::spawn(async move {
            let outcome = match caller {
                _ if request.method == "ping" => Ok(raw(&serde_json::json!({}))),
                Ok(caller) => tokio::select! {
                    outcome = caller.ask(&request.method, request.params) => outcome,
                    () = mux.ended.cancelled() => return,
                },
                Err(fault) => Err(fault),
            };
            let Some(link) = mux.link.get().and_then(Weak::upgrade) else { return };
            if let Err(error) = link.send(Message::response(request.id, outcome), About::default()).await {
                tracing::warn!(upstream = %mux.upstream, reason = error.reason, "an answer did not reach the upstream");
            }
        });
    }

    /// The client that a question of the upstream is for: the one whose request it came with, or, on a channel without
    /// streams, the only client with requests running. Anything else would hand one client's question to another.
    fn asked_client(&self, method: &str, origin: Option<u64>) -> Result<Caller, Fault> {
        let pending = lock(&self.pending);
        if let Some(caller) = origin.and_then(|id| pending.get(&id)).and_then(|it| it.caller.clone()) {
            return Ok(caller);
        }
        let mut callers = pending.values().filter_map(|it| it.caller.as_ref());
        let refuse = |why: &str| Err(Fault::new(era::MISSING_CAPABILITY, format!("`{method}` {why}")));
        let Some(first) = callers.next() else {
            return refuse("came while no client's request was running, so there is nobody to ask");
        };
        if callers.all(|it| same_client(it, first)) {
            return Ok(first.clone());
        }
        refuse("came while several clients' requests were running, and the channel does not say for which")
    }
}

fn with_token(pending: &Pending) -> Option<(&Caller, &Raw)> {
    pending.caller.as_ref().zip(pending.progress_token.as_ref())
}

fn same_client(a: &Caller, b: &Caller) -> bool {
    match (&a.client, &b.client) {
        (Client::Session(a), Client::Session(b)) => a.id == b.id,
        _ => false,
    }
}

/// A modern client gets log lines only where its request asked for them.
fn forward_log(caller: &Caller, note: Notification) {
    let level = log_level_of(note.params.as_deref()).unwrap_or_default();
    let wanted = match (&caller.client, caller.log_level()) {
        (Client::Session(session), _) => session.wants_log(&level),
        (Client::Stateless(_), least) => least
            .and_then(|it| serde_json::from_str::<String>(it.get()).ok())
            .is_some_and(|least| era::log_level(&level) >= era::log_level(&least)),
    };
    if wanted {
        caller.outbox.send(Message::Notification(note));
    }
}

/// The `level` of a log notification's params.
pub fn log_level_of(params: Option<&RawValue>) -> Option<String> {
    RawObject::parse(params?)?.get_str("level")
}

/// A request that is waiting; dropping it forgets the request.
#[derive(Debug)]
pub struct Open {
    mux: Arc<Mux>,
    pub id: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.mux.pending).remove(&self.id);
    }
}

/// Fits a request's params to the upstream's era and gives it our progress token, if the client gave one of its own.
pub fn fit_params(mut params: RawObject, era: Era, version: &str, caller: Option<&Caller>, id: u64) -> Option<Raw> {
    let mut meta = params.get_object("_meta").unwrap_or_default();
    let had_meta = !meta.is_empty();
    if meta.get("progressToken").is_some() {
        meta.set("progressToken", raw(&id));
    }
    match era {
        Era::Legacy => {
            let reserved =
                [era::META_VERSION, era::META_CLIENT_INFO, era::META_CLIENT_CAPABILITIES, era::META_LOG_LEVEL];
            meta.retain(|key| !reserved.contains(&key));
        }
        Era::Modern => set_modern_meta(&mut meta, version, caller),
    }
    if !meta.is_empty() {
        params.set("_meta", meta.to_raw());
    } else if had_meta {
        params.remove("_meta");
    }
    (!params.is_empty()).then(|| params.to_raw())
}

fn set_modern_meta(meta: &mut RawObject, version: &str, caller: Option<&Caller>) {
    let capabilities = caller.map_or_else(|| raw(&serde_json::json!({})), Caller::capabilities_for_modern_upstream);
    meta.set_str(era::META_VERSION, version);
    meta.set(era::META_CLIENT_INFO, caller.and_then(Caller::info).unwrap_or_else(era::implementation));
    meta.set(era::META_CLIENT_CAPABILITIES, capabilities);
    if let Some(level) = caller.and_then(Caller::log_level) {
        meta.set(era::META_LOG_LEVEL, level);
    }
}
