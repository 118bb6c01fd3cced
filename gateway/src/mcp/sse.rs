//! Server-sent events out: encoding, and logs of streams that a legacy client may resume (2025-11-25, transports).

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::Notify;

use super::jsonrpc::Message;
use crate::sync::lock;

/// How long a client is asked to wait before it reconnects, ms.
const RETRY_MS: u64 = 1_000;
/// Events kept for replay in one stream, and their bytes; the oldest go first.
const MAX_EVENTS: usize = 1_024;
const MAX_BYTES: usize = 128 << 20;
/// Finished streams kept for a client that lost the end of one.
const MAX_FINISHED: usize = 8;

/// A message as an event without an id.
pub fn event(message: &Message) -> Bytes {
    frame(None, &message.to_bytes())
}

/// The comment that keeps intermediaries from closing a silent stream.
pub fn keep_alive() -> Bytes {
    Bytes::from_static(b":\n\n")
}

fn frame(id: Option<(u64, u64)>, data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 48);
    if let Some((stream, seq)) = id {
        out.extend_from_slice(format!("id: {stream}-{seq}\n").as_bytes());
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
    out.into()
}

/// One stream's events in order; writers append, a reader follows from any point.
#[derive(Debug)]
pub struct StreamLog {
    id: u64,
    state: Mutex<LogState>,
    changed: Notify,
    readers: AtomicUsize,
}

#[derive(Debug, Default)]
struct LogState {
    /// Sequence number of the first event kept.
    first: u64,
    events: VecDeque<Bytes>,
    bytes: usize,
    finished: bool,
}

impl StreamLog {
    pub fn push(&self, message: &Message) {
        let mut state = lock(&self.state);
        let seq = state.first + state.events.len() as u64 + 1;
        let event = frame(Some((self.id, seq)), &message.to_bytes());
        state.bytes += event.len();
        state.events.push_back(event);
        while state.events.len() > MAX_EVENTS || state.bytes > MAX_BYTES && state.events.len() > 1 {
            state.bytes -= state.events.pop_front().map_or(0, |it| it.len());
            state.first += 1;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// No more events will come.
    pub fn finish(&self) {
        lock(&self.state).finished = true;
        self.changed.notify_waiters();
    }

    /// The number of the newest event.
    pub fn last_seq(&self) -> u64 {
        let state = lock(&self.state);
        state.first + state.events.len() as u64
    }

    /// Whether somebody follows the log now.
    pub fn has_reader(self: &Arc<Self>) -> bool {
        self.readers.load(Ordering::Relaxed) > 0
    }

    fn is_finished(&self) -> bool {
        lock(&self.state).finished
    }

    /// The event that lets a client resume from the very start.
    pub fn priming(&self) -> Bytes {
        format!("id: {}-0\nretry: {RETRY_MS}\ndata: \n\n", self.id).into()
    }

    /// The event after number `seen`: `Ok(None)` at the end of a finished stream, `Err` where it must be waited for.
    fn next(&self, seen: u64) -> Result<Option<(u64, Bytes)>, ()> {
        let state = lock(&self.state);
        let seq = seen.max(state.first);
        let at = usize::try_from(seq - state.first).unwrap_or(usize::MAX);
        match state.events.get(at) {
            Some(event) => Ok(Some((seq + 1, event.clone()))),
            None if state.finished => Ok(None),
            None => Err(()),
        }
    }

    /// Follows the log from after event `seen`, with a comment in every silent `keep_alive`.
    pub fn follow(self: Arc<Self>, seen: u64, keep_alive: Duration) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold((Reader::new(self), seen), move |(reader, seen)| async move {
            loop {
                let changed = reader.0.changed.notified();
                match reader.0.next(seen) {
                    Ok(Some((seq, event))) => return Some((event, (reader.clone(), seq))),
                    Ok(None) => return None,
                    Err(()) => {}
                }
                let timed_out = tokio::time::timeout(keep_alive, changed).await.is_err();
                if timed_out {
                    return Some((self::keep_alive(), (reader.clone(), seen)));
                }
            }
        })
    }
}

/// Counts itself among the log's readers while it lives.
struct Reader(Arc<StreamLog>);

impl Reader {
    fn new(log: Arc<StreamLog>) -> Self {
        log.readers.fetch_add(1, Ordering::Relaxed);
        Self(log)
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The resumable streams of one session.
#[derive(Debug, Default)]
pub struct StreamLogs {
    next_id: AtomicU64,
    logs: Mutex<VecDeque<Arc<StreamLog>>>,
}

impl StreamLogs {
    /// Opens a stream, forgetting the oldest finished ones.
    pub fn open(&self) -> Arc<StreamLog> {
        let log = Arc::new(StreamLog {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            state: Mutex::default(),
            changed: Notify::new(),
            readers: AtomicUsize::new(0),
        });
        let mut logs = lock(&self.logs);
        logs.push_back(Arc::clone(&log));
        let mut surplus = logs.iter().filter(|it| it.is_finished()).count().saturating_sub(MAX_FINISHED);
        logs.retain(|it| {
            let drop = surplus > 0 && it.is_finished();
            surplus -= usize::from(drop);
            !drop
        });
        log
    }

    /// The stream and position behind a `Last-Event-ID` that we gave out.
    pub fn find(&self, last_event_id: &str) -> Option<(Arc<StreamLog>, u64)> {
        let (stream, seq) = last_event_id.split_once('-')?;
        let (stream, seq): (u64, u64) = (stream.parse().ok()?, seq.parse().ok()?);
        let log = lock(&self.logs).iter().find(|it| it.id == stream).cloned()?;
        Some((log, seq))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    fn note(method: &str) -> Message {
        Message::notification(method, None)
    }

    #[tokio::test]
    async fn a_stream_resumes_after_the_last_event_seen() {
        let logs = StreamLogs::default();
        let log = logs.open();
        for name in ["a", "b", "c"] {
            log.push(&note(name));
        }
        log.finish();
        let (log, seen) = logs.find("0-1").unwrap();
        let rest: Vec<_> = log.follow(seen, Duration::from_secs(9)).collect().await;
        let text = String::from_utf8(rest.concat()).unwrap();
        assert_eq!(
            text,
            "id: 0-2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"b\"}\n\nid: 0-3\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"c\"}\n\n"
        );
    }

    #[tokio::test]
    async fn a_follower_sees_events_pushed_later() {
        let logs = StreamLogs::default();
        let log = logs.open();
        let mut follower = Box::pin(Arc::clone(&log).follow(0, Duration::from_millis(5)));
        assert_eq!(follower.next().await.unwrap(), keep_alive());
        log.push(&note("late"));
        assert!(follower.next().await.unwrap().starts_with(b"id: 0-1"));
        log.finish();
        assert!(follower.next().await.is_none());
    }

    #[test]
    fn foreign_and_forgotten_ids_find_nothing() {
        let logs = StreamLogs::default();
        for _ in 0..20 {
            logs.open().finish();
        }
        for id in ["", "x", "0-0", "99-1", "-", "1-"] {
            assert!(logs.find(id).is_none(), "{id}");
        }
        assert!(logs.find("19-0").is_some());
    }
}
