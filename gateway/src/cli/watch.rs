//! Tells that a configuration file has changed, since nothing else would: files are read at the start and never again.

use std::{
    fs::metadata,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// How long a change may go unnoticed.
const EVERY: Duration = Duration::from_secs(3);

/// A file and when it was last written, as far as that is known.
struct Watched {
    path: PathBuf,
    written: Option<SystemTime>,
}

/// Watches these files until the process ends. A thread of its own: a file may be on a disk that hangs.
pub fn start(files: &[PathBuf]) {
    let mut watched: Vec<_> = files.iter().map(|path| Watched { path: path.clone(), written: written(path) }).collect();
    if watched.is_empty() {
        return;
    }
    thread::spawn(move || {
        loop {
            thread::sleep(EVERY);
            watched.iter_mut().filter_map(Watched::news).for_each(|news| tracing::warn!("{news}"));
        }
    });
}

impl Watched {
    /// What to say, once for each change.
    fn news(&mut self) -> Option<String> {
        // Editors replace files; one that is missing for a moment has not changed yet.
        let now = written(&self.path)?;
        let is_new = self.written.replace(now) != Some(now);
        is_new.then(|| format!("`{}` has changed; restart to use it", self.path.display()))
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    metadata(path).and_then(|it| it.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.toml");
        let touch = |seconds| {
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        touch(1);
        let mut watched = Watched { path: path.clone(), written: written(&path) };
        assert_eq!(watched.news(), None);
        touch(2);
        assert!(watched.news().unwrap().ends_with("tollgate.toml` has changed; restart to use it"));
        assert_eq!(watched.news(), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(watched.news(), None);
        touch(3);
        assert!(watched.news().is_some());
    }
}
