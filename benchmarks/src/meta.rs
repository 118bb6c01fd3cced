//! What a call of the model's means: a tool to run, or one of the gateway's own three, answered from the catalogue by the
//! planner's own functions and in the gateway's words.

use serde_json::{Value, json};
use tollgate_planners::tools::{CALL_TOOL, DESCRIBE_TOOL, SEARCH_TOOLS, SearchRequest};

use crate::arm::Shelf;
use crate::episode::Wanted;
use crate::trace::Status;

/// Tools that one search shows unless asked for more, and at most, as in the gateway.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;

/// What is to be done with a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Meant {
    /// Run this tool.
    Run {
        /// Its index.
        tool: usize,
        /// Its arguments.
        arguments: Value,
    },
    /// The answer is known.
    Answered {
        /// What the model is told.
        text: String,
        /// What became of the call.
        status: Status,
        /// The tool that it was about.
        tool: Option<usize>,
        /// Tools that the answer shows.
        shows: Vec<usize>,
    },
}

/// Reads a call. `has_meta` says whether the gateway's own tools are listed, and `search_budget` bounds the answer of a
/// search, in tokens.
#[must_use]
pub fn meant(shelf: &Shelf, has_meta: bool, call: &Wanted, search_budget: u32) -> Meant {
    let Some(arguments) = object(&call.arguments) else {
        let text = format!("The arguments of `{}` are no JSON object; nothing was run.", call.name);
        return Meant::Answered {
            text,
            status: Status::Unparsable,
            tool: shelf.catalogue.find(&call.name),
            shows: vec![],
        };
    };
    match call.name.as_str() {
        SEARCH_TOOLS if has_meta => searched(shelf, &arguments, search_budget),
        DESCRIBE_TOOL if has_meta => described(shelf, &arguments),
        CALL_TOOL if has_meta => called(shelf, &arguments),
        name => match shelf.catalogue.find(name) {
            Some(tool) => Meant::Run { tool, arguments },
            None => unknown(shelf, name, has_meta),
        },
    }
}

/// Arguments as models write them; nothing at all counts as none.
fn object(text: &str) -> Option<Value> {
    match text.trim() {
        "" => Some(json!({})),
        text => serde_json::from_str::<Value>(text).ok().filter(Value::is_object),
    }
}

fn told(text: String, tool: Option<usize>, shows: Vec<usize>) -> Meant {
    Meant::Answered { text, status: Status::Meta, tool, shows }
}

fn searched(shelf: &Shelf, arguments: &Value, budget: u32) -> Meant {
    let limit = arguments["limit"].as_u64().and_then(|it| usize::try_from(it).ok());
    let request = SearchRequest {
        query: arguments["query"].as_str().unwrap_or_default(),
        server: arguments["server"].as_str(),
        limit: limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
        budget,
    };
    let text = shelf.search(&request).text;
    let shows = named_in(shelf, &text);
    told(text, None, shows)
}

fn described(shelf: &Shelf, arguments: &Value) -> Meant {
    let Some(name) = arguments["name"].as_str() else {
        return told("`name` is required: the name of the tool to describe".to_owned(), None, vec![]);
    };
    match shelf.catalogue.find(name) {
        Some(tool) => told(shelf.catalogue.describe(tool).get().to_owned(), Some(tool), vec![tool]),
        None => unknown(shelf, name, true),
    }
}

fn called(shelf: &Shelf, arguments: &Value) -> Meant {
    let invalid = |text: String, tool| Meant::Answered { text, status: Status::Invalid, tool, shows: vec![] };
    let Some(name) = arguments["name"].as_str() else {
        return invalid("`name` is required: the name of the tool to call".to_owned(), None);
    };
    let Some(tool) = shelf.catalogue.find(name) else { return unknown(shelf, name, true) };
    match &arguments["arguments"] {
        Value::Null => Meant::Run { tool, arguments: json!({}) },
        given @ Value::Object(_) => Meant::Run { tool, arguments: given.clone() },
        // Models often give the object as a string of JSON; both are meant alike.
        Value::String(text) if object(text).is_some() => {
            Meant::Run { tool, arguments: object(text).unwrap_or_default() }
        }
        given => {
            invalid(format!("`arguments` must be an object with the tool's arguments, and is `{given}`"), Some(tool))
        }
    }
}

fn unknown(shelf: &Shelf, name: &str, has_meta: bool) -> Meant {
    let near = shelf.catalogue.rank(name).into_iter().take(3);
    let near: Vec<(usize, String)> =
        near.map(|it| (it.idx, format!("`{}`", shelf.tools.defs[it.idx].exposed))).collect();
    let names: Vec<&str> = near.iter().map(|(_, name)| name.as_str()).collect();
    let hint = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", names.join(", ")) };
    let remedy = if has_meta { format!(" Find tools with `{SEARCH_TOOLS}`.") } else { String::new() };
    let (text, shows) = match has_meta {
        true => (format!("There is no tool `{name}`.{hint}{remedy}"), near.iter().map(|(idx, _)| *idx).collect()),
        false => (format!("There is no tool `{name}`."), vec![]),
    };
    Meant::Answered { text, status: Status::Unknown, tool: None, shows }
}

/// The tools that a search shows: a line each with the name first, or lines of names by server.
fn named_in(shelf: &Shelf, text: &str) -> Vec<usize> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        let first = line.split(|it| !is_name(it)).next().unwrap_or_default();
        let names = line.split_once(": ").map_or("", |(_, names)| names).split(", ");
        found.extend(shelf.catalogue.find(first).into_iter().chain(names.filter_map(|it| shelf.catalogue.find(it))));
    }
    found.sort_unstable();
    found.dedup();
    found
}
