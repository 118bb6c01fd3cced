//! Answers kept for the very same request again: opt-in by route, for requests that ask for no chance.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{ledger::settlement::Usage, sync::lock};
use tollgate_config::WireFormat;

/// Stands for one request: its format, its body whatever the order of its keys, and whose it is.
pub type Key = [u8; 32];

/// An answer as the client got it.
#[derive(Clone, Debug)]
pub struct Kept {
    pub body: Bytes,
    pub is_stream: bool,
    /// Who gave it, as `provider/model`.
    pub target: Option<String>,
    /// What it was charged, which a hit is not.
    pub usage: Option<Usage>,
}

/// Answers, up to a number of bytes; those kept for longest go first.
#[derive(Debug)]
pub struct Cache {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: FxHashMap<Key, (Instant, Arc<Kept>)>,
    /// Keys with the end of their time, the oldest first; those that were kept again are there twice.
    order: VecDeque<(Instant, Key)>,
    bytes: usize,
}

impl Cache {
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, inner: Mutex::default() }
    }

    /// The largest answer that is kept: one may not push out all others.
    pub fn max_answer_bytes(&self) -> usize {
        self.max_bytes / 8
    }

    pub fn get(&self, key: &Key, now: Instant) -> Option<Arc<Kept>> {
        let inner = lock(&self.inner);
        inner.kept.get(key).filter(|(until, _)| *until > now).map(|(_, kept)| Arc::clone(kept))
    }

    pub fn put(&self, key: Key, kept: Kept, ttl: Duration, now: Instant) {
        if kept.body.len() > self.max_answer_bytes() {
            return;
        }
        let mut inner = lock(&self.inner);
        let until = now + ttl;
        inner.bytes += kept.body.len();
        inner.order.push_back((until, key));
        if let Some((_, old)) = inner.kept.insert(key, (until, Arc::new(kept))) {
            inner.bytes -= old.body.len();
        }
        while inner.bytes > self.max_bytes || inner.order.front().is_some_and(|(until, _)| *until <= now) {
            let Some((until, key)) = inner.order.pop_front() else { break };
            if inner.kept.get(&key).is_some_and(|(known, _)| *known == until)
                && let Some((_, old)) = inner.kept.remove(&key)
            {
                inner.bytes -= old.body.len();
            }
        }
    }
}

/// The key of a request that may be kept: `None` where its settings leave the answer to chance.
///
/// `owner` is whose it is, and `None` where a route lets all keys share.
pub fn key(format: WireFormat, model: &str, owner: Option<&str>, body: &[u8]) -> Option<Key> {
    let body: Value = serde_json::from_slice(body).ok()?;
    if !is_deterministic(&body) {
        return None;
    }
    let mut hash = Sha256::new();
    for part in [format.name(), model, owner.map_or("shared", |_| "own"), owner.unwrap_or_default()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    digest(&mut hash, &body);
    Some(hash.finalize().into())
}

/// Temperature 0, and one answer.
fn is_deterministic(body: &Value) -> bool {
    let is_cold = body["temperature"].as_f64().is_some_and(|it| it == 0.0);
    is_cold && matches!(body["n"].as_u64(), None | Some(1))
}

/// Objects are the same whatever the order of their keys.
fn digest(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            hash.update([b'{']);
            hash.update(members.len().to_le_bytes());
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in sorted {
                hash.update(key.len().to_le_bytes());
                hash.update(key);
                digest(hash, value);
            }
        }
        Value::Array(items) => {
            hash.update([b'[']);
            hash.update(items.len().to_le_bytes());
            items.iter().for_each(|it| digest(hash, it));
        }
        scalar => {
            let text = scalar.to_string();
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(owner: Option<&str>, body: &str) -> Option<Key> {
        key(WireFormat::OpenaiChat, "m", owner, body.as_bytes())
    }

    fn kept(bytes: usize) -> Kept {
        let body = Bytes::from(vec![b'x'; bytes]);
        Kept { body, is_stream: false, target: None, usage: None }
    }

    #[test]
    fn the_same_request_has_the_same_key() {
        let one = of(Some("a"), r#"{"temperature":0,"a":{"x":1,"y":[1,2]}}"#);
        assert!(one.is_some());
        assert_eq!(one, of(Some("a"), r#"{ "a": {"y":[1,2],"x":1}, "temperature":0 }"#));
        for (owner, other) in [
            (Some("b"), r#"{"temperature":0,"a":{"x":1,"y":[1,2]}}"#),
            (None, r#"{"temperature":0,"a":{"x":1,"y":[1,2]}}"#),
            (Some("a"), r#"{"temperature":0,"a":{"x":1,"y":[2,1]}}"#),
            (Some("a"), r#"{"temperature":0,"a":{"x":"1","y":[1,2]}}"#),
            (Some("a"), r#"{"temperature":0.0,"a":{"x":1,"y":[[1],2]}}"#),
        ] {
            assert_ne!(one, of(owner, other), "{owner:?} {other}");
        }
    }

    #[test]
    fn what_is_left_to_chance_has_none() {
        for body in ["{}", r#"{"temperature":1}"#, r#"{"temperature":0,"n":2}"#, r#"{"temperature":"0"}"#, "["] {
            assert_eq!(of(None, body), None, "{body}");
        }
    }

    #[test]
    fn answers_leave_with_their_time_and_for_room() {
        let (cache, start, ttl) = (Cache::new(8000), Instant::now(), Duration::from_secs(10));
        let at = |seconds| start + Duration::from_secs(seconds);
        let is_kept = |key: u8, seconds| cache.get(&[key; 32], at(seconds)).is_some();
        cache.put([1; 32], kept(1000), ttl, at(0));
        cache.put([2; 32], kept(1001), ttl, at(0));
        assert!(is_kept(1, 9) && !is_kept(1, 10), "its time");
        assert!(!is_kept(2, 0), "too large");
        cache.put([1; 32], kept(10), ttl, at(5));
        assert!(is_kept(1, 14), "kept again");
        for key in 3..12 {
            cache.put([key; 32], kept(1000), ttl, at(6));
        }
        assert!(!is_kept(1, 6) && !is_kept(3, 6) && is_kept(4, 6) && is_kept(11, 6), "the oldest go");
        assert!(lock(&cache.inner).bytes <= 8000);
    }
}
