//! Outlines in the embedded store, each under the path and the text that it is of. A lost or damaged one is made again.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use sha2::{Digest, Sha256};

use crate::{
    store::{Store, Write},
    sync::lock,
};
use tollgate_planners::context::Outline;

/// Another form of outlines gets another number.
const PREFIX: &[u8] = b"outline/1/";

/// Texts this short are parsed sooner than looked up.
const LEAST_BYTES: usize = 2_000;

/// The outlines of one folder.
pub struct Kept {
    store: Arc<dyn Store>,
    /// Of the folder, so that two of them do not meet.
    root: [u8; 8],
    /// What is to be written with the next [`write`](Self::write).
    waiting: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Kept {
    pub fn new(store: Arc<dyn Store>, root: &Path) -> Self {
        Self { store, root: short_hash(root.as_os_str().as_encoded_bytes()), waiting: Mutex::default() }
    }

    /// The outline that was kept of this text.
    pub fn outline(&self, path: &str, text: &str) -> Option<Arc<Outline>> {
        if text.len() < LEAST_BYTES {
            return None;
        }
        let value = self.store.get(&self.key(path)).ok().flatten()?;
        let (hash, json) = value.split_at_checked(8)?;
        let is_of_it = hash == short_hash(text.as_bytes());
        serde_json::from_slice(json).ok().filter(|_| is_of_it).map(Arc::new)
    }

    /// Keeps an outline in the place of an earlier one of this path.
    pub fn keep(&self, path: &str, text: &str, outline: &Outline) {
        if text.len() < LEAST_BYTES {
            return;
        }
        let mut value = short_hash(text.as_bytes()).to_vec();
        if serde_json::to_writer(&mut value, outline).is_ok() {
            lock(&self.waiting).push((self.key(path), value));
        }
    }

    /// Writes what waits, all at once.
    pub fn write(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        let batch: Vec<Write<'_>> = waiting.iter().map(|(key, value)| Write::Put(key, value)).collect();
        if !batch.is_empty()
            && let Err(error) = self.store.write(&batch)
        {
            tracing::warn!("outlines are not kept: {error}");
        }
    }

    fn key(&self, path: &str) -> Vec<u8> {
        [PREFIX, &self.root, path.as_bytes()].concat()
    }
}

fn short_hash(bytes: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(Sha256::digest(bytes)).for_each(|(to, from)| *to = from);
    short
}
