//! What the configuration names and this machine does not have. It may come later, so that these are
//! warnings and no mistakes. Looks, and changes nothing.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::config::{Transport, Upstream};
use crate::error::{ConfigError, quoted};
use crate::parse::Loaded;

/// Where programs are looked for if nobody says so.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

impl Loaded {
    /// Folders and programs of enabled upstreams that are not there, one line each.
    pub fn missing(&self) -> Vec<String> {
        let used = self.config.upstreams.values().filter(|upstream| upstream.enabled);
        used.flat_map(|upstream| self.missing_of(upstream)).map(|warning| warning.to_string()).collect()
    }

    fn missing_of(&self, upstream: &Upstream) -> Vec<ConfigError> {
        let (key, found) = match &upstream.transport {
            Transport::Context { root, .. } => ("root", folder(root)),
            Transport::Stdio { cwd: Some(cwd), .. } if !cwd.is_dir() => ("cwd", folder(cwd)),
            Transport::Stdio { command, env, cwd, .. } => ("command", program(command, env, cwd.as_deref())),
            Transport::Http { .. } => return Vec::new(),
        };
        let key = format!("upstreams.{}.{key}", upstream.id);
        let place = self.origins.get(&key).map(|origin| origin.place()).unwrap_or_default();
        let told = |(message, remedy)| ConfigError::new(place, format!("`{key}`: {message}"), remedy);
        found.err().map(told).into_iter().collect()
    }
}

/// A message and a remedy.
type Missing = (String, &'static str);

fn folder(path: &Path) -> Result<(), Missing> {
    match path.is_dir() {
        true => Ok(()),
        false => {
            Err((format!("there is no folder {}", quoted(&path.display().to_string())), "create it, or name another"))
        }
    }
}

fn program(command: &str, env: &IndexMap<String, String>, cwd: Option<&Path>) -> Result<(), Missing> {
    let is_path = command.contains(['/', '\\']);
    let folders: Vec<PathBuf> = match is_path {
        true => vec![cwd.unwrap_or(Path::new("")).to_owned()],
        false => std::env::split_paths(env.get("PATH").map_or(DEFAULT_PATH, String::as_str)).collect(),
    };
    // Windows tries these behind the name; nothing else has the variable.
    let endings = env.get("PATHEXT").map(String::as_str).unwrap_or_default().split(';').chain([""]);
    let names: Vec<String> = endings.map(|ending| format!("{command}{ending}")).collect();
    let is_there = |folder: &PathBuf| names.iter().any(|name| is_program(&folder.join(name)));
    match (folders.iter().any(is_there), is_path) {
        (true, _) => Ok(()),
        (false, true) => {
            Err((format!("there is no program {}", quoted(command)), "check the path and that it may be run"))
        }
        (false, false) => {
            Err((format!("there is no program {} on its `PATH`", quoted(command)), "install it, or give its full path"))
        }
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
