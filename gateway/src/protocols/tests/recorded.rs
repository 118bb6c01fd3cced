//! Recorded requests through every format and back.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::{canonical::canonical, target};
use crate::protocols::{Encoded, PROTOCOLS, Protocol, protocol};

/// Files of recordings and the format that they are in.
const FILES: &[(&str, &str)] = &[
    ("openai.chat", "openai-chat"),
    ("azure.chat", "openai-chat"),
    ("other.chat", "openai-chat"),
    ("google.chat", "openai-chat"),
    ("bedrock.chat", "openai-chat"),
    ("anthropic.chat", "openai-chat"),
    ("openai.responses", "openai-responses"),
    ("azure.responses", "openai-responses"),
    ("other.responses", "openai-responses"),
    ("bedrock.responses", "openai-responses"),
    ("openai.responses.input_tokens", "openai-responses"),
    ("anthropic.messages", "anthropic"),
    ("anthropic.count_tokens", "anthropic"),
    ("other.messages", "anthropic"),
];

fn recordings() -> Vec<(String, &'static Protocol, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/token-counts");
    let mut found = Vec::new();
    for (file, name) in FILES {
        let Ok(text) = fs::read_to_string(folder.join(format!("{file}.jsonl"))) else {
            println!("skipped: no recordings of {file}");
            continue;
        };
        for (idx, line) in text.lines().enumerate() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            found.push((format!("{file}:{}", idx + 1), protocol(name).unwrap(), line["request"].take()));
        }
    }
    found
}

/// What a refusal is about, without places and names.
fn reason(message: &str) -> String {
    let words = message.split('`').enumerate().map(|(n, it)| if n == 1 { field_kind(it) } else { it.to_owned() });
    words.collect::<Vec<_>>().join("`")
}

fn field_kind(field: &str) -> String {
    field.chars().filter(|it| !it.is_ascii_digit()).collect()
}

#[test]
fn recorded_requests_keep_their_meaning_through_every_format() {
    let mut counts = BTreeMap::<String, (usize, usize)>::new();
    let mut changed = Vec::new();
    let mut refusals = BTreeMap::<String, usize>::new();
    for (place, from, request) in recordings() {
        let body = serde_json::to_vec(&request).unwrap();
        for via in PROTOCOLS {
            let count = counts.entry(format!("{} via {}", from.name, via.name)).or_default();
            match through(from, via, &body) {
                Ok((before, after)) if before == after => count.0 += 1,
                Ok((before, after)) => {
                    changed.push(format!("{place} via {}\n{}", via.name, difference(&before, &after)))
                }
                Err(message) => {
                    count.1 += 1;
                    *refusals.entry(format!("{} -> {}: {}", from.name, via.name, reason(&message))).or_default() += 1;
                }
            }
        }
    }
    for (way, (kept, refused)) in counts {
        println!("{way}: {kept} kept, {refused} refused");
        // What is refused uses the vendor's own tools and memory for the most part; see the reasons below.
        assert!(refused * 3 < kept + refused, "{way}: {kept} kept, {refused} refused");
    }
    for (why, n) in refusals {
        println!("{n:4} {why}");
    }
    assert!(changed.is_empty(), "{} changed\n{}", changed.len(), changed.join("\n"));
}

/// The lines from the first to the last difference.
fn difference(before: &str, after: &str) -> String {
    let same = before.lines().zip(after.lines()).take_while(|(left, right)| left == right).count();
    let rest = |text: &str| text.lines().skip(same).take(3).collect::<Vec<_>>().join("\n");
    format!("- {}\n+ {}", rest(before), rest(after))
}

fn through(from: &Protocol, via: &Protocol, body: &[u8]) -> Result<(String, String), String> {
    let before = (from.decode_request)(body).map_err(|it| it.message)?;
    let Encoded { body: there, .. } = (via.encode_request)(&before, &target()).map_err(|it| it.message)?;
    let there = (via.decode_request)(&there).unwrap_or_else(|it| panic!("{it:?}: {}", String::from_utf8_lossy(&there)));
    let back = (from.encode_request)(&there, &target()).unwrap_or_else(|it| panic!("back: {it:?}"));
    let mut after = (from.decode_request)(&back.body).unwrap();
    // Anthropic wants a number where the others want none.
    if before.max_tokens.is_none() {
        after.max_tokens = None;
    }
    let form = |it| serde_json::to_string_pretty(&canonical(it, via.format)).unwrap();
    Ok((form(&before), form(&after)))
}

/// Every string, number and `true` of a body with its place. Text that is a JSON object counts as one: formats differ in
/// how they write arguments.
fn leaves(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(&format!("{path}{dot}{key}"), value, out);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(idx, it)| leaves(&format!("{path}[{idx}]"), it, out));
        }
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ Value::Object(_)) => leaves(path, &inner, out),
            _ if text.is_empty() => {}
            _ => out.push((path.to_owned(), text.clone())),
        },
        Value::Number(number) => out.push((path.to_owned(), number.as_f64().unwrap().to_string())),
        Value::Bool(true) => out.push((path.to_owned(), "true".to_owned())),
        Value::Bool(false) | Value::Null => {}
    }
}

/// Members whose values are words of the format; what they stand for is compared in the canonical form.
const WORDS: &[&str] =
    &["type", "role", "tool_choice", "mode", "index", "include_usage", "strict", "disable_parallel_tool_use", "format"];

/// Whether Anthropic takes the id as it is; others are spelled anew, call and result alike.
fn is_plain_id(id: &str) -> bool {
    id.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
}

#[test]
fn nothing_of_a_recorded_request_is_lost_silently() {
    let mut lost = Vec::new();
    for (place, from, request) in recordings() {
        let before = (from.decode_request)(&serde_json::to_vec(&request).unwrap()).unwrap();
        let mut wanted = Vec::new();
        leaves("", &request, &mut wanted);
        for via in PROTOCOLS {
            let Ok(there) = (via.encode_request)(&before, &target()) else { continue };
            let mut found = Vec::new();
            leaves("", &serde_json::from_slice(&there.body).unwrap(), &mut found);
            let found: HashSet<_> = found.into_iter().map(|(_, it)| it).collect();
            let is_told = |path: &str| there.dropped.iter().any(|it| path.starts_with(&it.field));
            let is_word = |path: &str| WORDS.contains(&path.rsplit('.').next().unwrap_or_default());
            let is_respelled =
                |path: &str, it: &str| path.ends_with("id") && via.name == "anthropic" && !is_plain_id(it);
            // No effort at all is `thinking` that is disabled.
            let is_none = |path: &str, it: &str| path.contains("effort") && it == "none";
            let missing = wanted.iter().filter(|(path, it)| !found.contains(it) && !is_word(path) && !is_told(path));
            let missing = missing.filter(|(path, it)| !is_respelled(path, it) && !is_none(path, it));
            lost.extend(missing.map(|(path, it)| format!("{place} as {}: {path} = {it}", via.name)));
        }
    }
    assert!(lost.is_empty(), "{} values lost\n{}", lost.len(), lost.join("\n"));
}
