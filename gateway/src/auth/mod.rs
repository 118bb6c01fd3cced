//! API keys: who may use the REST proxy, for what, and how much. Knows keys by their hash only.

pub mod file;
pub mod key;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use self::{
    file::{Stamp, load},
    key::{ApiKey, Hash},
};
use crate::{
    ledger::moment::Moment,
    store::StoreError,
    sync::{read, write},
};

/// So late a gateway notices that a key was made or revoked.
const RELOAD_MS: u64 = 200;

/// All keys in memory, read again when the file changes.
pub struct Keys {
    folder: PathBuf,
    loaded: RwLock<Loaded>,
    checked_ms: AtomicU64,
}

struct Loaded {
    stamp: Option<Stamp>,
    by_place: HashMap<u64, Arc<ApiKey>>,
}

/// Why a key is not let in. Only its holder is told, who showed the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    Unknown,
    Expired(Moment),
    Revoked,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown api key; `tollgate keys create` makes one"),
            Self::Expired(at) => write!(f, "the api key expired at {at}; `tollgate keys create` makes another"),
            Self::Revoked => f.write_str("the api key was revoked; `tollgate keys create` makes another"),
        }
    }
}

impl Keys {
    /// Reads the keys of a data folder.
    ///
    /// # Errors
    /// That the file is damaged or cannot be read.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: folder.to_owned(), loaded: RwLock::new(read_keys(folder)?), checked_ms: AtomicU64::new(0) })
    }

    /// Whether nobody made a key yet.
    pub fn is_empty(&self, now: Moment) -> bool {
        self.reload(now);
        read(&self.loaded).by_place.is_empty()
    }

    /// The key that a request shows, if it is let in.
    ///
    /// # Errors
    /// Why it is not.
    pub fn find(&self, shown: &str, now: Moment) -> Result<Arc<ApiKey>, Denied> {
        self.reload(now);
        let hash = Hash::of(shown);
        let found = read(&self.loaded).by_place.get(&hash.place()).cloned();
        let key = found.filter(|it| it.record.hash.is(&hash)).ok_or(Denied::Unknown)?;
        let_in(key, now)
    }

    /// The key of this id, if it is let in.
    ///
    /// # Errors
    /// Why it is not.
    pub fn of_id(&self, id: &str, now: Moment) -> Result<Arc<ApiKey>, Denied> {
        self.reload(now);
        let found = read(&self.loaded).by_place.values().find(|it| it.record.id == id).cloned();
        let_in(found.ok_or(Denied::Unknown)?, now)
    }

    /// Reads the file again if it changed. One that is damaged changes nothing: a mistake must not lock everybody out.
    fn reload(&self, now: Moment) {
        let checked = self.checked_ms.load(Ordering::Relaxed);
        if now.0.abs_diff(checked) < RELOAD_MS {
            return;
        }
        // One of many threads looks.
        if self.checked_ms.compare_exchange(checked, now.0, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let stamp = file::stamp(&self.folder);
        if stamp == read(&self.loaded).stamp {
            return;
        }
        match read_keys(&self.folder) {
            Ok(loaded) => *write(&self.loaded) = loaded,
            Err(error) => {
                tracing::error!("{error}; the keys from before still hold");
                write(&self.loaded).stamp = stamp;
            }
        }
    }
}

fn let_in(key: Arc<ApiKey>, now: Moment) -> Result<Arc<ApiKey>, Denied> {
    match (key.record.revoked, key.record.expires) {
        (Some(_), _) => Err(Denied::Revoked),
        (_, Some(at)) if at <= now => Err(Denied::Expired(at)),
        _ => Ok(key),
    }
}

fn read_keys(folder: &Path) -> Result<Loaded, StoreError> {
    // Before the file is read: a change in between is found at the next look.
    let stamp = file::stamp(folder);
    let path = file::path(folder);
    let mut by_place = HashMap::new();
    for record in load(folder)? {
        let place = record.hash.place();
        let key = ApiKey::new(record).map_err(|error| file::damaged(&path, &error.to_string()))?;
        if by_place.insert(place, Arc::new(key)).is_some() {
            return Err(file::damaged(&path, "two keys have the same hash"));
        }
    }
    Ok(Loaded { stamp, by_place })
}

#[cfg(test)]
mod tests;
