//! `tollgate config check` and `tollgate config show`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    ConfigSource, Failure, print,
    table::{Table, count},
};

/// Check or show the configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pub(super) source: ConfigSource,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the configuration; every mistake is one line with file, position and remedy
    Check(ConfigSource),
    /// Show every key with its value and where that comes from; secrets are hidden
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        source: ConfigSource,
    },
}

pub fn run(args: ConfigArgs) -> Result<(), Failure> {
    let ConfigArgs { action, mut source } = args;
    match &action {
        Action::Check(inner) | Action::Show { source: inner, .. } => source.add(inner.clone()),
    }
    let loaded = source.load()?;
    loaded.warnings.iter().for_each(|it| anstream::eprintln!("warning: {it}"));
    match action {
        Action::Check(_) => {
            loaded.missing().iter().for_each(|it| anstream::eprintln!("warning: {it}"));
            let config = &loaded.config;
            let files: Vec<_> = loaded.files.iter().map(|it| it.display().to_string()).collect();
            let from = if files.is_empty() { "the built-in defaults".into() } else { files.join(", ") };
            let upstreams = count(config.upstreams.len() as u64, "upstream");
            let profiles = count(config.profiles.len() as u64, "profile");
            print(&format!("ok: {upstreams}, {profiles}, from {from}\n"))
        }
        Action::Show { json: true, .. } => {
            let keys: Vec<_> = loaded
                .show()
                .iter()
                .map(|it| json!({"key": it.key, "value": it.json, "origin": it.origin.to_string()}))
                .collect();
            print(&format!("{}\n", json!(keys)))
        }
        Action::Show { json: false, .. } => {
            let mut table = Table::new(&["key", "value", "origin"]);
            for key in loaded.show() {
                table.row(&[key.key, key.value, key.origin.to_string()]);
            }
            print(&table.to_string())
        }
    }
}
