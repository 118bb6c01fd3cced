//! The embedded store: bytes under ordered keys, in the data folder. It knows nothing of what they mean.
//!
//! The promise of every kind that outlives the process: what a returned `write` wrote is whole, and survives kill -9 at
//! any moment, since it was handed to the operating system. From a loss of power it is safe `sync_ms` later at the latest;
//! such a loss takes the newest writes and never the order among them.

mod folder;
mod memory;
mod sled;
mod sqlite;
mod synced;
#[cfg(test)]
pub mod torture;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use folder::private_folder;
pub use folder::{lock_file, private_file};
use tollgate_config::{Store as StoreConfig, StoreKind};

/// One change of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// Sets a key to a value.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key; one that is not there is no error.
    Delete(&'a [u8]),
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

pub trait Store: Send + Sync {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Makes all changes or none, and returns when they outlive the process.
    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError>;

    /// The first `limit` entries under `prefix` behind the key `after`, in the order of their bytes.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Makes what was written so far safe from a loss of power.
    fn sync(&self) -> Result<(), StoreError>;

    /// A number that changes when another process wrote.
    fn foreign_version(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// One kind of store.
pub struct Registered {
    pub kind: StoreKind,
    /// Opens it below a folder that exists and is private.
    open: fn(&Path) -> Result<Arc<dyn Store>, StoreError>,
}

/// Every kind of store, the default first.
pub const STORES: &[Registered] = &[
    Registered { kind: StoreKind::Sqlite, open: sqlite::open },
    Registered { kind: StoreKind::Sled, open: sled::open },
    Registered { kind: StoreKind::Memory, open: memory::open },
];

/// Under this key a store says how everything else in it is laid out.
const LAYOUT_KEY: &[u8] = b"layout";

/// Another layout gets another number, and what reads the old one.
const LAYOUT: &[u8] = b"1";

/// Opens the configured store, makes its folder if need be, and from then on syncs it in time.
///
/// # Errors
/// The folder, what is wrong with it, and what to do.
pub fn open(config: &StoreConfig) -> Result<Arc<dyn Store>, StoreError> {
    let registered = registered(config.kind)?;
    if config.kind == StoreKind::Memory {
        return (registered.open)(Path::new(""));
    }
    let folder = data_folder(config)?;
    let store = (registered.open)(&folder)?;
    check_layout(&*store, &folder)?;
    Ok(synced::Synced::start(store, config.sync_every))
}

/// A store that ends with its owner.
///
/// # Errors
/// None; other kinds have some.
#[cfg(test)]
pub fn memory() -> Result<Arc<dyn Store>, StoreError> {
    memory::open(Path::new(""))
}

/// The entry of [`STORES`].
///
/// # Errors
/// That this build lacks the kind.
pub fn registered(kind: StoreKind) -> Result<&'static Registered, StoreError> {
    let found = STORES.iter().find(|it| it.kind == kind);
    found.ok_or_else(|| {
        StoreError::new(Path::new(kind.name()), "is no store of this build", "choose another `store.kind`")
    })
}

/// The data folder, made if need be, and closed to others.
///
/// # Errors
/// That there is none, or that others may read it.
pub fn data_folder(config: &StoreConfig) -> Result<PathBuf, StoreError> {
    let Some(folder) = &config.folder else {
        let what = "is not named, and neither XDG_DATA_HOME nor HOME is set";
        return Err(StoreError::new(Path::new("store.folder"), what, "set `folder` under `[store]`"));
    };
    private_folder(folder)?;
    Ok(folder.clone())
}

fn check_layout(store: &dyn Store, folder: &Path) -> Result<(), StoreError> {
    match store.get(LAYOUT_KEY)? {
        Some(layout) if layout == LAYOUT => Ok(()),
        None if store.scan(b"", None, 1)?.is_empty() => store.write(&[Write::Put(LAYOUT_KEY, LAYOUT)]),
        found => {
            let found = found.map_or("none".into(), |it| it.escape_ascii().to_string());
            let what = format!("has the layout `{found}`, and this build reads `{}`", LAYOUT.escape_ascii());
            Err(StoreError::new(folder, what, "update tollgate, or name another `store.folder`"))
        }
    }
}

/// The store cannot do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    path: PathBuf,
    what: String,
    remedy: &'static str,
}

impl StoreError {
    pub fn new(path: &Path, what: impl Into<String>, remedy: &'static str) -> Self {
        Self { path: path.to_owned(), what: what.into(), remedy }
    }

    /// What the operating system refused.
    pub fn io(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        let remedy = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "let this user write there, or name another `store.folder`",
            std::io::ErrorKind::StorageFull => "make room on the disk",
            _ => "check that `store.folder` is a folder on a disk of this machine",
        };
        Self::new(path, format!("cannot be {doing} ({error})"), remedy)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}; {}", self.path.display(), self.what, self.remedy)
    }
}

impl std::error::Error for StoreError {}

/// The end of the keys that start with `prefix`; `None` if nothing is behind them.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests;
