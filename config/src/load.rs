//! Finds and reads the files of a configuration. Beside `Env::from_process` and
//! `Loaded::missing` the only IO of this crate; everything after the reading is `parse`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::ConfigError;
use crate::parse::{Loaded, Source, Sources, parse};

/// Where to look.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Read instead of the user's and the project's file.
    pub config_file: Option<PathBuf>,
    /// The environment.
    pub env: Env,
    /// `(key path, value)` from the command line.
    pub overrides: Vec<(String, String)>,
    /// Relative paths start here.
    pub working_dir: PathBuf,
}

/// The project's file, in the working directory.
const PROJECT_FILE: &str = "tollgate.toml";

/// Larger configuration files are a mistake.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Reads the files and checks everything.
pub fn load(request: &Request, known_tokenizers: &[&str]) -> Result<Loaded, Vec<ConfigError>> {
    let sources = Sources {
        files: read_files(request).map_err(|error| vec![error])?,
        env: request.env.clone(),
        overrides: request.overrides.clone(),
        working_dir: request.working_dir.clone(),
    };
    parse(&sources, known_tokenizers)
}

fn read_files(request: &Request) -> Result<Vec<Source>, ConfigError> {
    if let Some(path) = &request.config_file {
        let source = read(&request.working_dir, path)?.ok_or_else(|| {
            let place = path.display().to_string();
            ConfigError::new(place, "no such file", "check the path after `--config`")
        })?;
        return Ok(vec![source]);
    }
    let mut files = Vec::new();
    for path in user_file(&request.env).into_iter().chain([PathBuf::from(PROJECT_FILE)]) {
        files.extend(read(&request.working_dir, &path)?);
    }
    Ok(files)
}

/// `$XDG_CONFIG_HOME/tollgate/config.toml`, with the fallbacks of the XDG specification and
/// Windows.
pub fn user_file(env: &Env) -> Option<PathBuf> {
    let absolute = |name| env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".config"));
    let folder = absolute("XDG_CONFIG_HOME").or_else(home).or_else(|| absolute("APPDATA"))?;
    Some(folder.join("tollgate").join("config.toml"))
}

/// `None` if there is no such file.
fn read(working_dir: &Path, path: &Path) -> Result<Option<Source>, ConfigError> {
    let full = working_dir.join(path);
    let fail = |message: &str, remedy: &str| ConfigError::new(path.display().to_string(), message, remedy);
    match std::fs::metadata(&full) {
        Ok(metadata) if metadata.is_dir() => return Err(fail("is a folder", "name a file")),
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
            return Err(fail("is larger than 4 MiB", "is it the right file?"));
        }
        _ => {}
    }
    match std::fs::read_to_string(&full) {
        Ok(text) => Ok(Some(Source { path: path.to_owned(), text })),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
            ErrorKind::InvalidData => Err(fail("is not UTF-8 text", "save it as UTF-8")),
            _ => Err(fail(&format!("cannot be read: {error}"), "check its permissions")),
        },
    }
}
