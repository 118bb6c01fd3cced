//! Source trees: those that were named, or this repository and three crates that cargo fetched for it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::Tree;

/// Crates that most people who write Rust have heard of, and that this workspace depends on.
const CRATES: [&str; 3] = ["tokio-1.", "clap_builder-4.", "regex-automata-0."];

/// Folders of what was built or fetched.
const NOT_ENTERED: [&str; 4] = ["target", ".git", ".check", "node_modules"];

/// Files over this size are data.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// This repository, and the newest of each of [`CRATES`] in cargo's registry.
pub fn usual() -> Result<Vec<PathBuf>, String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let repository = repository.canonicalize().map_err(|error| error.to_string())?;
    let home = std::env::home_dir().ok_or("there is no home folder; name the trees")?;
    let sources = home.join(".cargo/registry/src");
    let mut trees = vec![repository];
    for start in CRATES {
        let found = children(&sources).into_iter().flat_map(|registry| children(&registry));
        let newest = found.filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(start))).max();
        let missing = || format!("cargo's registry has no `{start}*`; run `cargo fetch`, or name the trees");
        trees.push(newest.ok_or_else(missing)?);
    }
    Ok(trees)
}

/// Every text under `root`.
pub fn read(root: &Path) -> Result<Tree, String> {
    if !root.is_dir() {
        return Err(format!("`{}` is no folder", root.display()));
    }
    let mut tree = Tree::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for path in children(&folder) {
            let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() && !NOT_ENTERED.contains(&name.as_str()) {
                open.push(path);
            } else if metadata.is_file() && metadata.len() <= MAX_FILE_BYTES && name != "Cargo.lock" {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                if let Ok(text) = fs::read_to_string(&path) {
                    tree.insert(relative, Arc::from(text));
                }
            }
        }
    }
    Ok(tree)
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    paths.sort();
    paths
}
