//! Tools that are made up for one transcript, so that names and arguments must be read from the list and the request,
//! and cannot be learnt by heart.

use fastrand::Rng;
use serde_json::{Value, json};

use super::tool::one;

const VERBS: &[&str] =
    &["get", "show", "delete", "update", "check", "open", "close", "lock", "start", "stop", "export"];
const NOUNS: &[&str] = &[
    "user", "ticket", "sensor", "invoice", "server", "project", "door", "lamp", "ship", "parcel", "table", "task",
    "room", "device", "account", "record", "job", "pump", "camera", "contract",
];
const KEYS: &[&str] = &["id", "number", "name", "key", "code"];

/// A made-up tool with one argument, and a call of it.
pub(super) struct Generic {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) ask: String,
    pub(super) arguments: Value,
    pub(super) result: Value,
    pub(super) answer: String,
}

/// A tool of random words.
pub(super) fn generic(rng: &mut Rng) -> Generic {
    let (verb, noun, key) = (one(rng, VERBS), one(rng, NOUNS), one(rng, KEYS));
    let name = format!("{verb}_{noun}");
    let value = if rng.bool() {
        format!("{}", rng.u32(1..100_000))
    } else {
        let letter = |rng: &mut Rng| char::from(b'A' + rng.u8(..26));
        format!("{}{}-{}", letter(rng), letter(rng), rng.u32(1..10_000))
    };
    let schema = json!({
        "name": name,
        "description": format!("{} a {noun} by its {key}", capital(verb)),
        "parameters": {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]},
    });
    let ask = match rng.u8(..3) {
        0 => format!("{} {noun} {value}", capital(verb)),
        1 => format!("Please {verb} the {noun} with {key} {value}."),
        _ => format!("Can you {verb} {noun} {value}?"),
    };
    let state = one(rng, &["ok", "done", "not found", "busy", "active"]);
    Generic {
        answer: format!("I called {name} for {value}: {state}."),
        arguments: json!({key: value}),
        result: json!({"status": state}),
        name,
        schema,
        ask,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}
