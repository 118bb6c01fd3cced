//! Who asks: the client behind one request, and the way back to it while the request runs.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    era::{self, Era},
    jsonrpc::{Fault, INVALID_PARAMS, Id, METHOD_NOT_FOUND, Message, Outcome, Raw, Request, raw},
    object::RawObject,
    session::Session,
};

/// Messages about one running request that may wait for a slow client; more are dropped, since an upstream must not
/// stall because one of its readers does.
pub const OUTBOX_CAPACITY: usize = 256;

/// Takes messages that belong to one running request to the client that sent it.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<Message>);

impl Outbox {
    pub fn new() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(OUTBOX_CAPACITY);
        (Self(sender), receiver)
    }

    pub fn from_sender(sender: mpsc::Sender<Message>) -> Self {
        Self(sender)
    }

    /// Queues a message; `false` where the client is gone or too slow.
    pub fn send(&self, message: Message) -> bool {
        self.0.try_send(message).is_ok()
    }

    /// Queues the last message, waiting for room.
    pub async fn finish(self, message: Message) {
        // A closed channel means that nobody waits for the answer any more.
        let _ = self.0.send(message).await;
    }
}

/// What is known of the client: kept by its session, or carried by the request itself.
#[derive(Clone, Debug)]
pub enum Client {
    Session(Arc<Session>),
    Stateless(Box<RequestMeta>),
}

/// The `_meta` that every request of the modern era carries.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    pub version: String,
    pub info: Option<Raw>,
    pub capabilities: Raw,
    pub log_level: Option<Raw>,
}

impl RequestMeta {
    /// Reads the required fields of the modern era.
    ///
    /// # Errors
    /// `-32602` naming the fields that are missing or malformed.
    pub fn read(request: &Request) -> Result<Self, Fault> {
        let meta = request
            .params
            .as_deref()
            .and_then(RawObject::parse)
            .and_then(|params| params.get_object("_meta"))
            .unwrap_or_default();
        let version = meta.get_str(era::META_VERSION);
        let capabilities = meta.get(era::META_CLIENT_CAPABILITIES).filter(|it| it.get().starts_with('{'));
        let (Some(version), Some(capabilities)) = (&version, capabilities) else {
            let missing: Vec<_> =
                [(era::META_VERSION, version.is_none()), (era::META_CLIENT_CAPABILITIES, capabilities.is_none())]
                    .into_iter()
                    .filter_map(|(key, missing)| missing.then_some(key))
                    .collect();
            return Err(Fault::new(
                INVALID_PARAMS,
                format!("`_meta` lacks the required or well-formed fields: {}", missing.join(", ")),
            ));
        };
        let log_level = meta.get(era::META_LOG_LEVEL).map(ToOwned::to_owned);
        check_log_level(log_level.as_ref())?;
        Ok(Self {
            version: version.clone(),
            info: meta.get(era::META_CLIENT_INFO).map(ToOwned::to_owned),
            capabilities: capabilities.to_owned(),
            log_level,
        })
    }
}

fn check_log_level(level: Option<&Raw>) -> Result<(), Fault> {
    let Some(level) = level else { return Ok(()) };
    let known = serde_json::from_str::<String>(level.get()).is_ok_and(|it| era::log_level(&it).is_some());
    if known {
        return Ok(());
    }
    Err(Fault::new(
        INVALID_PARAMS,
        format!("unknown log level `{}`; use one of {}", level.get(), era::LOG_LEVELS.join(", ")),
    ))
}

/// One request's client, its way back, and its end.
#[derive(Clone, Debug)]
pub struct Caller {
    pub request_id: Id,
    pub client: Client,
    pub outbox: Outbox,
    pub cancel: CancellationToken,
}

impl Caller {
    pub fn era(&self) -> Era {
        match self.client {
            Client::Session(_) => Era::Legacy,
            Client::Stateless(_) => Era::Modern,
        }
    }

    pub fn session(&self) -> Option<&Arc<Session>> {
        match &self.client {
            Client::Session(session) => Some(session),
            Client::Stateless(_) => None,
        }
    }

    /// `clientInfo` as the client gave it.
    pub fn info(&self) -> Option<Raw> {
        match &self.client {
            Client::Session(session) => session.client_info.clone(),
            Client::Stateless(meta) => meta.info.clone(),
        }
    }

    /// The capabilities to declare upstream on this client's behalf.
    ///
    /// A legacy client answers requests sent to it and not requests inside results, so for a modern upstream it can
    /// do nothing.
    pub fn capabilities_for_modern_upstream(&self) -> Raw {
        match &self.client {
            Client::Session(_) => raw(&serde_json::json!({})),
            Client::Stateless(meta) => meta.capabilities.clone(),
        }
    }

    /// The least level of log messages that this client wants for this request, as JSON.
    pub fn log_level(&self) -> Option<Raw> {
        match &self.client {
            Client::Session(session) => session.log_level_name().map(|it| raw(&it)),
            Client::Stateless(meta) => meta.log_level.clone(),
        }
    }

    /// Sends a request of an upstream to this client and waits for its answer.
    ///
    /// # Errors
    /// The client's own error; or why it cannot be asked.
    pub async fn ask(&self, method: &str, params: Option<Raw>) -> Outcome {
        let Some(session) = self.session() else {
            return Err(Fault::new(
                METHOD_NOT_FOUND,
                format!("the client speaks 2026-07-28 and cannot be sent `{method}` by a 2025-11-25 server"),
            ));
        };
        session.ask(&self.outbox, method, params).await
    }
}
