//! What changed in a folder since it was last asked, by the operating system's notices. Where it gives none, everything
//! may have.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::walk::slashed;
use crate::sync::lock;

/// Notices past this many are one: look at everything.
const MAX_PATHS: usize = 1_000;

/// What may be other than it was.
#[derive(Debug, PartialEq, Eq)]
pub enum Changes {
    None,
    Paths(BTreeSet<String>),
    Unknown,
}

/// Folders past this many are not watched: notices cost the operating system memory.
const MAX_FOLDERS: usize = 20_000;

pub struct Watch {
    seen: Arc<Mutex<Changes>>,
    /// Ends the notices when it is dropped.
    watcher: Option<RecommendedWatcher>,
    folders: HashSet<PathBuf>,
}

impl Watch {
    pub fn start(root: &Path) -> Self {
        let seen = Arc::new(Mutex::new(Changes::Unknown));
        let (told, from) = (Arc::clone(&seen), root.to_owned());
        let notice = move |event: notify::Result<Event>| lock(&told).add(&from, event);
        let watcher = notify::recommended_watcher(notice).map_err(|error| refused(&error)).ok();
        Self { seen, watcher, folders: HashSet::new() }
    }

    /// Watches these folders too, not what lies deeper; true if some are new.
    pub fn follow(&mut self, folders: Vec<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let new: Vec<PathBuf> = folders.into_iter().filter(|it| !self.folders.contains(it)).collect();
        let fits = self.folders.len() + new.len() <= MAX_FOLDERS;
        let mut watched = new.iter().map(|it| watcher.watch(it, RecursiveMode::NonRecursive));
        if !fits || watched.any(|it| it.map_err(|error| refused(&error)).is_err()) {
            self.watcher = None;
            return false;
        }
        let has_new = !new.is_empty();
        self.folders.extend(new);
        has_new
    }

    /// Everything is to be looked at.
    pub fn forget(&self) {
        *lock(&self.seen) = Changes::Unknown;
    }

    /// What changed since the last call. A folder that is gone is watched again when it is back.
    pub fn changes(&self) -> Changes {
        let next = if self.watcher.is_some() { Changes::None } else { Changes::Unknown };
        std::mem::replace(&mut *lock(&self.seen), next)
    }
}

fn refused(error: &notify::Error) {
    tracing::debug!(%error, "the folder is not watched; each call looks at all of it");
}

impl Changes {
    fn add(&mut self, root: &Path, event: notify::Result<Event>) {
        let Ok(event) = event else {
            *self = Self::Unknown;
            return;
        };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        if event.need_rescan() {
            *self = Self::Unknown;
        }
        let known = match self {
            Self::Unknown => return,
            Self::Paths(known) => std::mem::take(known),
            Self::None => BTreeSet::new(),
        };
        let relative = |it: &PathBuf| it.strip_prefix(root).ok().map(slashed);
        let paths: BTreeSet<String> = known.into_iter().chain(event.paths.iter().filter_map(relative)).collect();
        *self = if paths.len() > MAX_PATHS { Self::Unknown } else { Self::Paths(paths) };
    }
}
