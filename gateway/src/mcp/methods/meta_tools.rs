//! The three tools of the gateway itself: `search_tools`, `describe_tool`, `call_tool`.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    missing,
    tools::{call_route, fit, tool_error},
};
use crate::mcp::{
    caller::Caller,
    gate::Gate,
    jsonrpc::{Outcome, Raw, raw},
    object::RawObject,
    view::View,
};
use tollgate_planners::tools::{CALL_TOOL, DESCRIBE_TOOL, SEARCH_TOOLS, SearchRequest, search};

/// Tools that one search shows unless asked for more, and at most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;

/// A search's answer gives at most one part in so many of its budget to upstreams that are not up.
const MISSING_SHARE: u32 = 3;

type MetaTool = for<'a> fn(&'a Gate, &'a Caller, RawObject) -> BoxFuture<'a, Outcome>;

const META_TOOLS: &[(&str, MetaTool)] = &[
    (SEARCH_TOOLS, |gate, caller, params| Box::pin(search_tools(gate, caller, params))),
    (DESCRIBE_TOOL, |gate, caller, params| Box::pin(describe_tool(gate, caller, params))),
    (CALL_TOOL, |gate, caller, params| Box::pin(call_tool(gate, caller, params))),
];

pub fn find(name: &str) -> Option<MetaTool> {
    META_TOOLS.iter().find(|(it, _)| *it == name).map(|(_, handler)| *handler)
}

fn text_result(caller: &Caller, text: &str) -> Raw {
    fit(caller, raw(&json!({"content": [{"type": "text", "text": text}]})))
}

fn tokens(view: &View, text: &str) -> u32 {
    u32::try_from(view.catalogue.tokenizer().count(text)).unwrap_or(u32::MAX)
}

fn arguments_of(params: &RawObject) -> RawObject {
    params.get_object("arguments").unwrap_or_default()
}

async fn search_tools(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let arguments = arguments_of(&params);
    let view = gate.known_view().await?;
    let query = arguments.get_str("query").unwrap_or_default();
    let server = arguments.get_str("server");
    let asked: Option<usize> = arguments.get("limit").and_then(|it| serde_json::from_str(it.get()).ok());
    // What was found comes first.
    let share = gate.profile.search_budget_tokens / MISSING_SHARE;
    let missing = missing::within(gate, |text| tokens(&view, text) <= share);
    let request = SearchRequest {
        query: &query,
        server: server.as_deref(),
        limit: asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
        budget: gate.profile.search_budget_tokens.saturating_sub(tokens(&view, &missing)),
    };
    let found = search(&view.catalogue, &request);
    Ok(text_result(caller, &format!("{}{missing}", found.text)))
}

async fn describe_tool(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let arguments = arguments_of(&params);
    let view = gate.known_view().await?;
    let Some(name) = arguments.get_str("name") else {
        return Ok(fit(caller, tool_error("`name` is required: the name of the tool to describe")));
    };
    match view.find(&name) {
        Some(idx) => Ok(text_result(caller, view.catalogue.describe(idx).get())),
        None => Ok(fit(caller, tool_error(&no_such_tool(gate, &view, &name)))),
    }
}

async fn call_tool(gate: &Gate, caller: &Caller, mut params: RawObject) -> Outcome {
    let arguments = arguments_of(&params);
    let view = gate.known_view().await?;
    let Some(name) = arguments.get_str("name") else {
        return Ok(fit(caller, tool_error("`name` is required: the name of the tool to call")));
    };
    let Some(idx) = view.find(&name) else {
        return Ok(fit(caller, tool_error(&no_such_tool(gate, &view, &name))));
    };
    match inner_arguments(&arguments) {
        Ok(inner) => params.set("arguments", inner),
        Err(text) => return Ok(fit(caller, tool_error(&text))),
    }
    call_route(&view.routes[idx], caller, params).await
}

/// The arguments to pass on. Models often give the object as a string of JSON; both are meant alike.
///
/// # Errors
/// That they are no object, for the model.
pub fn inner_arguments(arguments: &RawObject) -> Result<Raw, String> {
    let Some(given) = arguments.get("arguments") else { return Ok(raw(&json!({}))) };
    let unquoted = match serde_json::from_str::<Value>(given.get()) {
        Ok(Value::String(text)) => serde_json::from_str::<Raw>(&text).ok(),
        Ok(Value::Null) => Some(raw(&json!({}))),
        _ => Some(given.to_owned()),
    };
    unquoted
        .filter(|it| RawObject::parse(it).is_some())
        .ok_or_else(|| format!("`arguments` must be an object with the tool's arguments, and is `{}`", given.get()))
}

fn no_such_tool(gate: &Gate, view: &View, name: &str) -> String {
    let near = near(view, name);
    let remedy = if near.is_empty() { String::new() } else { format!(" Did you mean {near}?") };
    format!("There is no tool `{name}`.{remedy} Find tools with `{SEARCH_TOOLS}`.{}", missing::note(gate))
}

/// Up to three tools whose names share words with `name`.
pub fn near(view: &View, name: &str) -> String {
    let found: Vec<String> = view
        .catalogue
        .rank(name)
        .into_iter()
        .take(3)
        .filter_map(|it| view.catalogue.tools().get(it.idx))
        .map(|it| format!("`{}`", it.exposed))
        .collect();
    found.join(", ")
}
