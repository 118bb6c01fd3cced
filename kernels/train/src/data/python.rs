//! Python's standard library, under the licence of the Python Software Foundation (version 2); tests and what is bundled
//! from elsewhere are left out.

use std::path::{Path, PathBuf};

use super::{Source, files};

/// Folders that hold other people's code, tests or generated tables.
const LEFT_OUT: &[&str] =
    &["test", "tests", "idlelib", "lib2to3", "dist-packages", "site-packages", "_vendor", "encodings"];

/// The modules below `/usr/lib/python3.*`.
pub(super) fn sources(root: &Path) -> Vec<Source> {
    let Ok(entries) = std::fs::read_dir(root.join("usr/lib")) else { return Vec::new() };
    let names = entries.flatten().map(|it| it.file_name().to_string_lossy().into_owned());
    let versions = names.filter(|it| it.starts_with("python3."));
    versions.flat_map(|it| version(root, &it)).collect()
}

fn version(root: &Path, name: &str) -> Vec<Source> {
    let folder = root.join("usr/lib").join(name);
    let is_own = |path: &Path| {
        let inside = path.strip_prefix(&folder).unwrap_or(path);
        let is_module = inside.extension().is_some_and(|it| it == "py");
        is_module && inside.iter().all(|it| !LEFT_OUT.contains(&&*it.to_string_lossy()))
    };
    let source = |path: PathBuf| {
        let group = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Source { kind: "python", origin: name.to_owned(), group, licence: "PSF-2.0".to_owned(), path }
    };
    files(&folder).into_iter().filter(|it| is_own(it)).map(source).collect()
}
