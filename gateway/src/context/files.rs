//! Files under one root. Every path is resolved inside it by the operating system; links that lead out are refused.

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};

use super::walk::Stamp;

/// Entries visited in one listing, so that a huge tree ends somewhere.
const MAX_VISITED: usize = 200_000;
/// Folders nested deeper than this are not entered.
const MAX_DEPTH: usize = 64;
/// Folders that hold what others made; they are listed and not entered.
const NOT_ENTERED: &[&str] = &[".git", "node_modules", "target", ".venv", "__pycache__"];

#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
    dir: Arc<Dir>,
    max_file_bytes: u64,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub path: String,
    /// `None` for folders.
    pub bytes: Option<u64>,
}

/// A listing, and whether it is all there is.
#[derive(Debug)]
pub struct Listing {
    pub entries: Vec<Listed>,
    pub is_complete: bool,
}

impl Files {
    /// Opens the root.
    ///
    /// # Errors
    /// That it is no folder, with the remedy.
    pub fn open(root: &Path, max_file_bytes: u64) -> Result<Self, String> {
        let told =
            |error| format!("the root `{}` cannot be opened ({error}); set `root` of this upstream", root.display());
        let root_path = root.canonicalize().map_err(told)?;
        let dir = Dir::open_ambient_dir(&root_path, ambient_authority()).map_err(told)?;
        Ok(Self { root: root_path, dir: Arc::new(dir), max_file_bytes })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn max_file_bytes(&self) -> u64 {
        self.max_file_bytes
    }

    /// How a file is now; `None` if it is none, or outside.
    pub fn stamp(&self, path: &str) -> Option<Stamp> {
        let file = self.dir.open(self.inside(path).ok()?).ok()?.into_std();
        file.metadata().ok().filter(std::fs::Metadata::is_file).map(|it| Stamp::of(&it))
    }

    /// Reads a whole text file.
    ///
    /// # Errors
    /// That it is outside, missing, no file, too large or no text; each says what to do.
    pub fn read_text(&self, path: &str) -> Result<String, String> {
        let inside = self.inside(path)?;
        let told = |error: io::Error| self.explain(path, &error);
        let file = self.dir.open(&inside).map_err(told)?;
        let metadata = file.metadata().map_err(told)?;
        if metadata.is_dir() {
            return Err(format!("`{path}` is a folder; list it with `list_files`"));
        }
        if metadata.len() > self.max_file_bytes {
            return Err(format!(
                "`{path}` has {} bytes, over the limit of {}; raise `max_file_bytes` of the context upstream",
                metadata.len(),
                self.max_file_bytes
            ));
        }
        let mut bytes = Vec::new();
        // Once more at the reading, since a file may grow, and a pipe has no length.
        file.take(self.max_file_bytes + 1).read_to_end(&mut bytes).map_err(told)?;
        if bytes.len() as u64 > self.max_file_bytes {
            return Err(format!("`{path}` grew over the limit of {} bytes", self.max_file_bytes));
        }
        String::from_utf8(bytes)
            .map_err(|error| format!("`{path}` is no UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
    }

    /// Reads a whole file of any kind, of at most `limit` bytes.
    ///
    /// # Errors
    /// That it is outside, missing, no file, or too large; each says what to do.
    pub fn read_bytes(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let (mut file, total) = self.open_file(path)?;
        let too_large = || format!("`{path}` has over {limit} bytes; read parts of it with `read_binary`");
        if total > limit {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        // Once more at the reading, since a file may grow.
        Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes).map_err(|error| self.explain(path, &error))?;
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }

    /// At most `length` bytes of a file from `offset`, and how many it has.
    ///
    /// # Errors
    /// That it is outside, missing, no file, or that the offset is behind its end.
    pub fn read_window(&self, path: &str, offset: u64, length: usize) -> Result<(Vec<u8>, u64), String> {
        let (mut file, total) = self.open_file(path)?;
        if offset > total {
            return Err(format!("offset {offset} is behind the end; `{path}` has {total} bytes"));
        }
        let told = |error: io::Error| self.explain(path, &error);
        file.seek(SeekFrom::Start(offset)).map_err(told)?;
        let mut bytes = Vec::new();
        file.take(length as u64).read_to_end(&mut bytes).map_err(told)?;
        Ok((bytes, total))
    }

    fn open_file(&self, path: &str) -> Result<(cap_std::fs::File, u64), String> {
        let inside = self.inside(path)?;
        let told = |error: io::Error| self.explain(path, &error);
        let metadata = self.dir.metadata(&inside).map_err(told)?;
        if !metadata.is_file() {
            return Err(format!("`{path}` is no file"));
        }
        let file = self.dir.open(&inside).map_err(told)?;
        Ok((file, metadata.len()))
    }

    /// Lists files and folders under `path`, in order of their names.
    ///
    /// # Errors
    /// That `path` is outside, missing or no folder.
    pub fn list(&self, path: &str, keep: impl Fn(&str) -> bool) -> Result<Listing, String> {
        let inside = self.inside(path)?;
        let start = self.dir.open_dir(&inside).map_err(|error| self.explain(path, &error))?;
        let mut walk = Walk { entries: Vec::new(), visited: 0, keep };
        let prefix = if inside == Path::new(".") { String::new() } else { format!("{}/", slashed(&inside)) };
        walk.enter(&start, &prefix, 0);
        Ok(Listing { is_complete: walk.visited < MAX_VISITED, entries: walk.entries })
    }

    /// The path relative to the root. Absolute paths are taken where they lie under it.
    fn inside(&self, path: &str) -> Result<PathBuf, String> {
        let given = Path::new(path);
        let relative = if given.is_absolute() { given.strip_prefix(&self.root).ok() } else { Some(given) };
        let relative = relative.ok_or_else(|| self.outside(path))?;
        let mut inside = PathBuf::new();
        for component in relative.components() {
            match component {
                Component::Normal(part) => inside.push(part),
                Component::CurDir => {}
                Component::ParentDir if inside.pop() => {}
                _ => return Err(self.outside(path)),
            }
        }
        Ok(if inside.as_os_str().is_empty() { PathBuf::from(".") } else { inside })
    }

    fn outside(&self, path: &str) -> String {
        format!("`{path}` is outside the root; give a path relative to it")
    }

    fn explain(&self, path: &str, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::NotFound => format!("there is no `{path}` under the root; see `list_files`"),
            io::ErrorKind::PermissionDenied => {
                format!("`{path}` may not be read: it leads outside the root, or its permissions forbid it")
            }
            io::ErrorKind::NotADirectory => format!("`{path}` is no folder"),
            _ => format!("`{path}` cannot be read ({error})"),
        }
    }
}

struct Walk<F> {
    entries: Vec<Listed>,
    visited: usize,
    keep: F,
}

impl<F: Fn(&str) -> bool> Walk<F> {
    /// Folders that cannot be read are listed and not entered: one locked folder must not hide the rest.
    fn enter(&mut self, dir: &Dir, prefix: &str, depth: usize) {
        let Ok(children) = dir.entries() else { return };
        let mut children: Vec<_> = children.filter_map(Result::ok).collect();
        children.sort_by_key(cap_std::fs::DirEntry::file_name);
        for child in children {
            self.visited += 1;
            if self.visited >= MAX_VISITED {
                return;
            }
            let name = child.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let Ok(metadata) = child.metadata() else { continue };
            let bytes = (!metadata.is_dir()).then(|| metadata.len());
            if (self.keep)(&path) {
                self.entries.push(Listed { path: path.clone(), bytes });
            }
            // Links to folders are not followed: they may form rings.
            let enters = metadata.is_dir() && depth < MAX_DEPTH && !NOT_ENTERED.contains(&name.as_str());
            if enters && let Ok(child) = child.open_dir() {
                self.enter(&child, &format!("{path}/"), depth + 1);
            }
        }
    }
}

fn slashed(path: &Path) -> String {
    path.components().map(|it| it.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sample() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join("node_modules/x")).unwrap();
        fs::write(root.join("a/b/c.txt"), "hello").unwrap();
        fs::write(root.join("node_modules/x/y.js"), "").unwrap();
        fs::write(root.join("binary"), [0xff, 0xfe]).unwrap();
        fs::write(root.join("large"), vec![b'x'; 101]).unwrap();
        std::os::unix::fs::symlink("../secret.txt", root.join("way-out")).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("etc")).unwrap();
        std::os::unix::fs::symlink("a/b/c.txt", root.join("way-in")).unwrap();
        let files = Files::open(&root, 100).unwrap();
        (folder, files)
    }

    #[test]
    fn only_what_lies_under_the_root_is_read() {
        let (_folder, files) = sample();
        let absolute = files.root.join("a/b/c.txt").to_string_lossy().into_owned();
        for path in ["a/b/c.txt", "./a/../a/b/c.txt", "way-in", &absolute] {
            assert_eq!(files.read_text(path).as_deref(), Ok("hello"), "{path}");
        }
        for (path, told) in [
            ("../secret.txt", "outside"),
            ("a/../../secret.txt", "outside"),
            ("/etc/passwd", "outside"),
            ("way-out", "leads outside"),
            ("etc/passwd", "leads outside"),
            ("missing", "there is no"),
            ("a", "is a folder"),
            ("binary", "no UTF-8"),
            ("large", "over the limit of 100"),
        ] {
            let error = files.read_text(path).unwrap_err();
            assert!(error.contains(told), "{path}: {error}");
        }
    }

    #[test]
    fn listings_are_sorted_and_do_not_enter_what_others_made() {
        let (_folder, files) = sample();
        let paths = |path: &str| -> Vec<String> {
            files.list(path, |_| true).unwrap().entries.into_iter().map(|it| it.path).collect()
        };
        assert_eq!(
            paths("."),
            ["a", "a/b", "a/b/c.txt", "binary", "etc", "large", "node_modules", "way-in", "way-out"]
        );
        assert_eq!(paths("a/b"), ["a/b/c.txt"]);
        assert!(files.list("../", |_| true).is_err());
        assert!(files.list("etc", |_| true).is_err());
        assert!(files.list("a/b/c.txt", |_| true).is_err());
    }
}
