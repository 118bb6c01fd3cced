//! Finds the servers in a client's file. Clients differ in where they keep them, hardly in how.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::projects::{self, Project};
use super::{ImportRequest, kind};
use crate::error::quoted;

/// A server as a client wrote it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Value,
}

/// What a file has of what is wanted.
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// What was chosen without being asked for.
    pub(super) notes: Vec<String>,
}

/// Where a client keeps its servers; the first that is there counts.
const PLACES: &[&[&str]] = &[
    &["mcpServers"],
    &["servers"],
    &["context_servers"],
    &["mcp", "servers"],
    &["mcp", "mcpServers"],
    &["experimental", "modelContextProtocolServers"],
    &["mcp"],
];

/// The servers of all projects, then those of the chosen one; or a message and a remedy.
pub(super) fn find(root: &Value, request: &ImportRequest<'_>) -> Result<Found, (String, String)> {
    let projects = projects::with_servers(root);
    let chosen = projects::chosen(&projects, request)?;
    let shared = match is_only_projects(root, &projects) {
        true => Vec::new(),
        false => shared(root)?,
    };
    match (chosen, &projects[..]) {
        (Some(project), _) => Ok(with_project(shared, project)),
        (None, []) => Ok(Found { entries: shared, notes: Vec::new() }),
        (None, _) if shared.is_empty() => Err(unchosen(&projects)),
        (None, _) => {
            let folders = projects::folders(&projects);
            let note = format!("servers of the projects {folders} were left; `--project DIR` takes those of one too");
            Ok(Found { entries: shared, notes: vec![note] })
        }
    }
}

/// Claude Code writes `mcpServers` at the top only once all projects share a server.
fn is_only_projects(root: &Value, projects: &[Project<'_>]) -> bool {
    !projects.is_empty() && root.get("mcpServers").is_none()
}

/// As Claude Code does, a project's server wins over one of the same name for all projects.
fn with_project(shared: Vec<Entry>, project: Project<'_>) -> Found {
    let is_own = |entry: &Entry| project.servers.contains_key(&entry.name);
    let (hidden, mut entries): (Vec<Entry>, Vec<Entry>) = shared.into_iter().partition(is_own);
    entries.extend(named(project.servers));
    let mut notes = vec![format!("the servers of the project `{}` were taken", project.folder)];
    let hides = |entry: &Entry| format!("its server {} was taken, not the one for all projects", quoted(&entry.name));
    notes.extend(hidden.iter().map(hides));
    Found { entries, notes }
}

fn unchosen(projects: &[Project<'_>]) -> (String, String) {
    let folders = projects::folders(projects);
    let message = format!("there are only MCP servers of other projects in it: {folders}");
    (message, "choose one with `--project DIR`".to_owned())
}

/// Every server that is not bound to a project, in file order; or a message and a remedy.
fn shared(root: &Value) -> Result<Vec<Entry>, (String, String)> {
    let remedy = "give a file with `mcpServers`, `servers`, `context_servers` or `mcp`".to_owned();
    let found = PLACES.iter().find_map(|place| Some((place.join("."), at(root, place)?)));
    match found {
        Some((_, Value::Object(servers))) => Ok(named(servers)),
        Some((_, Value::Array(servers))) => Ok(servers.iter().map(listed).collect()),
        Some((place, other)) => Err((format!("`{place}` is {}, not an object", kind(other)), remedy)),
        None => match root {
            Value::Object(servers) if is_map_of_servers(servers) => Ok(named(servers)),
            _ => Err(("there are no MCP servers in it".to_owned(), remedy)),
        },
    }
}

fn at<'a>(root: &'a Value, place: &[&str]) -> Option<&'a Value> {
    place.iter().try_fold(root, |value, key| value.get(key))
}

fn named(servers: &Map<String, Value>) -> Vec<Entry> {
    let entry = |(name, value): (&String, &Value)| Entry { name: name.clone(), value: value.clone() };
    servers.iter().map(entry).collect()
}

/// Continue lists its servers; older versions nest the command under `transport`.
fn listed(server: &Value) -> Entry {
    let mut value = server.clone();
    if let Value::Object(fields) = &mut value
        && let Some(Value::Object(transport)) = fields.remove("transport")
    {
        fields.extend(transport);
    }
    let name = value.get("name").and_then(Value::as_str).unwrap_or("server");
    Entry { name: name.to_owned(), value }
}

/// A file that is nothing but the servers.
fn is_map_of_servers(servers: &Map<String, Value>) -> bool {
    let starts = |server: &Value| server.get("command").or_else(|| server.get("url")).is_some();
    !servers.is_empty() && servers.values().all(starts)
}

/// What VS Code would ask for each `${input:id}`.
pub(super) fn input_descriptions(root: &Value) -> BTreeMap<String, String> {
    let inputs = root.get("inputs").or_else(|| at(root, &["mcp", "inputs"]));
    let text = |input: &Value, key: &str| input.get(key)?.as_str().map(str::to_owned);
    let described = |input: &Value| Some((text(input, "id")?, text(input, "description")?));
    inputs.and_then(Value::as_array).into_iter().flatten().filter_map(described).collect()
}
