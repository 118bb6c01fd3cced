//! A session of the legacy era (2025-11-25, lifecycle): what one client said at `initialize` and since.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use rustc_hash::FxHashSet;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    caller::Outbox,
    era,
    jsonrpc::{Fault, INTERNAL_ERROR, Id, METHOD_NOT_FOUND, Message, Outcome, Raw, Request, Response},
    object::RawObject,
    sse::StreamLogs,
};
use crate::sync::lock;

/// The level before the client set one: everything passes.
const NO_LEVEL: u8 = u8::MAX;

#[derive(Debug)]
pub struct Session {
    pub id: String,
    pub version: &'static str,
    pub client_info: Option<Raw>,
    pub capabilities: RawObject,
    /// Messages that belong to no running request; the transport carries them.
    pub standalone: Outbox,
    /// Streams that a client may resume after a broken connection.
    pub streams: StreamLogs,
    pub closed: CancellationToken,
    log_level: AtomicU8,
    subscriptions: Mutex<FxHashSet<String>>,
    asked: Mutex<HashMap<u64, oneshot::Sender<Outcome>>>,
    next_ask: AtomicU64,
    running: Mutex<HashMap<Id, CancellationToken>>,
    last_seen: Mutex<Instant>,
}

impl Session {
    /// A session from the params of `initialize`, and the receiver of its standalone messages.
    pub fn new(initialize: &RawObject) -> (Arc<Self>, mpsc::Receiver<Message>) {
        let (standalone, receiver) = Outbox::new();
        let requested = initialize.get_str("protocolVersion").unwrap_or_default();
        let session = Self {
            id: uuid::Uuid::new_v4().simple().to_string(),
            version: era::negotiate_legacy(&requested),
            client_info: initialize.get("clientInfo").map(ToOwned::to_owned),
            capabilities: initialize.get_object("capabilities").unwrap_or_default(),
            standalone,
            streams: StreamLogs::default(),
            closed: CancellationToken::new(),
            log_level: AtomicU8::new(NO_LEVEL),
            subscriptions: Mutex::default(),
            asked: Mutex::default(),
            next_ask: AtomicU64::new(1),
            running: Mutex::default(),
            last_seen: Mutex::new(Instant::now()),
        };
        (Arc::new(session), receiver)
    }

    pub fn touch(&self) {
        *lock(&self.last_seen) = Instant::now();
    }

    pub fn last_seen(&self) -> Instant {
        *lock(&self.last_seen)
    }

    /// Whether a request of this session is still running.
    pub fn is_busy(&self) -> bool {
        !lock(&self.running).is_empty()
    }

    pub fn set_log_level(&self, level: u8) {
        self.log_level.store(level, Ordering::Relaxed);
    }

    pub fn log_level_name(&self) -> Option<&'static str> {
        era::LOG_LEVELS.get(usize::from(self.log_level.load(Ordering::Relaxed))).copied()
    }

    /// Whether a log message of `level` passes what the client asked for.
    pub fn wants_log(&self, level: &str) -> bool {
        let least = self.log_level.load(Ordering::Relaxed);
        least == NO_LEVEL || era::log_level(level).is_none_or(|it| it >= least)
    }

    /// Remembers a subscription; `false` where it was there before.
    pub fn subscribe(&self, uri: &str) -> bool {
        lock(&self.subscriptions).insert(uri.to_owned())
    }

    pub fn unsubscribe(&self, uri: &str) -> bool {
        lock(&self.subscriptions).remove(uri)
    }

    pub fn is_subscribed(&self, uri: &str) -> bool {
        lock(&self.subscriptions).contains(uri)
    }

    pub fn subscriptions(&self) -> Vec<String> {
        lock(&self.subscriptions).iter().cloned().collect()
    }

    /// Marks a request as running; its token ends it. A repeated id replaces the earlier one.
    pub fn start(&self, id: &Id) -> CancellationToken {
        let token = self.closed.child_token();
        lock(&self.running).insert(id.clone(), token.clone());
        token
    }

    pub fn finish(&self, id: &Id) {
        lock(&self.running).remove(id);
    }

    /// Ends a running request on the client's word; unknown ids are late and ignored.
    pub fn cancel(&self, id: &Id) {
        if let Some(token) = lock(&self.running).remove(id) {
            token.cancel();
        }
    }

    /// Sends a request to the client through `outbox` and waits for its answer.
    ///
    /// # Errors
    /// The client's error, or that it is gone.
    pub async fn ask(&self, outbox: &Outbox, method: &str, params: Option<Raw>) -> Outcome {
        if let Some(capability) = needed_capability(method).filter(|it| self.capabilities.get(it).is_none()) {
            let told = format!("the client did not declare the capability `{capability}` that `{method}` needs");
            return Err(Fault::new(METHOD_NOT_FOUND, told));
        }
        let (sender, receiver) = oneshot::channel();
        let number = self.next_ask.fetch_add(1, Ordering::Relaxed);
        lock(&self.asked).insert(number, sender);
        let _forget = Forget { session: self, number };
        let request = Request { id: Id::number(number), method: method.to_owned(), params };
        if !outbox.send(Message::Request(request)) {
            return Err(client_gone(method));
        }
        tokio::select! {
            answer = receiver => answer.unwrap_or_else(|_| Err(client_gone(method))),
            () = self.closed.cancelled() => Err(client_gone(method)),
        }
    }

    /// Takes the client's answer to a request of ours; answers to nothing are dropped.
    pub fn answer(&self, response: Response) {
        let number = response.id.and_then(|id| id.as_number());
        let waiting = number.and_then(|number| lock(&self.asked).remove(&number));
        match waiting {
            // The asker may have given up in between.
            Some(sender) => drop(sender.send(response.outcome)),
            None => tracing::debug!(session = %self.id, "an answer to no open question was dropped"),
        }
    }
}

/// What a client must have declared to be asked (2025-11-25, lifecycle).
fn needed_capability(method: &str) -> Option<&'static str> {
    match method {
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" => Some("elicitation"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

fn client_gone(method: &str) -> Fault {
    Fault::new(INTERNAL_ERROR, format!("the client went away before it answered `{method}`"))
}

/// Removes an open question however the wait for it ends.
struct Forget<'a> {
    session: &'a Session,
    number: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(&self.session.asked).remove(&self.number);
    }
}
