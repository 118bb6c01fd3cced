//! The index of one folder, kept as the folder is: built at the first question, brought up to date before each.
//!
//! Outlines are kept in the embedded store by the text that they are of, so that a new process parses only what changed.
//! Nothing is read but through [`Files`], which never leaves the root.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
};

use super::{
    files::Files,
    kept::Kept,
    walk::{Stamp, walk},
    watch::{Changes, Watch},
};
use tollgate_planners::context::{Index, Outline};

/// Text that is indexed at most. What lies behind is named in what is printed, and can be read.
const MAX_TEXT_BYTES: u64 = 128 << 20;

/// A folder and what is known of it.
pub struct Folder {
    files: Files,
    index: Index,
    stamps: BTreeMap<String, Stamp>,
    /// Files that are no text, or too large, with their sizes.
    unread: BTreeMap<String, u64>,
    /// Why some files were not looked at.
    note: Option<String>,
    watch: Watch,
    kept: Option<Kept>,
}

/// A file that was read and outlined.
struct Read {
    path: String,
    stamp: Stamp,
    found: Option<(String, Arc<Outline>)>,
}

impl Folder {
    /// Looks at nothing yet.
    pub fn new(files: Files, kept: Option<Kept>) -> Self {
        let watch = Watch::start(files.root());
        Self {
            files,
            index: Index::default(),
            stamps: BTreeMap::new(),
            unread: BTreeMap::new(),
            note: None,
            watch,
            kept,
        }
    }

    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Files that are no text or too large, with their sizes.
    pub fn unread(&self) -> &BTreeMap<String, u64> {
        &self.unread
    }

    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The text of a file now.
    pub fn text(&self, path: &str) -> Result<String, String> {
        self.files.read_text(path)
    }

    /// Takes in what changed since the last time.
    pub fn refresh(&mut self) {
        if self.index.is_worn() {
            self.index = Index::default();
            self.stamps.clear();
            self.watch.forget();
        }
        match self.watch.changes() {
            Changes::None => {}
            Changes::Paths(paths) if paths.iter().all(|it| self.stamps.contains_key(it)) => self.look_again(&paths),
            Changes::Paths(_) | Changes::Unknown => self.walk(),
        }
    }

    /// Reads what was found to be other than it was indexed.
    pub fn look_again<'a>(&mut self, paths: impl IntoIterator<Item = &'a String>) {
        let mut wanted = Vec::new();
        for path in paths {
            match self.files.stamp(path) {
                Some(stamp) => wanted.push((path.clone(), stamp)),
                None => self.forget(path),
            }
        }
        self.take(wanted);
    }

    fn walk(&mut self) {
        let mut walked = walk(self.files.root());
        if self.watch.follow(std::mem::take(&mut walked.folders)) {
            // Again, for what came between the walk and the watch.
            walked = walk(self.files.root());
        }
        let mut total: u64 = 0;
        let mut n_behind = 0;
        let mut seen = BTreeSet::new();
        let mut wanted = Vec::new();
        for (path, stamp) in walked.files {
            let is_large = stamp.bytes > self.files.max_file_bytes();
            if !is_large && total + stamp.bytes > MAX_TEXT_BYTES {
                n_behind += 1;
                continue;
            }
            total += if is_large { 0 } else { stamp.bytes };
            seen.insert(path.clone());
            if self.stamps.get(&path) != Some(&stamp) {
                wanted.push((path, stamp));
            }
        }
        let gone: Vec<String> = self.stamps.keys().filter(|it| !seen.contains(*it)).cloned().collect();
        gone.iter().for_each(|it| self.forget(it));
        self.take(wanted);
        let many = (!walked.is_complete).then(|| "the folder has more files than are looked at".to_owned());
        let large =
            (n_behind > 0).then(|| format!("{n_behind} files lie behind the first {MAX_TEXT_BYTES} bytes of text"));
        self.note = many.or(large);
    }

    fn forget(&mut self, path: &str) {
        self.stamps.remove(path);
        self.unread.remove(path);
        self.index.remove(path);
    }

    /// Reads and outlines on every core, and indexes in order, so that equal folders give equal answers.
    fn take(&mut self, wanted: Vec<(String, Stamp)>) {
        let n_threads = thread::available_parallelism().map_or(1, usize::from).min(8);
        let per_thread = wanted.len().div_ceil(n_threads).max(1);
        let (files, kept) = (&self.files, self.kept.as_ref());
        let read: Vec<Read> = thread::scope(|scope| {
            let part = |part: &[(String, Stamp)]| {
                let part = part.to_vec();
                scope.spawn(move || part.into_iter().map(|it| read(files, kept, it)).collect::<Vec<_>>())
            };
            let started: Vec<_> = wanted.chunks(per_thread).map(part).collect();
            started.into_iter().filter_map(|it| it.join().ok()).flatten().collect()
        });
        for Read { path, stamp, found } in read {
            match found {
                Some((text, outline)) => {
                    self.unread.remove(&path);
                    self.index.insert(&path, &text, outline);
                }
                None => {
                    self.index.remove(&path);
                    self.unread.insert(path.clone(), stamp.bytes);
                }
            }
            self.stamps.insert(path, stamp);
        }
        if let Some(kept) = &self.kept {
            kept.write();
        }
    }
}

fn read(files: &Files, kept: Option<&Kept>, (path, stamp): (String, Stamp)) -> Read {
    let fits = stamp.bytes <= files.max_file_bytes();
    let text = if fits { files.read_text(&path).ok() } else { None };
    let found = text.map(|text| {
        let known = kept.and_then(|it| it.outline(&path, &text));
        let outline = known.unwrap_or_else(|| {
            let outline = Arc::new(Outline::new(&path, &text));
            if let Some(kept) = kept {
                kept.keep(&path, &text, &outline);
            }
            outline
        });
        (text, outline)
    });
    Read { path, stamp, found }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, time::Duration};

    use super::*;
    use crate::store;

    fn open(root: &Path, kept: Option<Kept>) -> Folder {
        Folder::new(Files::open(root, 1_000).unwrap(), kept)
    }

    fn paths(folder: &Folder) -> Vec<String> {
        let mut paths: Vec<String> = folder.index().paths().map(str::to_owned).collect();
        paths.sort();
        paths
    }

    /// Until the operating system's notice is there.
    fn refreshed(folder: &mut Folder, expected: &[&str]) {
        for _ in 0..200 {
            folder.refresh();
            if paths(folder) == expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(paths(folder), expected);
    }

    #[test]
    fn files_come_change_and_go() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        write("a.rs", "fn a() {}\n");
        write("large.rs", &"fn large() {}\n".repeat(100));
        write(".gitignore", "*.log\n");
        write("b.log", "ignored\n");
        let mut folder = open(root.path(), None);
        refreshed(&mut folder, &["a.rs"]);
        assert_eq!(folder.unread().keys().collect::<Vec<_>>(), ["large.rs"]);
        write("b.rs", "fn b() {}\n");
        fs::create_dir(root.path().join("c")).unwrap();
        refreshed(&mut folder, &["a.rs", "b.rs"]);
        write("c/d.rs", "fn d() {}\n");
        refreshed(&mut folder, &["a.rs", "b.rs", "c/d.rs"]);
        fs::remove_file(root.path().join("a.rs")).unwrap();
        write("large.rs", "fn small() {}\n");
        refreshed(&mut folder, &["b.rs", "c/d.rs", "large.rs"]);
        assert!(folder.unread().is_empty());
    }

    #[test]
    fn kept_outlines_are_those_of_the_text() {
        let root = tempfile::tempdir().unwrap();
        let store = store::memory().unwrap();
        let kept = || Some(Kept::new(Arc::clone(&store), root.path()));
        let long = |name: &str| format!("/// {}\nfn {name}() {{}}\n", "words ".repeat(400));
        let names = |folder: &Folder| folder.index().outline("a.rs").map(|it| it.symbols[1].name.clone());
        let large = |kept| Folder::new(Files::open(root.path(), 10_000).unwrap(), kept);
        fs::write(root.path().join("a.rs"), long("one")).unwrap();
        let mut first = large(kept());
        first.refresh();
        assert_eq!(names(&first).as_deref(), Some("one"));
        assert_eq!(store.scan(b"outline/", None, 10).unwrap().len(), 1);
        let mut second = large(kept());
        second.refresh();
        assert_eq!(names(&second).as_deref(), Some("one"));
        fs::write(root.path().join("a.rs"), long("two")).unwrap();
        let mut third = large(kept());
        third.refresh();
        assert_eq!(names(&third).as_deref(), Some("two"));
    }
}
