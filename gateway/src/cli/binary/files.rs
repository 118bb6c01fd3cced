//! Files below folders, in order, without following links; and files read in parts.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// Bytes that are read at once; a multiple of a training chunk.
pub const PART_BYTES: usize = 1 << 20;
/// Folders deeper than that are refused: something is wrong.
const MOST_DEPTH: usize = 100;

/// All regular files at or below `path` and their sizes. Links are not followed, so that nothing outside is read.
pub fn below(path: &Path) -> Result<Vec<(PathBuf, u64)>, String> {
    let mut found = Vec::new();
    let whole = std::fs::metadata(path).map_err(|error| wrong(path, &error))?;
    if whole.is_file() {
        found.push((path.to_owned(), whole.len()));
    } else {
        collect(path, 0, &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, u64)>) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Err(format!("`{}` is more than {MOST_DEPTH} folders deep; name a folder further in", folder.display()));
    }
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(folder, &error))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(folder, &error))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| wrong(&path, &error))?;
        if kind.is_dir() {
            collect(&path, depth + 1, found)?;
        } else if kind.is_file() {
            let size = entry.metadata().map_err(|error| wrong(&path, &error))?.len();
            found.push((path, size));
        }
    }
    Ok(())
}

/// Hands the bytes of a file, or of standard input (`-`), on in parts of [`PART_BYTES`]; only the last may be shorter.
pub fn parts(path: &Path, mut each: impl FnMut(&[u8])) -> Result<(), String> {
    let mut source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| wrong(path, &error))?)
    };
    let mut part = Vec::with_capacity(PART_BYTES);
    loop {
        part.clear();
        let read = source.by_ref().take(PART_BYTES as u64).read_to_end(&mut part);
        if read.map_err(|error| wrong(path, &error))? == 0 {
            return Ok(());
        }
        each(&part);
    }
}

/// Writes a file as a whole, or standard output where none is named.
pub fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), String> {
    match path {
        Some(path) => {
            std::fs::write(path, bytes).map_err(|error| format!("`{}` cannot be written ({error})", path.display()))
        }
        None => match std::io::stdout().lock().write_all(bytes) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(format!("stdout cannot be written ({error})"))
            }
            _ => Ok(()),
        },
    }
}

fn wrong(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be read ({error})", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_in_order_and_follows_no_link() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("b")).unwrap();
        for name in ["b/2", "b/1", "c", "a"] {
            std::fs::write(root.path().join(name), name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", root.path().join("link")).unwrap();
        let found = below(root.path()).unwrap();
        let names: Vec<_> = found.iter().map(|it| it.0.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a", "b/1", "b/2", "c"]);
        assert!(below(&root.path().join("none")).unwrap_err().contains("cannot be read"));
    }
}
