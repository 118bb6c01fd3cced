//! The life of an upstream: started, served until it ends, started again after a while, stopped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join;
use tokio::sync::mpsc;

use super::{Connection, EVENT_QUEUE, FromUpstream, ListKind, Lists, State, Upstream, UpstreamEvent, lists, mux::Mux};
use crate::{
    mcp::era::Era,
    sync::{lock, write},
};
use tollgate_config::{Backoff, Start};

/// A connection that lived this long was sound: the next restart starts from the shortest delay again.
const SOUND_AFTER: Duration = Duration::from_secs(30);

/// How it went so far.
struct Attempts {
    backoff: Backoff,
    delay: Duration,
    /// Starts in a row that came to nothing.
    failed: u32,
    /// Whether the next start asks for the era first.
    probe: bool,
}

impl Attempts {
    fn new(backoff: Backoff) -> Self {
        Self { backoff, delay: backoff.initial, failed: 0, probe: true }
    }

    fn failed(&mut self) {
        self.failed += 1;
        // A server that dies of an unknown method gets the handshake that it knows.
        self.probe = !self.probe;
    }

    fn served(&mut self, lived: Duration) {
        if lived > SOUND_AFTER {
            self.delay = self.backoff.initial;
        }
    }

    fn take_delay(&mut self) -> Duration {
        let next = (self.delay * 2).min(self.backoff.max);
        std::mem::replace(&mut self.delay, next)
    }
}

impl Upstream {
    /// Starts the supervisor.
    pub fn start(self: &Arc<Self>) {
        let upstream = Arc::clone(self);
        tokio::spawn(async move {
            upstream.supervise().await;
            upstream.children.wait().await;
            upstream.state.send_replace(State::Stopped);
            upstream.tried.cancel();
            upstream.stopped.cancel();
        });
    }

    /// Ends the connection and waits until it is gone.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.stopped.cancelled().await;
    }

    async fn supervise(&self) {
        if self.config.start == Start::Lazy && !self.until_wanted().await {
            return;
        }
        self.lists_deadline();
        let mut attempts = Attempts::new(self.config.restart);
        loop {
            self.state.send_replace(State::Starting);
            let reason = self.live_once(&mut attempts).await;
            if self.stop.is_cancelled() {
                return;
            }
            let (failed_starts, delay) = (attempts.failed, attempts.take_delay());
            self.report(&reason, delay);
            self.state.send_replace(State::Down { reason, failed_starts, retry_at: Instant::now() + delay });
            if !self.rest(delay).await {
                return;
            }
        }
    }

    async fn until_wanted(&self) -> bool {
        tokio::select! {
            () = self.wanted.notified() => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// One start, and the connection that comes of it, to its end; says why it ended.
    async fn live_once(&self, attempts: &mut Attempts) -> String {
        let connected = self.connect(attempts.probe).await;
        self.tried.cancel();
        match connected {
            Ok((connection, events)) => {
                attempts.failed = 0;
                let ready_at = Instant::now();
                let reason = self.serve(connection, events).await;
                attempts.served(ready_at.elapsed());
                reason
            }
            Err(reason) => {
                attempts.failed();
                reason
            }
        }
    }

    /// A reason is news once: the same one at every retry would bury the rest of the log.
    fn report(&self, reason: &str, delay: Duration) {
        let retry_ms = delay.as_millis();
        let known = lock(&self.trouble).replace(reason.to_owned());
        if known.is_some_and(|it| it == reason) {
            tracing::debug!(upstream = self.id(), reason, retry_ms, "the upstream is still down");
        } else {
            tracing::warn!(upstream = self.id(), reason, retry_ms, "the upstream is down");
        }
    }

    /// Waits before the next start, until the last one's processes are gone at least; `false` where there is none.
    async fn rest(&self, delay: Duration) -> bool {
        tokio::select! {
            _ = join(tokio::time::sleep(delay), self.children.wait()) => true,
            () = self.stop.cancelled() => false,
        }
    }

    async fn connect(&self, probe: bool) -> Result<(Arc<Connection>, mpsc::Receiver<UpstreamEvent>), String> {
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let mux = Mux::new(self.id().into(), sender);
        let patience = self.config.startup_timeout;
        let opening = async {
            let connection =
                Connection::open(&self.config, &self.deps, Arc::clone(&mux), &self.children, probe).await?;
            let lists = lists::fetch(&connection, &self.config, &self.filter).await?;
            Ok((connection, lists))
        };
        let opened = tokio::select! {
            opened = tokio::time::timeout(patience, opening) => {
                opened.unwrap_or_else(|_| Err(not_ready(patience, &mux)))
            }
            () = self.stop.cancelled() => Err("was stopped".into()),
        };
        let (connection, lists) = opened?;
        self.publish(lists, &ListKind::ALL);
        Ok((Arc::new(connection), events))
    }

    /// Keeps a connection until it ends; says why it did.
    async fn serve(&self, connection: Arc<Connection>, events: mpsc::Receiver<UpstreamEvent>) -> String {
        let tools = self.lists().map_or(0, |it| it.tools.len());
        tracing::info!(upstream = self.id(), tools, version = connection.introduction.version, "the upstream is ready");
        lock(&self.trouble).take();
        self.state.send_replace(State::Ready(Arc::clone(&connection)));
        tokio::select! {
            () = self.attend(&connection, events) => connection.end_reason(),
            () = connection.ended().cancelled() => connection.end_reason(),
            () = self.stop.cancelled() => {
                self.close(&connection).await;
                "was stopped".into()
            }
        }
    }

    async fn close(&self, connection: &Connection) {
        if let Some(other) = self.for_legacy.lock().await.take() {
            other.close().await;
        }
        connection.close().await;
    }

    /// Hears what a connection announces, for as long as it does.
    async fn attend(&self, connection: &Connection, mut events: mpsc::Receiver<UpstreamEvent>) {
        self.subscribe_again(connection).await;
        let listening = async {
            loop {
                self.listen(connection).await;
            }
        };
        tokio::pin!(listening);
        loop {
            tokio::select! {
                Some(event) = events.recv() => self.handle(connection, event, &mut events).await,
                () = &mut listening => {}
            }
        }
    }

    /// Holds the standing subscription of a modern upstream; returns when the wanted resources change.
    async fn listen(&self, connection: &Connection) {
        let changed = self.subscriptions_changed.notified();
        if connection.introduction.era == Era::Legacy {
            return changed.await;
        }
        let uris: Vec<String> = lock(&self.subscriptions).keys().cloned().collect();
        let standing = async {
            connection.listen(&uris).await;
            // Refused or ended by the server: lists are then read again only at the next start.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = changed => {}
            () = standing => {}
        }
    }

    async fn handle(&self, connection: &Connection, event: UpstreamEvent, events: &mut mpsc::Receiver<UpstreamEvent>) {
        let mut changed = Vec::new();
        let mut next = Some(event);
        // A burst of changes is one change.
        while let Some(event) = next {
            match event {
                UpstreamEvent::ListChanged(kind) => changed.push(kind),
                other => self.tell(other),
            }
            next = events.try_recv().ok();
        }
        if changed.is_empty() {
            return;
        }
        changed.dedup();
        match lists::fetch(connection, &self.config, &self.filter).await {
            Ok(lists) => self.publish(lists, &changed),
            Err(reason) => tracing::warn!(upstream = self.id(), reason, "the changed lists could not be read"),
        }
    }

    fn publish(&self, lists: Lists, changed: &[ListKind]) {
        *write(&self.lists) = Some(Arc::new(lists));
        changed.iter().for_each(|kind| self.tell(UpstreamEvent::ListChanged(*kind)));
    }

    fn tell(&self, event: UpstreamEvent) {
        // Nobody listening is no error.
        let _ = self.hub.send(FromUpstream { upstream: self.id().into(), event });
    }
}

fn not_ready(patience: Duration, mux: &Mux) -> String {
    format!(
        "was not ready within {} s; raise `startup_timeout_s` of this upstream if it needs longer{}",
        patience.as_secs_f64(),
        mux.last_output(),
    )
}
