//! The shared data sets, as catalogues want them. Absent ones are announced, never passed over in silence.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_planners::tools::{NamePolicy, ToolDef, exposed_names};

#[derive(Deserialize)]
struct ListFile {
    server: String,
    tools: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    server: String,
    name: String,
}

/// The path of a data set, or `None`, announced, where it is not installed.
pub fn path(of: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(of);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

/// The recorded lists of real servers: `(server, tools)`.
pub fn tool_lists() -> Option<Vec<(String, Vec<ToolDef>)>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path("tool-lists")?).ok()?.map_while(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let list: ListFile = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
        let tools = list.tools.into_iter().map(|raw| (list.server.clone(), raw)).collect();
        Some((list.server.clone(), defined(tools)))
    };
    let lists: Vec<(String, Vec<ToolDef>)> = files.iter().filter_map(read).collect();
    assert!(lists.len() >= 14, "{} lists could be read", lists.len());
    Some(lists)
}

/// The first `limit` of 15,121 tools from 1,760 real servers.
pub fn toucan(limit: usize) -> Option<Vec<ToolDef>> {
    let text = std::fs::read_to_string(path("toucan/mcp_tools.jsonl")?).ok()?;
    Some(corpus(&text, limit))
}

/// Tools from lines of JSON.
pub fn corpus(text: &str, limit: usize) -> Vec<ToolDef> {
    let read = |line: &str| {
        let named: Named = serde_json::from_str(line).ok()?;
        Some((named.server, RawValue::from_string(line.to_owned()).ok()?))
    };
    defined(text.lines().take(limit).filter_map(read).collect())
}

fn defined(tools: Vec<(String, Box<RawValue>)>) -> Vec<ToolDef> {
    let name = |raw: &RawValue| serde_json::from_str::<Named>(raw.get()).map(|named| named.name).unwrap_or_default();
    let names: Vec<String> = tools.iter().map(|(_, raw)| name(raw)).collect();
    let pairs: Vec<(&str, &str)> =
        tools.iter().zip(&names).map(|((server, _), name)| (server.as_str(), name.as_str())).collect();
    let exposed = exposed_names(&pairs, NamePolicy::OnCollision);
    let of = |(((server, raw), name), exposed)| ToolDef { server, name, exposed, definition: Arc::from(raw) };
    tools.into_iter().zip(names).zip(exposed).map(of).collect()
}
