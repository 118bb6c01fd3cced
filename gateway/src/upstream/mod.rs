//! MCP servers behind the gateway: each one supervised by a task of its own, so that a dead or slow one costs its own
//! tools and nothing else.

mod child;
mod connection;
mod event;
mod exit;
mod group;
mod http;
mod last_words;
mod lines;
mod lists;
mod mux;
mod supervise;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, RwLock, Weak},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use connection::{CallError, Connection};
pub use event::{FromUpstream, ListKind, UpstreamEvent};
pub use group::kill_all;
pub use lines::{Line, read_line};
use lists::ToolFilter;
pub use lists::{Lists, UpstreamTool};
pub use mux::{About, log_level_of};

use crate::{
    mcp::{
        caller::Caller,
        era::Era,
        jsonrpc::{Fault, INTERNAL_ERROR, Outcome},
        object::RawObject,
    },
    proxy::Proxy,
    sync::{lock, read},
};
use tollgate_config::Upstream as UpstreamConfig;

/// Notifications of one upstream that may wait to be handled.
const EVENT_QUEUE: usize = 1_024;
/// Events of all upstreams that a slow front may lag behind.
const HUB_CAPACITY: usize = 4_096;

/// Where the fronts hear of upstreams.
pub type Hub = broadcast::Sender<FromUpstream>;

pub fn hub() -> Hub {
    broadcast::channel(HUB_CAPACITY).0
}

/// What connections to upstreams share.
#[derive(Clone, Debug)]
pub struct Deps {
    pub client: reqwest::Client,
    /// For the built-in `context` upstream, which counts in any model's tokens.
    pub models: Arc<tollgate_config::Models>,
    /// Below its folder the built-in `context` upstream keeps what it knows of files.
    pub store: tollgate_config::Store,
    /// For the built-in `batch` upstream, once there is one.
    pub proxy: LateProxy,
    /// How long a list waits for an upstream whose first start is under way.
    pub lists_wait: Duration,
}

/// The REST side of the gateway, which is made after the upstreams, and has their tools.
pub type LateProxy = Arc<OnceLock<Weak<Proxy>>>;

#[derive(Clone)]
pub enum State {
    /// Not started, because nobody asked for it yet.
    Idle,
    Starting,
    Ready(Arc<Connection>),
    /// `failed_starts` counts starts in a row that came to nothing.
    Down {
        reason: String,
        failed_starts: u32,
        retry_at: Instant,
    },
    Stopped,
}

pub struct Upstream {
    pub config: UpstreamConfig,
    filter: ToolFilter,
    deps: Deps,
    state: watch::Sender<State>,
    /// Why it is not up, from its failure until it is up again.
    trouble: Mutex<Option<String>>,
    /// The last offer, kept while the upstream restarts.
    lists: RwLock<Option<Arc<Lists>>>,
    hub: Hub,
    /// A dual-era server's connection for legacy clients, opened when the first one calls.
    for_legacy: tokio::sync::Mutex<Option<Arc<Connection>>>,
    wanted: Notify,
    /// When lists stop waiting for the first start; unset until that is wanted.
    lists_deadline: OnceLock<Instant>,
    /// The first start has succeeded or failed.
    tried: CancellationToken,
    /// Processes that are not gone yet.
    children: TaskTracker,
    stop: CancellationToken,
    stopped: CancellationToken,
    subscriptions: Mutex<HashMap<String, usize>>,
    subscriptions_changed: Notify,
}

impl Upstream {
    /// An upstream at rest; [`Self::start`] sets it going.
    ///
    /// # Errors
    /// A glob in its configuration that is none.
    pub fn new(config: UpstreamConfig, deps: Deps, hub: Hub) -> Result<Arc<Self>, globset::Error> {
        let children = TaskTracker::new();
        // Closed, it can be waited for at any time; it goes on counting.
        children.close();
        Ok(Arc::new(Self {
            filter: ToolFilter::new(&config)?,
            config,
            deps,
            state: watch::Sender::new(State::Idle),
            trouble: Mutex::default(),
            lists: RwLock::default(),
            hub,
            for_legacy: tokio::sync::Mutex::default(),
            wanted: Notify::new(),
            lists_deadline: OnceLock::new(),
            tried: CancellationToken::new(),
            children,
            stop: CancellationToken::new(),
            stopped: CancellationToken::new(),
            subscriptions: Mutex::default(),
            subscriptions_changed: Notify::new(),
        }))
    }

    pub fn id(&self) -> &str {
        &self.config.id
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The last known offer, if there ever was one.
    pub fn lists(&self) -> Option<Arc<Lists>> {
        read(&self.lists).clone()
    }

    /// Waits until the upstream is up, or its start has failed.
    pub async fn settled(&self) {
        self.wanted.notify_one();
        let mut state = self.state.subscribe();
        // The sender lives as long as `self`.
        let _ = state.wait_for(|it| !matches!(it, State::Idle | State::Starting)).await;
    }

    /// Waits until a list can be answered from what is known: one slow start must not hold up what the other upstreams
    /// offer, and one that was up keeps its last known lists. What comes later is announced.
    pub async fn listable(&self) {
        self.wanted.notify_one();
        // A late upstream is no error here.
        let _ = tokio::time::timeout_at(self.lists_deadline().into(), self.tried.cancelled()).await;
    }

    fn lists_deadline(&self) -> Instant {
        *self.lists_deadline.get_or_init(|| Instant::now() + self.deps.lists_wait)
    }

    /// Why its offer may be missing; `None` while it is up, and where nobody wanted it yet.
    pub fn trouble(&self) -> Option<String> {
        if self.is_live() {
            return None;
        }
        let reason = lock(&self.trouble).clone();
        let is_starting = matches!(self.state(), State::Starting);
        reason.map(|it| format!("is down: {it}")).or_else(|| is_starting.then(|| "is still starting".into()))
    }

    pub fn is_live(&self) -> bool {
        self.live_connection().is_some()
    }

    fn live_connection(&self) -> Option<Arc<Connection>> {
        match &*self.state.borrow() {
            State::Ready(connection) if !connection.ended().is_cancelled() => Some(Arc::clone(connection)),
            _ => None,
        }
    }

    /// A live connection; waits through a start or a restart.
    ///
    /// # Errors
    /// That the upstream is down, why, and when it is tried again.
    pub async fn connection(&self) -> Result<Arc<Connection>, Fault> {
        if let Some(connection) = self.live_connection() {
            return Ok(connection);
        }
        self.wanted.notify_one();
        let mut state = self.state.subscribe();
        let wait = state.wait_for(|it| match it {
            State::Ready(connection) => !connection.ended().is_cancelled(),
            // One that was up and ended is about to be started again.
            State::Down { failed_starts, .. } => *failed_starts > 0,
            State::Stopped => true,
            State::Idle | State::Starting => false,
        });
        let settled = tokio::time::timeout(self.config.startup_timeout, wait).await;
        match settled {
            Ok(Ok(state)) => self.connection_of(&state),
            _ => Err(self.down("is still starting")),
        }
    }

    /// The connection for one client: in its own era where the upstream speaks both, so that nothing is translated.
    async fn connection_for(&self, caller: &Caller) -> Result<Arc<Connection>, Fault> {
        let main = self.connection().await?;
        if !self.splits_eras(&main.introduction, caller) {
            return Ok(main);
        }
        let mut open = self.for_legacy.lock().await;
        if let Some(connection) = open.as_ref().filter(|it| !it.ended().is_cancelled()) {
            return Ok(Arc::clone(connection));
        }
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        match Connection::open_legacy(&self.config, &self.deps, sender).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                tokio::spawn(tell_logs(events, self.id().into(), self.hub.clone()));
                *open = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(reason) => Err(self.down(&reason)),
        }
    }

    fn splits_eras(&self, introduction: &lists::Introduction, caller: &Caller) -> bool {
        let over_http = matches!(self.config.transport, tollgate_config::Transport::Http { .. });
        over_http && introduction.is_dual && caller.era() == Era::Legacy
    }

    /// The era that answers to this client come in.
    pub fn era_for(&self, caller: &Caller) -> Era {
        match self.lists() {
            Some(lists) if self.splits_eras(&lists.introduction, caller) => Era::Legacy,
            Some(lists) => lists.introduction.era,
            None => Era::Legacy,
        }
    }

    fn connection_of(&self, state: &State) -> Result<Arc<Connection>, Fault> {
        match state {
            State::Ready(connection) => Ok(Arc::clone(connection)),
            State::Down { reason, retry_at, .. } => {
                let wait = retry_at.saturating_duration_since(Instant::now()).as_secs_f64();
                Err(self.down(&format!("is down: {reason}; it is started again in {wait:.1} s")))
            }
            _ => Err(self.down("is shut down")),
        }
    }

    fn down(&self, what: &str) -> Fault {
        Fault::new(INTERNAL_ERROR, format!("upstream `{}` {what}", self.id()))
    }

    /// Forwards a request. It is sent once; a second time only where the upstream said that it did not run.
    ///
    /// # Errors
    /// The upstream's own error, or why there is no answer.
    pub async fn call(&self, caller: &Caller, method: &str, params: RawObject, about: About) -> Outcome {
        let timeout = self.config.call_timeout;
        let connection = self.connection_for(caller).await?;
        match connection.request(method, params.clone(), Some(caller), about.clone(), timeout).await {
            Ok(outcome) => outcome,
            Err(CallError { not_run: true, .. }) if !caller.cancel.is_cancelled() => {
                let connection = self.connection_for(caller).await?;
                let again = connection.request(method, params, Some(caller), about, timeout).await;
                again.unwrap_or_else(|error| Err(error.fault))
            }
            Err(error) => Err(error.fault),
        }
    }

    /// Wants updates of a resource. Subscriptions are shared: the upstream hears of the first one.
    ///
    /// # Errors
    /// The upstream's own.
    pub async fn subscribe(&self, caller: &Caller, uri: &str) -> Result<(), Fault> {
        let first = {
            let mut subscriptions = lock(&self.subscriptions);
            let count = subscriptions.entry(uri.to_owned()).or_default();
            *count += 1;
            *count == 1
        };
        if !first {
            return Ok(());
        }
        self.change_subscription(caller, "resources/subscribe", uri).await
    }

    /// Ends one client's wish for updates.
    ///
    /// # Errors
    /// The upstream's own.
    pub async fn unsubscribe(&self, caller: &Caller, uri: &str) -> Result<(), Fault> {
        if !self.forget_subscription(uri) {
            return Ok(());
        }
        self.change_subscription(caller, "resources/unsubscribe", uri).await
    }

    /// Takes one wish off; `true` where it was the last one.
    pub fn forget_subscription(&self, uri: &str) -> bool {
        let mut subscriptions = lock(&self.subscriptions);
        let Some(count) = subscriptions.get_mut(uri) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            subscriptions.remove(uri);
        }
        last
    }

    async fn change_subscription(&self, caller: &Caller, method: &str, uri: &str) -> Result<(), Fault> {
        let connection = self.connection().await?;
        if connection.introduction.era == Era::Modern {
            self.subscriptions_changed.notify_one();
            return Ok(());
        }
        let mut params = RawObject::default();
        params.set_str("uri", uri);
        self.call(caller, method, params, About::default()).await.map(|_| ())
    }

    /// After a restart a legacy upstream has forgotten what it was asked to watch.
    async fn subscribe_again(&self, connection: &Connection) {
        if connection.introduction.era == Era::Modern {
            return;
        }
        let uris: Vec<String> = lock(&self.subscriptions).keys().cloned().collect();
        for uri in uris {
            let mut params = RawObject::default();
            params.set_str("uri", &uri);
            let asked =
                connection.request("resources/subscribe", params, None, About::default(), self.config.call_timeout);
            if asked.await.is_err() {
                return;
            }
        }
    }
}

/// Of a second connection only logs are news: the first one tells of everything else.
async fn tell_logs(mut events: mpsc::Receiver<UpstreamEvent>, upstream: Arc<str>, hub: Hub) {
    while let Some(event) = events.recv().await {
        if matches!(event, UpstreamEvent::Log { .. }) {
            // Nobody listening is no error.
            let _ = hub.send(FromUpstream { upstream: Arc::clone(&upstream), event });
        }
    }
}
