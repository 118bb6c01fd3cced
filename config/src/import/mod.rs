//! Turns the MCP configuration of another client into our own TOML. What cannot be carried over is
//! said twice: in a comment where it was, and in a warning.

mod jsonc;
mod launch;
mod names;
mod policy;
mod references;
mod server;
mod shape;
mod write;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{ConfigError, quoted};

/// A client's configuration, turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// A file for `--config`, or to append to one.
    pub toml: String,
    /// What was dropped or needs attention, one line each.
    pub warnings: Vec<String>,
    /// Environment variables that must be set for the result to load.
    pub variables: BTreeSet<String>,
}

/// Reads JSON, with comments and trailing commas where a client allows them: `mcpServers` (Claude,
/// Cursor, Windsurf, Cline, Gemini, Continue), `servers` (VS Code), `context_servers` (Zed) or
/// `mcp` (OpenCode). `source_name` stands in errors and comments.
pub fn import(text: &str, source_name: &str) -> Result<Imported, Vec<ConfigError>> {
    let root = parse(text, source_name).map_err(|error| vec![error])?;
    let entries =
        shape::entries(&root).map_err(|(message, remedy)| vec![ConfigError::new(source_name, message, remedy)])?;
    let inputs = shape::input_descriptions(&root);
    let ids = names::ids(entries.iter().map(|entry| entry.name.as_str()));
    let drafts = entries.iter().zip(ids).map(|(entry, id)| server::convert(entry, id, &inputs));
    Ok(write::write(source_name, &drafts.collect::<Vec<_>>()))
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
