//! A set: tools, requests, and which tools each request needs.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_planners::tools::{Document, ToolDef};

use crate::suite::Files;
use crate::task::ToolSet;

const CORPUS: &str = "corpus.jsonl";
const QUERIES: &str = "queries.jsonl";

/// Tools and requests.
pub(super) struct Set {
    pub(super) name: String,
    /// Definitions with name, description and input schema alone, as they stand in the file.
    pub(super) tools: ToolSet,
    pub(super) queries: Vec<Query>,
}

/// A request.
pub(super) struct Query {
    pub(super) text: String,
    /// What it needs: of each group any one tool.
    pub(super) groups: Vec<Vec<usize>>,
}

#[derive(Deserialize)]
struct ToolLine<'a> {
    #[serde(default)]
    id: String,
    #[serde(default)]
    server: String,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow, rename = "inputSchema")]
    schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct QueryLine {
    query: String,
    #[serde(default)]
    rel: Vec<String>,
    #[serde(default)]
    rel_groups: Vec<Vec<String>>,
}

/// The folders that hold a set, as prefixes of paths.
pub(super) fn folders(files: &dyn Files) -> Result<Vec<String>, String> {
    let paths = files.list()?;
    let folder = |path: &String| path.strip_suffix(CORPUS).map(str::to_owned);
    let mut found: Vec<String> = paths.iter().filter_map(folder).collect();
    found.retain(|folder| paths.contains(&format!("{folder}{QUERIES}")));
    if found.is_empty() {
        return Err(format!("no folder with `{CORPUS}` and `{QUERIES}` in the data; name one with `--data`"));
    }
    Ok(found)
}

impl Set {
    /// The set in `folder`, with distractors, if any, behind its own tools.
    pub(super) fn read(files: &dyn Files, folder: &str, distractors: Option<&str>) -> Result<Self, String> {
        let corpus = files.read(&format!("{folder}{CORPUS}"))?;
        let mut tools = Vec::new();
        let mut ids = HashMap::new();
        for (idx, line) in lines(&corpus) {
            let (id, tool) = tool(line).map_err(|error| format!("{folder}{CORPUS}:{}: {error}", idx + 1))?;
            ids.insert(id, tools.len());
            tools.push(tool);
        }
        let n_own = tools.len();
        for (idx, line) in distractors.into_iter().flat_map(lines) {
            tools.push(tool(line).map_err(|error| format!("distractors, line {}: {error}", idx + 1))?.1);
        }
        let own = folder.trim_end_matches('/').rsplit('/').next().filter(|it| !it.is_empty()).unwrap_or("set");
        let name = match tools.len() - n_own {
            0 => own.to_owned(),
            n_more => format!("{own} + {n_more}"),
        };
        let text = files.read(&format!("{folder}{QUERIES}"))?;
        let mut queries = Vec::new();
        for (idx, line) in lines(&text) {
            queries.extend(query(line, &ids).map_err(|error| format!("{folder}{QUERIES}:{}: {error}", idx + 1))?);
        }
        Ok(Self { name, tools: ToolSet::new(tools)?, queries })
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty())
}

fn tool(line: &str) -> Result<(String, (String, Box<RawValue>)), String> {
    let tool: ToolLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let null = |part: Option<&RawValue>| part.map_or("null", RawValue::get).to_owned();
    let text = format!(
        r#"{{"name":{},"description":{},"inputSchema":{}}}"#,
        tool.name.get(),
        null(tool.description),
        null(tool.schema)
    );
    let definition = RawValue::from_string(text).map_err(|error| error.to_string())?;
    Ok((tool.id, (tool.server, definition)))
}

/// A request; nothing if no tool of the set can help with it.
fn query(line: &str, ids: &HashMap<String, usize>) -> Result<Option<Query>, String> {
    let line: QueryLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let named =
        if line.rel_groups.is_empty() { line.rel.into_iter().map(|id| vec![id]).collect() } else { line.rel_groups };
    let place = |id: &String| ids.get(id).copied().ok_or_else(|| format!("tool `{id}` is not in the corpus"));
    let groups: Result<Vec<Vec<usize>>, String> = named.iter().map(|group| group.iter().map(place).collect()).collect();
    let mut groups = groups?;
    groups.retain(|group| !group.is_empty());
    Ok((!groups.is_empty()).then_some(Query { text: line.query, groups }))
}

/// What rankers know about a tool.
pub(super) fn document(tool: &ToolDef) -> Document {
    let definition: Value = serde_json::from_str(tool.definition.get()).unwrap_or_default();
    Document::new(tool, definition["description"].as_str().unwrap_or_default(), &definition["inputSchema"])
}
