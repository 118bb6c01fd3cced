//! The invariants of ARCHITECTURE.md that a machine can check by reading the sources.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

fn manifest(package: &str) -> toml::Table {
    fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The part of a file that is not its tests.
fn product_code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn arrows_between_crates_never_turn_back() {
    for (package, allowed) in [
        ("config", &[][..]),
        ("tokenizers", &[]),
        ("planners", &["tollgate-tokenizers"]),
        ("kernels", &[]),
        ("benchmarks", &["tollgate-planners", "tollgate-tokenizers"]),
        ("gateway", &["tollgate-benchmarks", "tollgate-config", "tollgate-planners", "tollgate-tokenizers"]),
    ] {
        let manifest = manifest(package);
        let ours = manifest["dependencies"].as_table().unwrap().keys().filter(|it| it.starts_with("tollgate"));
        for name in ours {
            assert!(allowed.contains(&name.as_str()), "{package} must not use {name}");
        }
    }
}

#[test]
fn pure_crates_do_no_io_and_read_no_clock() {
    const BANNED: &[&str] =
        &["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::now", "async fn"];
    for package in ["planners", "tokenizers", "kernels", "benchmarks"] {
        let manifest = manifest(package);
        for banned in ["tokio", "reqwest", "hyper", "axum", "rand"] {
            assert!(!manifest["dependencies"].as_table().unwrap().contains_key(banned), "{package} uses {banned}");
        }
        for file in rust_files(&root().join(package).join("src")) {
            let code = product_code(&file);
            for banned in BANNED {
                assert!(!code.contains(banned), "{} has {banned}", file.display());
            }
        }
    }
}

#[test]
fn protocol_files_are_pure() {
    let source = root().join("gateway/src");
    let mut files: Vec<_> =
        ["mcp/jsonrpc.rs", "object.rs", "mcp/era.rs", "mcp/headers.rs"].map(|it| source.join(it)).into();
    files.extend(
        rust_files(&source.join("protocols")).into_iter().filter(|it| !it.to_string_lossy().contains("/tests/")),
    );
    for file in files {
        let code = product_code(&file);
        for banned in ["tokio", "axum", "reqwest", "async fn", "std::fs", "SystemTime", "Instant::now", "rand::"] {
            assert!(!code.contains(banned), "{} has {banned}", file.display());
        }
    }
}

#[test]
fn the_environment_is_read_in_one_file() {
    for package in ["config", "tokenizers", "planners", "kernels", "gateway"] {
        for file in rust_files(&root().join(package).join("src")) {
            let reads = product_code(&file).contains("env::var");
            assert!(!reads || file.ends_with("config/src/env.rs"), "{} reads the environment", file.display());
        }
    }
}

#[test]
fn every_file_opens_with_its_point() {
    for package in ["config", "tokenizers", "planners", "kernels", "gateway"] {
        for file in rust_files(&root().join(package)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is", file.display());
        }
    }
}

#[test]
fn the_readme_has_exactly_two_commands_to_begin_with() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let first = readme.split("```sh\n").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let commands: Vec<_> = first.lines().map(|it| it.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands, ["cargo run --release", "./check"]);
}
