//! Layers -> tree -> checked configuration. Pure: files come in as text, the environment as a
//! value.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::check::{Context, check};
use crate::config::Config;
use crate::env::Env;
use crate::error::{ConfigError, Report};
use crate::origin::{Document, DocumentFile, Origin};
use crate::overrides::{apply_env, apply_flags};
use crate::raw::{RawConfig, parse_toml};
use crate::show::{self, ShownKey};

/// Every key, with its default value and one comment.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");
/// The model catalogue.
pub const MODELS_TOML: &str = include_str!("../models.toml");

/// A configuration file, read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is; relative paths in it start from its folder.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// Every layer above the embedded defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Later files win.
    pub files: Vec<Source>,
    /// Wins over files.
    pub env: Env,
    /// `(key path, value)` from the command line; wins over everything, later ones over earlier
    /// ones.
    pub overrides: Vec<(String, String)>,
    /// Relative paths start here.
    pub working_dir: PathBuf,
}

/// A checked configuration and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Key path -> where its value came from, for every leaf.
    pub origins: IndexMap<String, Origin>,
    /// What was odd but no mistake, one line each.
    pub warnings: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    /// Every key that there is, with `*` for what the user names.
    pub keys: BTreeSet<String>,
    raw: RawConfig,
}

impl Loaded {
    /// Every leaf with its value, secrets hidden, and its origin. Of the model catalogue only what
    /// the user added.
    pub fn show(&self) -> Vec<ShownKey> {
        show::show(&self.raw)
    }
}

/// Merges and checks. On failure, every mistake that was found.
pub fn parse(sources: &Sources, known_tokenizers: &[&str]) -> Result<Loaded, Vec<ConfigError>> {
    let report = Report::default();
    let mut raw = read_layers(sources, &report);
    if !report.is_empty() {
        return Err(report.into_errors());
    }
    let mut warnings = apply_env(&mut raw, &sources.env);
    apply_flags(&mut raw, &sources.overrides, &report);
    let context = Context { report: &report, env: &sources.env, working_dir: &sources.working_dir, known_tokenizers };
    let Some(config) = check(&raw, context) else {
        return Err(report.into_errors());
    };
    warnings.extend(report.take_warnings().iter().map(ToString::to_string));
    let origins = show::leaves(&raw).map(|leaf| (leaf.key(), leaf.node.origin.clone())).collect();
    let files = sources.files.iter().map(|source| source.path.clone()).collect();
    Ok(Loaded { config, origins, warnings, files, keys: report.into_keys(), raw })
}

/// The embedded files, then the user's. A file with a syntax error is reported and left out.
fn read_layers(sources: &Sources, report: &Report) -> RawConfig {
    let embedded = [("default.toml", DEFAULT_TOML), ("models.toml", MODELS_TOML)]
        .map(|(file, text)| Document::new(DocumentFile::Embedded(file), text));
    let user = sources.files.iter().map(|source| {
        let file = DocumentFile::User(Arc::from(source.path.as_path()));
        Document::new(file, &source.text)
    });
    let mut raw = RawConfig::default();
    for document in embedded.into_iter().chain(user) {
        match parse_toml(&document) {
            Ok(layer) => raw.merge(layer),
            Err(error) => report.extend(vec![error]),
        }
    }
    raw
}
