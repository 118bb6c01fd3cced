//! The leaderboard's files as tasks.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::random::Random;
use crate::schema::drawn;
use crate::suite::{Files, Tasks};
use crate::task::{Arguments, Call, Expected, ExpectedCall, Solution, Task, ToolSet};

/// The one server that all functions are of.
const SERVER: &str = "functions";

#[derive(Deserialize)]
struct Line {
    id: String,
    question: Vec<Vec<Said>>,
    function: Vec<Value>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    ground_truth: Vec<Map<String, Value>>,
}

/// All single-turn tasks; lines that cannot be used are reported in their place.
pub(super) fn tasks(files: Arc<dyn Files>, seed: u64) -> Result<Tasks, String> {
    let paths = files.list()?;
    let questions: Vec<(String, String)> =
        paths.iter().filter_map(|path| Some((path.clone(), category(path)?))).collect();
    if questions.is_empty() {
        return Err("no `BFCL_v4_CATEGORY.jsonl` in the data; name their folder with `--data`".to_owned());
    }
    let of_file = move |(path, category): (String, String)| -> Box<dyn Iterator<Item = Result<Task, String>> + Send> {
        match file(files.as_ref(), &paths, &path, &category, seed) {
            Ok(tasks) => Box::new(tasks.into_iter()),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    };
    Ok(Box::new(questions.into_iter().flat_map(of_file)))
}

/// The category of a file of questions that is single-turn.
fn category(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let stem = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".json"))?;
    let is_answer = path.contains("possible_answer");
    let category = stem.strip_prefix("BFCL_v4_").filter(|_| !is_answer)?;
    let known = ["simple", "multiple", "parallel", "irrelevance", "relevance"];
    let is_known = known.iter().any(|word| category.strip_prefix("live_").unwrap_or(category).starts_with(word));
    let is_python = !category.contains("java");
    (is_known && is_python).then(|| category.to_owned())
}

fn file(
    files: &dyn Files,
    paths: &[String],
    path: &str,
    category: &str,
    seed: u64,
) -> Result<Vec<Result<Task, String>>, String> {
    let answers = if category.ends_with("relevance") { HashMap::new() } else { answers(files, paths, category)? };
    let text = files.read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let task = |(idx, line): (usize, &str)| {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("{path}:{}: {error}", idx + 1))?;
        let id = line.id.clone();
        task(line, category, &answers, seed).map_err(|error| format!("{path}:{}: `{id}`: {error}", idx + 1))
    };
    Ok(lines.map(task).collect())
}

fn answers(
    files: &dyn Files,
    paths: &[String],
    category: &str,
) -> Result<HashMap<String, Vec<Map<String, Value>>>, String> {
    let is_it = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        stem == format!("possible_answer_{category}")
            || (path.contains("possible_answer/") && stem == format!("BFCL_v4_{category}"))
    };
    let path = paths.iter().find(is_it).ok_or_else(|| format!("no `possible_answer_{category}.jsonl` in the data"))?;
    let text = files.read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let answer = |(idx, line)| {
        let answer: Answer = serde_json::from_str(line).map_err(|error| format!("{path}:{}: {error}", idx + 1))?;
        Ok((answer.id, answer.ground_truth))
    };
    lines.map(answer).collect()
}

fn task(
    line: Line,
    category: &str,
    answers: &HashMap<String, Vec<Map<String, Value>>>,
    seed: u64,
) -> Result<Task, String> {
    let tools = line.function.iter().map(|function| (SERVER.to_owned(), definition(function))).collect();
    let tools = Arc::new(ToolSet::of_values(tools)?);
    let said = |role: &str| {
        let of_role = line.question.iter().flatten().filter(|it| it.role == role).map(|it| it.content.as_str());
        of_role.collect::<Vec<_>>().join("\n\n")
    };
    let (expected, solution) = match category {
        _ if category.ends_with("irrelevance") => (Expected::Silence, Solution::default()),
        _ if category.ends_with("relevance") => any_call(&tools, &line.id, seed),
        _ => {
            let truth = answers.get(&line.id).ok_or("no possible answer has this id")?;
            calls(&tools, truth)?
        }
    };
    Ok(Task {
        category: category.to_owned(),
        system: Some(said("system")).filter(|text| !text.is_empty()),
        query: said("user"),
        id: line.id,
        tools,
        expected,
        solution,
        guesses: Vec::new(),
        facts: Vec::new(),
    })
}

/// A function as an entry of `tools/list`: the leaderboard's words for types become JSON Schema's.
fn definition(function: &Value) -> Value {
    let schema = translated(&function["parameters"]);
    json!({"name": function["name"], "description": function["description"], "inputSchema": schema})
}

fn translated(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| match (key.as_str(), value.as_str()) {
                ("type", Some("dict")) => Some((key.clone(), json!("object"))),
                ("type", Some("float")) => Some((key.clone(), json!("number"))),
                ("type", Some("tuple")) => Some((key.clone(), json!("array"))),
                ("type", Some("any")) => None,
                _ => Some((key.clone(), translated(value))),
            };
            Value::Object(fields.iter().filter_map(field).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(translated).collect()),
        other => other.clone(),
    }
}

fn calls(tools: &ToolSet, truth: &[Map<String, Value>]) -> Result<(Expected, Solution), String> {
    let mut expected = Vec::new();
    let mut solution = Vec::new();
    for (idx, (name, accepted)) in truth.iter().flatten().enumerate() {
        let exposed =
            tools.exposed(SERVER, name).ok_or_else(|| format!("function `{name}` is not among those given"))?;
        let accepted = accepted.as_object().ok_or("accepted values are not an object")?;
        let schema = tools.find(exposed).and_then(|idx| tools.schema(idx)).unwrap_or_default();
        let right = one_right(accepted, &schema["required"]);
        let id = (idx + 1).to_string();
        solution.push(Call { id: id.clone(), step: 1, tool: exposed.to_owned(), arguments: right, result: None });
        let arguments = Arguments::Accepted(accepted.clone());
        expected.push(ExpectedCall { id, step: 1, tools: vec![exposed.to_owned()], arguments });
    }
    Ok((Expected::Calls(expected), Solution { calls: solution, answer: "Done.".to_owned() }))
}

/// For each parameter the first value that will do; what may be left out is left out.
fn one_right(accepted: &Map<String, Value>, required: &Value) -> Value {
    let is_required = |name: &String| required.as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let first = |name: &String, values: &Value| {
        let values = values.as_array()?;
        let may_be_left_out = !is_required(name) && values.iter().any(|it| it == "");
        values.iter().find(|it| **it != "").or(values.first()).filter(|_| !may_be_left_out).cloned()
    };
    let given = accepted.iter().filter_map(|(name, values)| Some((name.clone(), inner(first(name, values)?))));
    Value::Object(given.collect())
}

/// Objects among accepted values have lists of accepted values themselves.
fn inner(value: Value) -> Value {
    match &value {
        Value::Object(fields) if fields.values().all(Value::is_array) => one_right(fields, &Value::Null),
        Value::Array(items) => Value::Array(items.iter().cloned().map(inner).collect()),
        _ => value,
    }
}

/// Something of the first function; whatever is called is right.
fn any_call(tools: &ToolSet, id: &str, seed: u64) -> (Expected, Solution) {
    let schema = tools.schema(0).unwrap_or_default();
    let arguments = drawn(&schema, &mut Random::of(seed, &[id]));
    let tool = tools.defs.first().map(|it| it.exposed.clone()).unwrap_or_default();
    let names = tools.defs.iter().map(|it| it.exposed.clone()).collect();
    let expected = ExpectedCall { id: "1".to_owned(), step: 1, tools: names, arguments: Arguments::Any };
    let call = Call { id: "1".to_owned(), step: 1, tool, arguments, result: None };
    (Expected::Calls(vec![expected]), Solution { calls: vec![call], answer: "Done.".to_owned() })
}
