//! Which files of a folder count: what `.gitignore` and its kin leave over, without hidden files and links.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use ignore::WalkBuilder;

/// Files that are looked at, so that a huge tree ends somewhere.
const MAX_FILES: usize = 200_000;

/// Tells a file that changed from one that did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    modified_ns: u128,
}

impl Stamp {
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let since = |it: SystemTime| it.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
        Self { bytes: metadata.len(), modified_ns: metadata.modified().map_or(0, since) }
    }
}

/// The files under a root, in order of their paths, its folders, and whether these are all.
#[derive(Debug)]
pub struct Walked {
    pub files: Vec<(String, Stamp)>,
    pub folders: Vec<PathBuf>,
    pub is_complete: bool,
}

/// Walks the folder. Links are not followed; what cannot be read is passed over.
pub fn walk(root: &Path) -> Walked {
    let entries = WalkBuilder::new(root).follow_links(false).require_git(false).build();
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_some_and(|it| it.is_dir()) {
            folders.push(entry.path().to_owned());
        }
        let is_file = entry.file_type().is_some_and(|it| it.is_file());
        let path = entry.path().strip_prefix(root).ok().filter(|_| is_file).map(slashed);
        let (Some(path), Ok(metadata)) = (path, entry.metadata()) else { continue };
        files.push((path, Stamp::of(&metadata)));
        if files.len() >= MAX_FILES {
            break;
        }
    }
    let is_complete = files.len() < MAX_FILES;
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Walked { files, folders, is_complete }
}

pub fn slashed(path: &Path) -> String {
    path.components().map(|it| it.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
