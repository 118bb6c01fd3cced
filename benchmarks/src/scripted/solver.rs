//! Goes the way of the task's solution, as far as it can see the tools for it.

use serde_json::{Value, json};
use tollgate_planners::tools::{CALL_TOOL, DESCRIBE_TOOL, SEARCH_TOOLS};

use crate::episode::{Episode, Message, Reply, Wanted};
use crate::score::{binding, bindings, field};
use crate::task::Call;

/// How often a call that failed is made again.
const MOST_TRIES: usize = 3;

/// How hard it looks for a tool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// One search, with the user's words.
    Once,
    /// After that one with the tool's own words; and if even that shows nothing, it asks for it by name.
    UntilFound,
}

/// The next step.
pub fn reply(episode: &Episode, search: Search) -> Reply {
    let calls = &episode.task.solution.calls;
    let open = (0..calls.len()).filter(|&at| answered(episode, at).is_none());
    let Some(step) = open.clone().map(|at| calls[at].step).min() else {
        return Reply { text: with_results(episode, &episode.task.solution.answer), ..Reply::default() };
    };
    let due: Vec<usize> = open.filter(|&at| calls[at].step == step).collect();
    if due.iter().any(|&at| tries(episode, at) >= MOST_TRIES) {
        return Reply { text: "The tools do not work.".to_owned(), ..Reply::default() };
    }
    let unseen: Vec<&Call> = due.iter().map(|&at| &calls[at]).filter(|call| !is_seen(episode, call)).collect();
    if !unseen.is_empty() {
        return look_for(episode, &unseen, search);
    }
    let undescribed: Vec<Wanted> = due.iter().filter_map(|&at| describe(episode, &calls[at])).collect();
    if !undescribed.is_empty() {
        return Reply { calls: undescribed, ..Reply::default() };
    }
    Reply { calls: due.iter().map(|&at| make(episode, at)).collect(), ..Reply::default() }
}

fn tool(episode: &Episode, call: &Call) -> Option<usize> {
    episode.shelf.catalogue.find(&call.tool)
}

fn is_seen(episode: &Episode, call: &Call) -> bool {
    tool(episode, call).is_some_and(|it| episode.has_seen(it))
}

fn is_listed(episode: &Episode, call: &Call) -> bool {
    tool(episode, call).is_some_and(|it| episode.listing.listed.contains(&it))
}

fn look_for(episode: &Episode, unseen: &[&Call], search: Search) -> Reply {
    let searched = asked(episode).filter(|it| it.name == SEARCH_TOOLS).count();
    let search_for = |text: &str| Wanted {
        id: format!("search{}", n_asked(episode)),
        name: SEARCH_TOOLS.to_owned(),
        arguments: json!({"query": text}).to_string(),
    };
    let calls = match (searched, search) {
        _ if !episode.listing.has_meta => {
            return Reply { text: "There is no such tool.".to_owned(), ..Reply::default() };
        }
        (0, _) => vec![search_for(&episode.task.query)],
        (1, Search::UntilFound) => vec![search_for(&unseen[0].tool.replace(['_', '-'], " "))],
        (2, Search::UntilFound) => unseen.iter().map(|call| description_of(episode, call)).collect(),
        _ => return Reply { text: "No tool that I found can do this.".to_owned(), ..Reply::default() },
    };
    Reply { calls, ..Reply::default() }
}

fn description_of(episode: &Episode, call: &Call) -> Wanted {
    let id = format!("describe{}-{}", n_asked(episode), call.id);
    Wanted { id, name: DESCRIBE_TOOL.to_owned(), arguments: json!({"name": call.tool}).to_string() }
}

/// A tool that is not listed as an entry is read before it is called.
fn describe(episode: &Episode, call: &Call) -> Option<Wanted> {
    let wanted = description_of(episode, call);
    let is_described = || asked(episode).any(|it| it.name == DESCRIBE_TOOL && it.arguments == wanted.arguments);
    (!is_listed(episode, call) && !is_described()).then(|| wanted.clone())
}

/// The id says which call of the solution it is, and which try.
fn make(episode: &Episode, at: usize) -> Wanted {
    let call = &episode.task.solution.calls[at];
    let arguments = bound(episode, &call.arguments);
    let id = format!("call{at}-{}", tries(episode, at));
    match is_listed(episode, call) {
        true => Wanted { id, name: call.tool.clone(), arguments: arguments.to_string() },
        false => {
            let arguments = json!({"name": call.tool, "arguments": arguments}).to_string();
            Wanted { id, name: CALL_TOOL.to_owned(), arguments }
        }
    }
}

fn asked(episode: &Episode) -> impl Iterator<Item = &Wanted> {
    episode.messages.iter().flat_map(|message| match message {
        Message::Model { calls, .. } => calls.as_slice(),
        _ => &[],
    })
}

fn n_asked(episode: &Episode) -> usize {
    asked(episode).count()
}

fn tries(episode: &Episode, at: usize) -> usize {
    let prefix = format!("call{at}-");
    asked(episode).filter(|it| it.id.starts_with(&prefix)).count()
}

/// What a call of the solution gave, if it was made and did not fail.
fn answered(episode: &Episode, at: usize) -> Option<&str> {
    let prefix = format!("call{at}-");
    episode.messages.iter().find_map(|message| match message {
        Message::Result { id, text, is_error: false } if id.starts_with(&prefix) => Some(text.as_str()),
        _ => None,
    })
}

/// Arguments with their bindings replaced by what earlier calls gave.
fn bound(episode: &Episode, value: &Value) -> Value {
    match value {
        Value::String(text) => {
            field_of_result(episode, text).unwrap_or_else(|| Value::String(with_results(episode, text)))
        }
        Value::Array(items) => Value::Array(items.iter().map(|it| bound(episode, it)).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), bound(episode, value))).collect())
        }
        other => other.clone(),
    }
}

/// The field of an earlier result that a text is bound to, as the result has it; all of the result where it has no such field.
fn field_of_result(episode: &Episode, text: &str) -> Option<Value> {
    let (id, path) = binding(text).filter(|(_, path)| !path.is_empty())?;
    let at = episode.task.solution.calls.iter().position(|it| it.id == id)?;
    let result = answered(episode, at)?;
    let parsed: Option<Value> = serde_json::from_str(result).ok();
    Some(parsed.and_then(|it| field(&it, path).cloned()).unwrap_or_else(|| Value::String(result.to_owned())))
}

fn with_results(episode: &Episode, text: &str) -> String {
    let calls = &episode.task.solution.calls;
    let mut replaced = text.to_owned();
    for id in bindings(text) {
        let at = calls.iter().position(|it| it.id == id);
        if let Some(result) = at.and_then(|at| answered(episode, at)) {
            replaced = replaced.replace(&format!("<{id}_result>"), result);
        }
    }
    replaced
}
