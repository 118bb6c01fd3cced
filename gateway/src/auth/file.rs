//! `keys.json` in the data folder. A file of its own, and not rows of the store: any kind of store may lock its folder, and
//! keys must be made and revoked while gateways run. Writers take turns by the lock of a second file and replace the whole
//! at once, so that readers need no lock and never see half of it.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::key::Record;
use crate::store::{StoreError, lock_file, private_file};

const FILE: &str = "keys.json";
const LOCK: &str = "keys.lock";
const NEW: &str = "keys.json.new";
const VERSION: u32 = 1;

/// Thousands of keys fit many times.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// How long a change waits for another one.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    keys: Vec<Record>,
}

/// Tells one state of the file from another without reading it. A replaced file is a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The file's stamp; `None` if there is no file.
pub fn stamp(folder: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path(folder)).ok()?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let file = 0;
    Some(Stamp { modified: metadata.modified().ok(), bytes: metadata.len(), file })
}

/// All keys; none if there is no file.
///
/// # Errors
/// That the file cannot be read, or is damaged.
pub fn load(folder: &Path) -> Result<Vec<Record>, StoreError> {
    let path = path(folder);
    let failed = |error| StoreError::io(&path, "read", &error);
    match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if metadata.len() > MAX_BYTES => return Err(damaged(&path, "it is larger than 64 MiB")),
        Ok(_) => {}
    }
    let content: Content = match serde_json::from_slice(&fs::read(&path).map_err(failed)?) {
        Ok(content) => content,
        // The place, and never the text: it holds hashes.
        Err(error) => return Err(damaged(&path, &format!("line {}, column {}", error.line(), error.column()))),
    };
    match content.version {
        VERSION => Ok(content.keys),
        other => Err(StoreError::new(
            &path,
            format!("has the layout `{other}`, and this build reads `{VERSION}`"),
            "update tollgate",
        )),
    }
}

pub fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::new(
        path,
        format!("is no list of api keys ({why})"),
        "put a copy of it in its place, or move it away and create new keys",
    )
}

/// Changes the keys, alone: no other process does meanwhile, and readers see the old file or the new one. What `change`
/// refuses changes nothing.
///
/// # Errors
/// What `change` says, or that the file cannot be read or written.
pub fn change<T>(folder: &Path, change: impl FnOnce(&mut Vec<Record>) -> Result<T, String>) -> Result<T, String> {
    let _turn = wait_for_turn(folder)?;
    let mut keys = load(folder).map_err(|error| error.to_string())?;
    let done = change(&mut keys)?;
    replace(folder, &Content { version: VERSION, keys }).map_err(|error| error.to_string())?;
    Ok(done)
}

fn wait_for_turn(folder: &Path) -> Result<fs::File, String> {
    let path = folder.join(LOCK);
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(turn) = lock_file(&path).map_err(|error| error.to_string())? {
            return Ok(turn);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("`{}` is held by another command; end the one that is stopped", path.display()))
}

fn replace(folder: &Path, content: &Content) -> Result<(), StoreError> {
    let (new, path) = (folder.join(NEW), path(folder));
    let write = || {
        let mut file = private_file(&new)?;
        // A command that was killed may have left one behind.
        let written = file.set_len(0).and_then(|()| file.write_all(&serde_json::to_vec_pretty(content)?));
        let written = written.and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| StoreError::io(&path, "written", &error))
    };
    write()?;
    // So that the new name survives a loss of power too. Windows cannot open folders, and does so by itself.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
