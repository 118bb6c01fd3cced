//! The open sessions of legacy HTTP clients: found by id, closed when idle, bounded in number.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    mcp::{
        caller::{Caller, Client, Outbox},
        gate::Gate,
        jsonrpc::{Fault, INTERNAL_ERROR, Id, Message},
        methods,
        object::RawObject,
        session::Session,
        sse::StreamLog,
    },
    sync::lock,
};

/// How often idle sessions are looked for.
const SWEEP: Duration = Duration::from_secs(30);

struct Held {
    session: Arc<Session>,
    profile: String,
    standalone: Arc<Standalone>,
}

/// The stream of messages that belong to no request, and how far a client has read it.
pub struct Standalone {
    pub log: Arc<StreamLog>,
    /// A new GET without `Last-Event-ID` goes on where the last one began, and one that was never opened starts with
    /// what came before it.
    opened: Mutex<bool>,
}

impl Standalone {
    /// Where a newly opened stream starts: with everything at first, with what is new later.
    pub fn take_position(&self) -> u64 {
        let was_open = std::mem::replace(&mut *lock(&self.opened), true);
        if was_open { self.log.last_seq() } else { 0 }
    }
}

pub struct Sessions {
    held: Mutex<FxHashMap<String, Held>>,
    max_sessions: usize,
    idle: Duration,
    closing: CancellationToken,
}

impl Sessions {
    /// Starts the sweep for idle sessions; it ends with `closing`.
    pub fn start(max_sessions: usize, idle: Duration, closing: CancellationToken) -> Arc<Self> {
        let sessions = Arc::new(Self { held: Mutex::default(), max_sessions, idle, closing: closing.clone() });
        let weak = Arc::downgrade(&sessions);
        tokio::spawn(async move {
            while closing.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
                let Some(sessions) = weak.upgrade() else { return };
                sessions.sweep(Instant::now());
            }
        });
        sessions
    }

    /// Opens a session for an `initialize`.
    ///
    /// # Errors
    /// That there are too many.
    pub fn open(&self, initialize: &RawObject, gate: &Arc<Gate>) -> Result<Arc<Session>, Fault> {
        if lock(&self.held).len() >= self.max_sessions {
            self.sweep(Instant::now());
        }
        let mut held = lock(&self.held);
        if held.len() >= self.max_sessions {
            let told = format!("{} sessions are open; close one, or raise `server.max_sessions`", held.len());
            return Err(Fault::new(INTERNAL_ERROR, told));
        }
        let (session, messages) = Session::new(initialize);
        let log = session.streams.open();
        tokio::spawn(record(messages, Arc::clone(&log), session.closed.clone()));
        tokio::spawn(methods::forward_to_session(Arc::clone(gate), Arc::clone(&session)));
        tokio::spawn(release_when_closed(Arc::clone(gate), Arc::clone(&session), self.closing.clone()));
        let standalone = Arc::new(Standalone { log, opened: Mutex::default() });
        let profile = gate.profile.name.clone();
        held.insert(session.id.clone(), Held { session: Arc::clone(&session), profile, standalone });
        Ok(session)
    }

    /// A session of that profile; another profile's sessions are as unknown as none.
    pub fn find(&self, id: &str, profile: &str) -> Option<Arc<Session>> {
        let held = lock(&self.held);
        let found = held.get(id).filter(|it| it.profile == profile)?;
        found.session.touch();
        Some(Arc::clone(&found.session))
    }

    pub fn standalone(&self, id: &str) -> Option<Arc<Standalone>> {
        lock(&self.held).get(id).map(|it| Arc::clone(&it.standalone))
    }

    pub fn close(&self, id: &str) {
        if let Some(held) = lock(&self.held).remove(id) {
            held.session.closed.cancel();
        }
    }

    fn sweep(&self, now: Instant) {
        lock(&self.held).retain(|id, it| {
            let is_idle = !it.session.is_busy()
                && !it.standalone.log.has_reader()
                && now.saturating_duration_since(it.session.last_seen()) > self.idle;
            if is_idle {
                tracing::debug!(session = %id, "an idle session was closed");
                it.session.closed.cancel();
            }
            !is_idle
        });
    }
}

async fn record(mut messages: mpsc::Receiver<Message>, log: Arc<StreamLog>, closed: CancellationToken) {
    while let Some(Some(message)) = closed.run_until_cancelled(messages.recv()).await {
        log.push(&message);
    }
    log.finish();
}

async fn release_when_closed(gate: Arc<Gate>, session: Arc<Session>, closing: CancellationToken) {
    // At shutdown the upstreams go too, and nothing is left to release.
    if closing.run_until_cancelled(session.closed.cancelled()).await.is_none() {
        return;
    }
    let caller = Caller {
        request_id: Id::number(0),
        outbox: Outbox::new().0,
        client: Client::Session(session),
        cancel: CancellationToken::new(),
    };
    methods::release_subscriptions(&gate, &caller).await;
}

/// Ends the request that a `notifications/cancelled` names.
pub fn cancel(session: &Session, params: Option<&RawValue>) {
    let params = params.and_then(RawObject::parse).unwrap_or_default();
    if let Some(id) = params.get("requestId").and_then(Id::from_raw) {
        session.cancel(&id);
    }
}
