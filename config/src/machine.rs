//! What the configuration names and this machine does not have. It may come later, so that these are
//! warnings and no mistakes. Looks, and changes nothing.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::config::{Transport, Upstream};
use crate::error::{ConfigError, quoted};
use crate::origin::Origin;
use crate::parse::Loaded;
use crate::rest::{Provider, ProviderKey};

/// Where programs are looked for if nobody says so.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

impl Loaded {
    /// Folders and programs of enabled upstreams, and keys of providers, that are not there, one line each.
    pub fn missing(&self) -> Vec<String> {
        let used = self.config.upstreams.values().filter(|upstream| upstream.enabled);
        let upstreams = used.flat_map(|upstream| self.missing_of(upstream)).map(|warning| warning.to_string());
        upstreams.chain(self.missing_keys()).collect()
    }

    /// Keys that are not there of those providers that a route names, or that somebody configured; the catalogue names
    /// others that nobody may want.
    pub fn missing_keys(&self) -> Vec<String> {
        let used = self.config.providers.values().filter(|it| self.is_used(&it.name));
        used.filter_map(|provider| self.missing_key(provider)).map(|warning| warning.to_string()).collect()
    }

    fn is_used(&self, provider: &str) -> bool {
        let prefix = format!("providers.{provider}.");
        let is_own = |(key, origin): (&String, &Origin)| key.starts_with(&prefix) && !origin.is_default();
        let mut targets = self.config.routes.values().flat_map(|route| &route.targets);
        targets.any(|target| target.provider == provider) || self.origins.iter().any(is_own)
    }

    fn missing_key(&self, provider: &Provider) -> Option<ConfigError> {
        let (key, (message, remedy)) = match provider.key.as_ref()? {
            ProviderKey::Given(_) => return None,
            ProviderKey::Missing(name) => {
                let message = format!("environment variable {} is not set, or empty", quoted(name));
                ("api_key_env", (message, "export it, or name another"))
            }
            ProviderKey::File(path) => ("api_key_file", key_file(path).err()?),
        };
        let key = format!("providers.{}.{key}", provider.name);
        let place = self.origins.get(&key).map(|origin| origin.place()).unwrap_or_default();
        Some(ConfigError::new(place, format!("`{key}`: {message}"), remedy))
    }

    fn missing_of(&self, upstream: &Upstream) -> Vec<ConfigError> {
        let (key, found) = match &upstream.transport {
            Transport::Context { root, .. } => ("root", folder(root)),
            Transport::Stdio { cwd: Some(cwd), .. } if !cwd.is_dir() => ("cwd", folder(cwd)),
            Transport::Stdio { command, env, cwd, .. } => ("command", program(command, env, cwd.as_deref())),
            Transport::Http { .. } | Transport::Batch { .. } => return Vec::new(),
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

/// Whether it can be read and has something in it. The text itself is nobody's business here.
fn key_file(path: &Path) -> Result<(), Missing> {
    let shown = quoted(&path.display().to_string());
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err((format!("the file {shown} is empty"), "write the key into it")),
        Ok(_) => Ok(()),
        Err(error) => {
            Err((format!("the file {shown} cannot be read ({})", error.kind()), "create it, or name another"))
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
