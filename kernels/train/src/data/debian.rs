//! Documentation and manual pages of those Debian packages whose copyright file is machine-readable and names allowed
//! licences for all files.

use std::path::Path;

use super::{Source, licence::is_allowed};
use crate::error::{Error, Result};

/// The licences of a copyright file (copyright-format 1.0), joined; `None` if it is free text.
fn licence(copyright: &str) -> Option<Vec<String>> {
    if !copyright.lines().next()?.starts_with("Format:") {
        return None;
    }
    let names = copyright.lines().filter_map(|it| it.strip_prefix("License:"));
    let mut names: Vec<String> = names.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// The texts of all packages that `root` has installed.
///
/// # Errors
/// [`Error::File`] if there is no list of packages.
pub(super) fn sources(root: &Path) -> Result<Vec<Source>> {
    let lists = root.join("var/lib/dpkg/info");
    let entries = std::fs::read_dir(&lists).map_err(Error::file(&lists))?;
    let lists = entries.flatten().map(|it| it.path()).filter(|it| it.extension().is_some_and(|it| it == "list"));
    Ok(lists.flat_map(|it| package(root, &it)).collect())
}

fn package(root: &Path, list: &Path) -> Vec<Source> {
    let stem = list.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.split(':').next().unwrap_or_default();
    let copyright = std::fs::read_to_string(root.join(format!("usr/share/doc/{name}/copyright"))).unwrap_or_default();
    let Some(names) = licence(&copyright).filter(|it| it.iter().all(|it| is_allowed(it))) else { return Vec::new() };
    let files = std::fs::read_to_string(list).unwrap_or_default();
    let texts = files.lines().filter(|it| is_text(it)).map(|it| Source {
        kind: "prose",
        origin: name.to_owned(),
        group: name.to_owned(),
        licence: names.join(" AND "),
        path: root.join(it.trim_start_matches('/')),
    });
    texts.collect()
}

fn is_text(path: &str) -> bool {
    let is_documentation = path.starts_with("/usr/share/doc/") || path.starts_with("/usr/share/man/man");
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_packed = [".gz", ".html", ".png", ".svg", ".js", ".css"].iter().any(|it| name.ends_with(it));
    is_documentation && !is_packed && name != "copyright"
}
