//! NESTFUL's files as tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::suite::{Files, Tasks};
use crate::task::{Arguments, Call, Expected, ExpectedCall, Solution, Task, ToolSet};

/// The step that collects results and is no tool.
const COLLECTS: &str = "var_result";

#[derive(Deserialize)]
struct Line {
    input: String,
    output: Vec<Labelled>,
}

#[derive(Deserialize)]
struct Labelled {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    #[serde(default)]
    label: String,
}

/// The tasks of all files; what cannot be used is reported in its place.
pub(super) fn tasks(files: Arc<dyn Files>) -> Result<Tasks, String> {
    let paths: Vec<String> = files.list()?.into_iter().filter(|path| path.ends_with("-data.json")).collect();
    if paths.is_empty() {
        return Err("no `NAME-data.json` in the data; name their folder with `--data`".to_owned());
    }
    let of_file = move |path: String| match file(files.as_ref(), &path) {
        Ok(tasks) => tasks,
        Err(error) => vec![Err(error)],
    };
    Ok(Box::new(paths.into_iter().flat_map(of_file)))
}

fn file(files: &dyn Files, path: &str) -> Result<Vec<Result<Task, String>>, String> {
    let stem = path.trim_end_matches("-data.json");
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let spec_path = format!("{stem}-spec.json");
    let specs: Vec<Value> = parsed(&files.read(&spec_path)?, &spec_path)?;
    let lines: Vec<Line> = parsed(&files.read(path)?, path)?;
    let definitions = specs.iter().map(|spec| (name.to_owned(), definition(spec, &lines))).collect();
    let tools = Arc::new(ToolSet::of_values(definitions).map_err(|error| format!("{spec_path}: {error}"))?);
    let task = |(idx, line): (usize, &Line)| {
        task(line, name, idx, &tools).map_err(|error| format!("{path}, task {}: {error}", idx + 1))
    };
    Ok(lines.iter().enumerate().map(task).collect())
}

fn parsed<T: for<'a> Deserialize<'a>>(text: &str, path: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))
}

/// What labels give for a parameter of a tool, a value for each call; nothing where a call leaves it out.
fn labelled<'a>(lines: &'a [Line], tool: &'a str, parameter: &'a str) -> impl Iterator<Item = Option<&'a Value>> {
    let calls = lines.iter().flat_map(|line| &line.output).filter(move |call| call.name == tool);
    calls.map(move |call| call.arguments.get(parameter))
}

/// Whether every label keeps to the type. What a result really holds is in no specification, so bindings keep to none.
fn is_kept(word: &str, value: &Value) -> bool {
    match (word, value) {
        (_, bound) if bound.to_string().contains('$') => false,
        ("string", it) => it.is_string(),
        ("number", it) => it.is_number(),
        ("integer", it) => it.is_i64() || it.is_u64(),
        ("boolean", it) => it.is_boolean(),
        ("array", it) => it.is_array(),
        (_, it) => it.is_object(),
    }
}

/// A tool's specification as an entry of `tools/list`. Where labels break it, they are right: what they leave out is not
/// required, and a type that they do not keep to is not declared.
fn definition(spec: &Value, lines: &[Line]) -> Value {
    let name = spec["name"].as_str().unwrap_or_default();
    let kinds = ["query_parameters", "path_parameters", "parameters", "arguments"];
    let all: Map<String, Value> = kinds
        .iter()
        .filter_map(|kind| spec[*kind].as_object())
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let is_required = |(key, it): &(&String, &Value)| {
        it["required"] == true && labelled(lines, name, key).all(|value| value.is_some())
    };
    let required: Vec<&String> = all.iter().filter(is_required).map(|(key, _)| key).collect();
    let property = |(key, it): (&String, &Value)| {
        let keeps = |word: &&str| labelled(lines, name, key).flatten().all(|value| is_kept(word, value));
        (key.clone(), property(it, json_type(it).filter(keeps)))
    };
    let properties: Map<String, Value> = all.iter().map(property).collect();
    let outputs = spec["output_parameters"].as_object().cloned().unwrap_or_default();
    let output: Map<String, Value> = outputs.iter().map(|(key, it)| (key.clone(), property_of_result(it))).collect();
    json!({
        "name": name,
        "description": spec["description"],
        "inputSchema": {"type": "object", "properties": properties, "required": required},
        "outputSchema": {"type": "object", "required": output.keys().collect::<Vec<_>>(), "properties": output},
    })
}

fn property(parameter: &Value, word: Option<&str>) -> Value {
    let mut property = Map::new();
    if let Some(description) = parameter.get("description").filter(|it| it.is_string()) {
        property.insert("description".to_owned(), description.clone());
    }
    if let Some(word) = word {
        property.insert("type".to_owned(), json!(word));
    }
    Value::Object(property)
}

fn property_of_result(parameter: &Value) -> Value {
    match parameter.get("properties").and_then(Value::as_object) {
        Some(inner) => {
            let properties: Map<String, Value> =
                inner.iter().map(|(key, it)| (key.clone(), property_of_result(it))).collect();
            json!({"type": "object", "required": properties.keys().collect::<Vec<_>>(), "properties": properties})
        }
        None => json!({"type": json_type(parameter).unwrap_or("string")}),
    }
}

/// The type where it is one that JSON Schema has; enumerations are the data's own hints and labels break them.
fn json_type(parameter: &Value) -> Option<&str> {
    let known = ["string", "number", "integer", "boolean", "array", "object"];
    parameter["type"].as_str().filter(|word| known.contains(word))
}

fn task(line: &Line, category: &str, idx: usize, tools: &Arc<ToolSet>) -> Result<Task, String> {
    let (mut expected, mut solution) = (Vec::new(), Vec::new());
    let mut steps: BTreeMap<String, u32> = BTreeMap::new();
    for call in line.output.iter().filter(|it| it.name != COLLECTS) {
        let tool =
            tools.exposed(category, &call.name).ok_or_else(|| format!("`{}` is in no specification", call.name))?;
        let arguments = rebound(&Value::Object(call.arguments.clone()));
        let needs = line.output.iter().filter(|it| arguments.to_string().contains(&format!("<{}_result", it.label)));
        let step = needs.filter_map(|it| steps.get(&it.label)).max().map_or(1, |last| last + 1);
        steps.insert(call.label.clone(), step);
        let id = call.label.clone();
        solution.push(Call { id: id.clone(), step, tool: tool.to_owned(), arguments: arguments.clone(), result: None });
        // The bindings say what has to come first.
        expected.push(ExpectedCall {
            id,
            step: 1,
            tools: vec![tool.to_owned()],
            arguments: Arguments::Equal(arguments),
        });
    }
    Ok(Task {
        id: format!("{category}-{}", idx + 1),
        category: category.to_owned(),
        system: None,
        query: line.input.clone(),
        tools: tools.clone(),
        expected: Expected::Calls(expected),
        solution: Solution { calls: solution, answer: "Done.".to_owned() },
        guesses: Vec::new(),
        facts: vec![("steps", f64::from(steps.values().copied().max().unwrap_or(0)))],
    })
}

/// `$var1.field$` in the words of bindings here, `<var1_result.field>`.
fn rebound(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(rebound_text(text)),
        Value::Array(items) => Value::Array(items.iter().map(rebound).collect()),
        Value::Object(fields) => Value::Object(fields.iter().map(|(key, it)| (key.clone(), rebound(it))).collect()),
        other => other.clone(),
    }
}

fn rebound_text(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let bound = after.split_once('$').filter(|(inside, _)| inside.starts_with("var"));
        written.push_str(before);
        match bound {
            Some((inside, tail)) => {
                let (label, path) = inside.split_once('.').unwrap_or((inside, ""));
                let dot = if path.is_empty() { "" } else { "." };
                written.push_str(&format!("<{label}_result{dot}{path}>"));
                rest = tail;
            }
            None => {
                written.push('$');
                rest = after;
            }
        }
    }
    written + rest
}
