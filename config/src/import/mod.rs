//! Turns the MCP configuration of another client into our own TOML. What cannot be carried over is
//! said twice: in a comment where it was, and in a warning.

mod jsonc;
mod launch;
mod names;
mod own;
mod policy;
mod projects;
mod references;
mod server;
mod shape;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::error::{ConfigError, quoted};

/// What is wanted of a client's configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportRequest<'a> {
    /// Stands in errors and comments.
    pub source_name: &'a str,
    /// Servers of this project are taken too, if it has any.
    pub working_dir: Option<&'a Path>,
    /// Instead of the working directory's, a project that must have servers.
    pub project: Option<&'a Path>,
}

/// A client's configuration, turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// A file for `--config`, or to append to one.
    pub toml: String,
    /// What was chosen without being asked for, one line each.
    pub notes: Vec<String>,
    /// What was dropped or needs attention, one line each.
    pub warnings: Vec<String>,
    /// Environment variables that must be set for the result to load.
    pub variables: BTreeSet<String>,
    /// How many servers were carried over.
    pub n_servers: usize,
    /// Whether the file repeats values of `env` or `headers`, which others should not read.
    pub holds_values: bool,
}

/// Reads JSON, with comments and trailing commas where a client allows them: `mcpServers` (Claude,
/// Cursor, Windsurf, Cline, Gemini, Continue), `servers` (VS Code), `context_servers` (Zed) or
/// `mcp` (OpenCode); of Claude Code's own file also one project's.
pub fn import(text: &str, request: &ImportRequest<'_>) -> Result<Imported, Vec<ConfigError>> {
    let source_name = request.source_name;
    let root = parse(text, source_name).map_err(|error| vec![error])?;
    let found = shape::find(&root, request)
        .map_err(|(message, remedy)| vec![ConfigError::new(source_name, message, remedy)])?;
    let inputs = shape::input_descriptions(&root);
    let ids = names::ids(found.entries.iter().map(|entry| entry.name.as_str()));
    let drafts = found.entries.iter().zip(ids).map(|(entry, id)| server::convert(entry, id, &inputs));
    Ok(write::write(source_name, &drafts.collect::<Vec<_>>(), found.notes))
}

fn parse(text: &str, source_name: &str) -> Result<Value, ConfigError> {
    let json = jsonc::to_json(text.trim_start_matches('\u{feff}'));
    serde_json::from_str(&json).map_err(|error| {
        // The position is put in front of the line instead.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let place = format!("{source_name}:{}:{}", error.line(), error.column());
        ConfigError::new(place, format!("not valid JSON: {message}"), "mend the syntax")
    })
}

/// The word for this kind of value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Text, or what a careless hand wrote without quotes.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

/// A list of texts; a single text is a list of one.
fn scalars(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        Value::Null => Some(Vec::new()),
        _ => scalar(value).map(|text| vec![text]),
    }
}

/// A note about a key whose value is of no use.
fn ignored(key: &str, value: &Value) -> String {
    format!("{} is {} and was dropped", quoted(key), kind(value))
}
