//! Text of three kinds, out of what every Rust machine has: the sources of the packages that this crate depends on.

use std::path::{Path, PathBuf};

/// What is made.
const KINDS: [&str; 3] = ["english", "rust", "schemas"];

const DOCUMENT_BYTES: usize = 4 << 10;
const CORPUS_BYTES: usize = 8 << 20;
/// Larger files are tables and test data, of one kind throughout.
const MAX_FILE_BYTES: usize = 200 << 10;

/// Kinds and their files: all texts of the `given` folder, or three kinds that are made in `folder`.
pub fn files(given: Option<&Path>, folder: &Path) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    match given {
        Some(given) => list(given, "txt", &mut paths),
        None => paths.extend(KINDS.iter().map(|it| make(it, folder))),
    }
    paths.sort();
    paths
        .iter()
        .map(|it| (it.file_stem().unwrap_or_default().display().to_string(), it.display().to_string()))
        .collect()
}

fn make(kind: &str, folder: &Path) -> PathBuf {
    let path = folder.join(kind).with_extension("txt");
    std::fs::write(&path, gather(kind)).expect("the folder is writable");
    path
}

/// Consecutive documents of about 4 kB.
pub fn documents(text: &str) -> Vec<&str> {
    let (mut documents, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (document, behind) = rest.split_at(rest.ceil_char_boundary(DOCUMENT_BYTES.min(rest.len())));
        documents.push(document);
        rest = behind;
    }
    documents
}

fn gather(kind: &str) -> String {
    let mut files = Vec::new();
    list(&registry(), if kind == "schemas" { "json" } else { "rs" }, &mut files);
    files.sort_by_key(|it| spread(it));
    let mut text = String::new();
    for file in files {
        let Some(content) = std::fs::read_to_string(file).ok().filter(|it| it.len() <= MAX_FILE_BYTES) else {
            continue;
        };
        match kind {
            "english" => content.lines().filter_map(prose).for_each(|it| text.extend([it, "\n"])),
            _ => text.push_str(&content),
        }
        if text.len() >= CORPUS_BYTES {
            break;
        }
    }
    text
}

/// Where cargo keeps sources; `CARGO` is set by cargo itself.
fn registry() -> PathBuf {
    let home = option_env!("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::home_dir().map(|it| it.join(".cargo"))).unwrap_or_default().join("registry/src")
}

fn list(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&path, extension, files),
            Ok(_) if path.extension().is_some_and(|it| it == extension) => files.push(path),
            _ => {}
        }
    }
}

/// An order that mixes packages and is the same everywhere.
fn spread(path: &Path) -> u64 {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.iter().copied().fold(0xcbf2_9ce4_8422_2325, fnv)
}

fn prose(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "))
}
