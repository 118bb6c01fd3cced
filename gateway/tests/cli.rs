//! The command line as a user meets it: the built program, in a folder and a home of its own.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// What a command came to.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Runs `tollgate` in a folder that is also the home.
fn tollgate(folder: &Path, arguments: &[&str]) -> Ran {
    run_in(folder, folder, arguments)
}

fn run_in(folder: &Path, home: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

const OWN_ONLY: &str = r#"{"mcpServers": {"tollgate": {"type": "http", "url": "http://127.0.0.1:7070/mcp"}}}"#;
const WITH_ENV: &str = r#"{"mcpServers": {"a": {"command": "c", "env": {"API_TOKEN": "t"}}}}"#;
const WITHOUT_ENV: &str = r#"{"mcpServers": {"a": {"command": "c"}}}"#;

#[test]
fn imports_write_a_file_of_their_own() {
    let rows = [
        (WITH_ENV, "new.toml", 0, "note: `new.toml` is for your eyes only (mode 0600)"),
        (WITHOUT_ENV, "new.toml", 0, ""),
        (WITHOUT_ENV, "c.json", 1, "error: `c.json` already exists; name another file, or delete it first\n"),
        (OWN_ONLY, "new.toml", 1, "error: `c.json` has no server to import; nothing was written\n"),
    ];
    for (json, output, code, told) in rows {
        let folder = folder(&[("c.json", json)]);
        let ran = tollgate(folder.path(), &["import", "c.json", "-o", output]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert_eq!(folder.path().join("new.toml").exists(), code == 0, "{json}");
    }
}

#[cfg(unix)]
#[test]
fn imported_values_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[("c.json", WITH_ENV)]);
    tollgate(folder.path(), &["import", "c.json", "-o", "new.toml"]);
    let mode = fs::metadata(folder.path().join("new.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_project_is_found_by_a_relative_path() {
    let folder = folder(&[]);
    let shop = folder.path().canonicalize().unwrap().join("shop");
    fs::create_dir(&shop).unwrap();
    let json = format!(r#"{{"projects": {{{shop:?}: {{"mcpServers": {{"a": {{"command": "c"}}}}}}}}}}"#);
    fs::write(folder.path().join("c.json"), json).unwrap();
    for (arguments, code) in [(&["--project", "shop"][..], 0), (&[], 1)] {
        let ran = tollgate(folder.path(), &[&["import", "c.json"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.contains("[upstreams.a]")), (Some(code), code == 0), "{ran:?}");
    }
}
