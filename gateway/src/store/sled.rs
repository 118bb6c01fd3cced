//! sled 0.34, for one gateway at a time. sled alone keeps half a second of writes in the process, where kill -9 takes them;
//! so every write waits until sled has handed it on.

use std::{
    fs::OpenOptions,
    ops::Bound,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{Entry, Store, StoreError, Write};

/// How long a gateway waits for the one that it takes over from: its threads may hold the lock a moment longer than it.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

const FOLDER: &str = "ledger.sled";

/// What sled writes everything to, below its folder.
const LOG: &str = "db";

/// The ledger fits many times.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

struct Sled {
    db: sled::Db,
    path: std::path::PathBuf,
}

pub fn open(folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
    let path = folder.join(FOLDER);
    let config = sled::Config::new().path(&path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let begun = Instant::now();
    loop {
        match config.open() {
            Ok(db) => return Ok(Arc::new(Sled { db, path })),
            Err(error) if is_locked(&error) && begun.elapsed() < LOCK_PATIENCE => thread::sleep(LOCK_PAUSE),
            Err(error) => return Err(explain(&path, &error)),
        }
    }
}

/// sled tells of its lock in words alone.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("acquire lock"))
}

impl Sled {
    fn checked<T>(&self, result: sled::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| explain(&self.path, &error))
    }
}

impl Store for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.checked(self.db.get(key))?.map(|value| value.to_vec()))
    }

    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError> {
        let mut changes = sled::Batch::default();
        for change in batch {
            match change {
                Write::Put(key, value) => changes.insert(*key, *value),
                Write::Delete(key) => changes.remove(*key),
            }
        }
        self.checked(self.db.apply_batch(changes))?;
        self.checked(self.db.flush()).map(drop)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = self.db.range::<&[u8], _>((start, Bound::Unbounded)).take(limit);
        let mut entries = Vec::new();
        for entry in found {
            let (key, value) = self.checked(entry)?;
            if !key.starts_with(prefix) {
                break;
            }
            entries.push((key.to_vec(), value.to_vec()));
        }
        Ok(entries)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.checked(self.db.flush())?;
        // A flush ends with sync_file_range on Linux, which leaves the disk's own cache alone.
        let log = self.path.join(LOG);
        OpenOptions::new()
            .write(true)
            .open(&log)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::io(&log, "synced", &error))
    }
}

fn explain(path: &Path, error: &sled::Error) -> StoreError {
    match error {
        locked if is_locked(locked) => StoreError::new(
            path,
            "is in use by another process",
            "stop that one, or set `store.kind` to \"sqlite\", which several may share",
        ),
        sled::Error::Io(io) => StoreError::io(path, "used", io),
        sled::Error::Corruption { .. } => damaged(path, error),
        // What is not its format at all, it calls unsupported.
        sled::Error::Unsupported(_) => damaged(path, error),
        other => StoreError::new(path, format!("failed ({other})"), "start the gateway again"),
    }
}

fn damaged(path: &Path, error: &sled::Error) -> StoreError {
    let what = format!("is damaged ({error})");
    StoreError::new(path, what, "put a copy of it in its place, or move it away to begin anew")
}
