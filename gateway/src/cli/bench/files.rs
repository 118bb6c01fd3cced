//! The folder or file that `--data` names, as suites read it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tollgate_benchmarks::{suite::Files, suites::own::UPSTREAMS};

/// Folders nest no deeper than this.
const MOST_DEPTH: usize = 16;
/// More files than this are not listed.
const MOST_FILES: usize = 100_000;

/// A folder; or the one file that there is in it.
pub struct Folder {
    root: PathBuf,
    only: Option<String>,
}

impl Folder {
    /// Opens what the user named.
    ///
    /// # Errors
    /// That it is not there.
    pub fn open(path: &Path) -> Result<Self, String> {
        let kind = fs::metadata(path).map_err(|error| super::unusable(path, &error))?;
        if kind.is_dir() {
            return Ok(Self { root: path.to_owned(), only: None });
        }
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        Ok(Self { root: path.parent().unwrap_or(Path::new("")).to_owned(), only: name })
    }
}

impl Files for Folder {
    fn list(&self) -> Result<Vec<String>, String> {
        if let Some(only) = &self.only {
            return Ok(vec![only.clone()]);
        }
        let mut found = Vec::new();
        collect(&self.root, "", MOST_DEPTH, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|error| super::unusable(&path, &error))
    }
}

/// Files, and the lists of the upstreams' tools among them.
pub struct WithLists {
    pub files: Arc<dyn Files>,
    pub lists: String,
}

impl Files for WithLists {
    fn list(&self) -> Result<Vec<String>, String> {
        let mut all = self.files.list()?;
        all.retain(|it| it != UPSTREAMS);
        all.push(UPSTREAMS.to_owned());
        all.sort();
        Ok(all)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        if path == UPSTREAMS { Ok(self.lists.clone()) } else { self.files.read(path) }
    }
}

fn collect(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) -> Result<(), String> {
    let told = |error: std::io::Error| super::unusable(folder, &error);
    for entry in fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if found.len() >= MOST_FILES {
            return Err(format!("`{}` has more than {MOST_FILES} files; name a smaller folder", folder.display()));
        }
        match entry.path().is_dir() {
            true if depth > 0 => collect(&entry.path(), &format!("{name}/"), depth - 1, found)?,
            true => {}
            false => found.push(name),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed_with_what_lies_below() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["z.json", "b/a.json"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let files = Folder::open(folder.path()).unwrap();
        assert_eq!(files.list().unwrap(), ["b/a.json", "z.json"]);
        assert_eq!(files.read("b/a.json").unwrap(), "b/a.json");
        let one = Folder::open(&folder.path().join("z.json")).unwrap();
        assert_eq!(
            (one.list().unwrap(), one.read("z.json").unwrap()),
            (vec!["z.json".to_owned()], "z.json".to_owned())
        );
        assert!(Folder::open(&folder.path().join("absent")).is_err());
    }
}
