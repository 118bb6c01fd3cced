//! SQLite with a write-ahead log, in one file that any number of gateways and commands may have open.
//!
//! A commit is one append to the log, handed to the operating system and not to the disk (`synchronous = NORMAL`,
//! <https://sqlite.org/wal.html>). A checkpoint syncs the log before it copies it into the file; ours run off the path of
//! requests.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{Entry, Store, StoreError, Write, folder::private_file, prefix_end};
use crate::sync::lock;

const FILE: &str = "ledger.sqlite";

/// How long a write waits for one of another process. Such a write takes microseconds, unless the process is stopped.
const BUSY: Duration = Duration::from_secs(5);

/// A commit writes and sums whole pages, and a row of ours is a tenth of a kilobyte: 1 KiB is a fifth cheaper than 4.
const PAGE_BYTES: u32 = 1024;

/// A log of more pages makes writers wait for a checkpoint, so that it can begin again at its start.
const MAX_LOG_PAGES: i64 = 65_536;

/// What the log is cut back to when it begins again.
const KEPT_LOG_BYTES: u32 = 4 * 1024 * 1024;

struct Sqlite {
    path: PathBuf,
    /// On the path of requests.
    front: Mutex<Connection>,
    /// For what takes its time: scans and checkpoints.
    back: Mutex<Connection>,
}

pub fn open(folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
    let path = folder.join(FILE);
    // SQLite gives its log and its index the mode of the file.
    private_file(&path)?;
    let (front, back) = (connect(&path)?, connect(&path)?);
    Ok(Arc::new(Sqlite { path, front: front.into(), back: back.into() }))
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connected = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {KEPT_LOG_BYTES};
             CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
        ))?;
        Ok(connection)
    };
    connected().map_err(|error| explain(path, &error))
}

impl Sqlite {
    fn checked<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| explain(&self.path, &error))
    }
}

impl Store for Sqlite {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let front = lock(&self.front);
        let value = front.prepare_cached("SELECT value FROM entries WHERE key = ?1");
        self.checked(value.and_then(|mut it| it.query_row([key], |row| row.get(0)).optional()))
    }

    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError> {
        self.checked(commit(&lock(&self.front), batch))
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.checked(scan(&lock(&self.back), prefix, after, limit))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.checked(checkpoint(&lock(&self.back)))
    }

    fn foreign_version(&self) -> Result<u64, StoreError> {
        let version = lock(&self.front).pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0));
        Ok(self.checked(version)?.unsigned_abs())
    }
}

const PUT: &str = "INSERT INTO entries VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM entries WHERE key = ?1";

/// One change is a transaction of its own accord, which spares two statements.
fn commit(connection: &Connection, batch: &[Write<'_>]) -> rusqlite::Result<()> {
    if let [change] = batch {
        return apply(connection, change);
    }
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let applied = batch.iter().try_for_each(|change| apply(connection, change));
    let ended = applied.and_then(|()| connection.prepare_cached("COMMIT")?.execute([]));
    if ended.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK")?.execute([])?;
    }
    ended.map(drop)
}

fn apply(connection: &Connection, change: &Write<'_>) -> rusqlite::Result<()> {
    match change {
        Write::Put(key, value) => connection.prepare_cached(PUT)?.execute(params![key, value]),
        Write::Delete(key) => connection.prepare_cached(DELETE)?.execute([key]),
    }
    .map(drop)
}

fn scan(connection: &Connection, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> rusqlite::Result<Vec<Entry>> {
    let select = "SELECT key, value FROM entries
                  WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (?3 IS NULL OR key > ?3) ORDER BY key LIMIT ?4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let start = after.filter(|after| *after > prefix).unwrap_or(prefix);
    let mut select = connection.prepare_cached(select)?;
    let rows =
        select.query_map(params![start, prefix_end(prefix), after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Most checkpoints let writers go on. While they do, the log cannot begin again; one that grew long makes them wait.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let pages_in_log = |mode| {
        let mut statement = connection.prepare_cached(mode)?;
        statement.query_row([], |row| row.get::<_, i64>(1))
    };
    match pages_in_log("PRAGMA wal_checkpoint(PASSIVE)")? > MAX_LOG_PAGES {
        true => pages_in_log("PRAGMA wal_checkpoint(RESTART)").map(drop),
        false => Ok(()),
    }
}

fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (what, remedy) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            ("is damaged", "put a copy of it in its place, or move it away to begin anew")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("is held by another process", "continue or end the gateway or command that is stopped")
        }
        Some(ErrorCode::DiskFull) => ("cannot grow", "make room on the disk"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            ("cannot be written", "let this user write there, or name another `store.folder`")
        }
        _ => ("failed", "check that `store.folder` is a folder on a disk of this machine"),
    };
    StoreError::new(path, format!("{what} ({error})"), remedy)
}
