//! Sources and readmes of crates whose manifests name an allowed licence.

use std::path::Path;

use super::{Source, files, licence::is_allowed};

/// The licence in a manifest, as cargo writes it when it packs a crate.
fn licence(manifest: &str) -> Option<&str> {
    let line = manifest.lines().find_map(|it| it.strip_prefix("license = "))?;
    Some(line.trim().trim_matches('"'))
}

/// The texts of all crates in a folder.
pub(super) fn sources(folder: &Path) -> Vec<Source> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().flat_map(|it| package(&it.path())).collect()
}

fn package(folder: &Path) -> Vec<Source> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let Some(licence) = licence(&manifest).filter(|it| is_allowed(it)) else { return Vec::new() };
    let origin = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let texts = files(folder).into_iter().filter_map(|path| {
        let kind = match path.extension()?.to_str()? {
            "rs" => "rust",
            "md" => "prose",
            _ => return None,
        };
        // Bindings and tables that a program wrote are most of some crates.
        let is_generated = path.iter().any(|it| matches!(it.to_str(), Some("generated" | "sys" | "tests" | "tables")));
        let group = unversioned(&origin);
        (!is_generated).then(|| Source { kind, origin: origin.clone(), group, licence: licence.to_owned(), path })
    });
    texts.collect()
}

/// The name of a crate's folder without the version.
fn unversioned(folder: &str) -> String {
    let is_version = |part: &str| part.starts_with(|it: char| it.is_ascii_digit());
    folder.split('-').take_while(|it| !is_version(it)).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_taken_off() {
        for (folder, expected) in
            [("serde-1.0.229", "serde"), ("gemm-f32-0.19.0", "gemm-f32"), ("zstd-sys-2.0.1+zstd.1.5.2", "zstd-sys")]
        {
            assert_eq!(unversioned(folder), expected);
        }
    }
}
