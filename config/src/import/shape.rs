//! Finds the servers in a client's file. Clients differ in where they keep them, hardly in how.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::kind;

/// A server as a client wrote it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Value,
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

/// Every server, in file order; or a message and a remedy.
pub(super) fn entries(root: &Value) -> Result<Vec<Entry>, (String, &'static str)> {
    let remedy = "give a file with `mcpServers`, `servers`, `context_servers` or `mcp`";
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
