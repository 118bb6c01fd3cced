//! MCPToolBench++'s files as tasks. Some fields are JSON inside strings, some files are broken; those are reported by name and
//! position, and the rest goes on.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::suite::{Files, Tasks};
use crate::task::{Arguments, Call, Expected, ExpectedCall, Solution, Task, ToolSet};

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    category: String,
    query: String,
    tools: Value,
    #[serde(default)]
    mcp_tools_dict: Value,
    function_call_label: Value,
}

#[derive(Deserialize)]
struct Labelled {
    name: String,
    #[serde(default)]
    step: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    mcp_server: String,
    #[serde(default)]
    similar_tools: Option<Vec<Similar>>,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    output: Value,
}

#[derive(Deserialize)]
struct Similar {
    name: String,
    #[serde(default)]
    mcp_server: String,
}

/// All tasks, file by file.
pub(super) fn tasks(files: Arc<dyn Files>) -> Result<Tasks, String> {
    let paths: Vec<String> = files.list()?.into_iter().filter(|path| path.ends_with(".json")).collect();
    if paths.is_empty() {
        return Err("no JSON file in the data; name MCPToolBench++'s folder with `--data`".to_owned());
    }
    Ok(Box::new(paths.into_iter().flat_map(move |path| file(files.as_ref(), &path))))
}

fn file(files: &dyn Files, path: &str) -> Vec<Result<Task, String>> {
    let entries: Result<Vec<Value>, String> =
        files.read(path).and_then(|text| serde_json::from_str(&text).map_err(|error| format!("{path}: {error}")));
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return vec![Err(error)],
    };
    let mut last = None;
    let mut tasks = Vec::with_capacity(entries.len());
    for (idx, entry) in entries.into_iter().enumerate() {
        let place = format!("{path}#{}", idx + 1);
        tasks.push(task(entry, &place, &mut last).map_err(|error| format!("{place}: {error}")));
    }
    tasks
}

/// A field that is JSON, or JSON inside a string.
fn inside<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, String> {
    let read = match value {
        Value::String(text) => serde_json::from_str(text),
        other => serde_json::from_value(other.clone()),
    };
    read.map_err(|error| format!("`{what}`: {error}"))
}

/// The tools of the task before, as they are written and as they are read.
type Last = Option<((Value, Value), Arc<ToolSet>)>;

fn task(entry: Value, place: &str, last: &mut Last) -> Result<Task, String> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let tools = tools(&entry, last)?;
    let labels: Vec<Labelled> = inside(&entry.function_call_label, "function_call_label")?;
    let calls: Result<Vec<(ExpectedCall, Call)>, String> =
        labels.iter().enumerate().map(|(idx, label)| call(label, idx, &tools)).collect();
    let (mut expected, mut calls): (Vec<ExpectedCall>, Vec<Call>) = calls?.into_iter().unzip();
    expected.sort_by_key(|it| it.step);
    calls.sort_by_key(|it| it.step);
    Ok(Task {
        id: place.to_owned(),
        category: entry.category,
        system: None,
        query: entry.query,
        tools,
        expected: Expected::Calls(expected),
        solution: Solution { calls, answer: "Done.".to_owned() },
        guesses: Vec::new(),
        facts: Vec::new(),
    })
}

fn tools(entry: &Entry, last: &mut Last) -> Result<Arc<ToolSet>, String> {
    let key = (entry.tools.clone(), entry.mcp_tools_dict.clone());
    if let Some((_, tools)) = last.as_ref().filter(|(known, _)| *known == key) {
        return Ok(tools.clone());
    }
    let definitions: Vec<Value> = inside(&entry.tools, "tools")?;
    let servers: Map<String, Value> = match &entry.mcp_tools_dict {
        Value::Null => Map::new(),
        written => inside(written, "mcp_tools_dict")?,
    };
    let with_server = |tool: &Value| (server_of(tool["name"].as_str().unwrap_or_default(), &servers), definition(tool));
    let tools = Arc::new(ToolSet::of_values(definitions.iter().map(with_server).collect())?);
    *last = Some((key, tools.clone()));
    Ok(tools)
}

/// The server that lists the tool; its tools are names or definitions.
fn server_of(name: &str, servers: &Map<String, Value>) -> String {
    let is_it = |tool: &Value| tool == name || tool["name"] == name;
    let lists = |tools: &Value| tools.as_array().is_some_and(|tools| tools.iter().any(is_it));
    servers.iter().find(|(_, tools)| lists(tools)).map_or_else(|| "server".to_owned(), |(server, _)| server.clone())
}

fn definition(tool: &Value) -> Value {
    let schema = ["input_schema", "inputSchema"].iter().find_map(|key| tool.get(key)).cloned();
    json!({"name": tool["name"], "description": tool["description"], "inputSchema": schema.unwrap_or_else(|| json!({}))})
}

fn call(label: &Labelled, idx: usize, tools: &ToolSet) -> Result<(ExpectedCall, Call), String> {
    let own = exposed(tools, &label.mcp_server, &label.name)
        .ok_or_else(|| format!("the label's tool `{}` is not among `tools`", label.name))?;
    let others = label.similar_tools.iter().flatten();
    let others = others.filter_map(|it| exposed(tools, &it.mcp_server, &it.name));
    let names: Vec<String> = [own].into_iter().chain(others).map(str::to_owned).collect();
    let id = match &label.id {
        Value::Null => (idx + 1).to_string(),
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    let step = number(&label.step).unwrap_or(1);
    let arguments = if label.input.is_null() { json!({}) } else { inside(&label.input, "input")? };
    let call = Call {
        id: id.clone(),
        step,
        tool: own.to_owned(),
        arguments: arguments.clone(),
        result: result(&label.output),
    };
    Ok((ExpectedCall { id, step, tools: names, arguments: Arguments::Equal(arguments) }, call))
}

fn exposed<'a>(tools: &'a ToolSet, server: &str, name: &str) -> Option<&'a str> {
    let by_name = || tools.defs.iter().find(|it| it.name == name).map(|it| it.exposed.as_str());
    tools.exposed(server, name).or_else(by_name)
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64().and_then(|it| u32::try_from(it).ok()),
    }
}

/// What the tool answered when the label was recorded; a mock host answers the same. Nothing is as good as no answer.
fn result(output: &Value) -> Option<String> {
    let result = &output["result"];
    match result {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Object(fields) if !fields.is_empty() => Some(result.to_string()),
        Value::Array(items) if !items.is_empty() => Some(result.to_string()),
        _ => None,
    }
}
