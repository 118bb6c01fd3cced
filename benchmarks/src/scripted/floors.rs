//! Models that know nothing: what they reach is what a suite gives away.

use serde_json::{Value, json};
use tollgate_planners::tools::CALL_TOOL;

use crate::episode::{Episode, Reply, Wanted};
use crate::random::Random;
use crate::schema::drawn;

/// Calls any tool that it sees, once; where there are none, guesses.
pub fn random(episode: &Episode, random: &mut Random) -> Reply {
    let seen: Vec<usize> = episode.listing.visible.iter().copied().collect();
    match random.pick(&seen) {
        Some(&tool) if is_first(episode) => called(episode, tool, random),
        _ => words(random.pick(&episode.task.guesses).map_or("I do not know.", String::as_str)),
    }
}

/// Calls the first tool of the list, once.
pub fn first_tool(episode: &Episode, random: &mut Random) -> Reply {
    match episode.listing.listed.first().or_else(|| episode.listing.visible.first()) {
        Some(&tool) if is_first(episode) => called(episode, tool, random),
        _ => words(episode.task.guesses.first().map_or("I do not know.", String::as_str)),
    }
}

/// Calls the tool whose name has most of the query's words, once; of equals the first.
pub fn name_match(episode: &Episode, random: &mut Random) -> Reply {
    let words_of = |text: &str| -> Vec<String> {
        let parts = text.split(|it: char| !it.is_alphanumeric()).filter(|it| it.len() > 1);
        parts.map(str::to_lowercase).collect()
    };
    let query = words_of(&episode.task.query);
    let shared = |tool: usize| {
        let name = words_of(&episode.shelf.tools.defs[tool].exposed);
        name.iter().filter(|it| query.contains(it)).count()
    };
    // The last of equals is the greatest for `max_by_key`, hence from behind.
    match episode.listing.visible.iter().rev().max_by_key(|&&tool| shared(tool)) {
        Some(&tool) if is_first(episode) => called(episode, tool, random),
        _ => words("I do not know."),
    }
}

/// Calls nothing.
pub fn abstain(_: &Episode, _: &mut Random) -> Reply {
    words("I cannot do this.")
}

fn is_first(episode: &Episode) -> bool {
    episode.messages.len() == 1
}

fn words(text: &str) -> Reply {
    Reply { text: text.to_owned(), ..Reply::default() }
}

/// With drawn arguments, in the way in which the tool can be reached.
fn called(episode: &Episode, tool: usize, random: &mut Random) -> Reply {
    let name = episode.shelf.tools.defs[tool].exposed.clone();
    let arguments = match drawn(&episode.shelf.tools.schema(tool).unwrap_or_default(), random) {
        object @ Value::Object(_) => object,
        _ => json!({}),
    };
    let call = match episode.listing.listed.contains(&tool) {
        true => Wanted { id: "only".to_owned(), name, arguments: arguments.to_string() },
        false => Wanted {
            id: "only".to_owned(),
            name: CALL_TOOL.to_owned(),
            arguments: json!({"name": name, "arguments": arguments}).to_string(),
        },
    };
    Reply { calls: vec![call], ..Reply::default() }
}
