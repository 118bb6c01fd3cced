//! Tools that come apart from their body are read and counted as within it, at first sight and later.

use std::path::Path;

use serde_json::{Value, json};
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Family, Format, Request, ToolSets, count_request, read},
};

fn counted(request: &Request) -> (usize, Vec<(String, i64)>) {
    let family = Family::of_model(request.model.as_deref().unwrap_or("gpt-4o"));
    let by = Tokenizer::by_name(family.tokenizer).expect("a tokenizer of this build");
    let count = count_request(family, by, request);
    (count.total, count.parts.iter().map(|it| (format!("{:?}", it.what), it.tokens)).collect())
}

fn check(sets: &ToolSets, format: Format, body: &Value) {
    let Some(tools) = body.get("tools").map(Value::to_string) else { return };
    let mut rest = body.clone();
    rest["tools"] = Value::Null;
    let whole = read(format, body);
    for _ in 0..2 {
        let apart = sets.read(format, &rest, tools.as_bytes());
        match (&whole, apart) {
            (Ok(whole), Ok(mut apart)) => {
                let mut whole = whole.clone();
                // Their order is no matter.
                for it in [&mut whole, &mut apart] {
                    it.uncounted.sort_by(|one, other| one.path.cmp(&other.path));
                }
                assert!(whole == apart, "{body:.2000}");
                assert_eq!(counted(&whole), counted(&apart), "{body}");
            }
            (whole, apart) => assert_eq!(whole.as_ref().err(), apart.as_ref().err(), "{body}"),
        }
    }
}

#[test]
fn recorded_bodies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/token-counts");
    let sets = ToolSets::default();
    let kinds = [
        ("openai.chat", Format::OpenaiChat),
        ("other.chat", Format::OpenaiChat),
        ("openai.responses", Format::OpenaiResponses),
        ("anthropic.messages", Format::Anthropic),
    ];
    for (kind, format) in kinds {
        let path = folder.join(format!("{kind}.jsonl"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is absent", path.display());
            continue;
        };
        for line in text.lines() {
            let recording: Value = serde_json::from_str(line).expect("a recording");
            let mut body = recording["request"].clone();
            if body.get("model").is_none() {
                body["model"] = recording["model"].clone();
            }
            check(&sets, format, &body);
        }
    }
}

#[test]
fn tools_that_depend_on_the_conversation() {
    let sets = ToolSets::default();
    let hello = json!([{"role": "user", "content": "hello"}]);
    let found = json!([
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
            "content": [{"type": "tool_reference", "tool_name": "late"}]}]},
    ]);
    let late = json!([{"name": "late", "input_schema": {"type": "object"}, "defer_loading": true}]);
    for messages in [&hello, &found] {
        check(&sets, Format::Anthropic, &json!({"model": "claude-opus-4-5", "messages": messages, "tools": late}));
    }
    let tools = json!([{"type": "function", "function": {"name": "new"}}]);
    let both = json!({"model": "gpt-4o", "messages": hello, "tools": tools, "functions": [{"name": "old"}]});
    check(&sets, Format::OpenaiChat, &both);
}

#[test]
fn tools_that_cannot_be_read() {
    let sets = ToolSets::default();
    let hello = json!({"messages": [{"role": "user", "content": "hello"}]});
    for tools in [json!({}), json!("x"), json!([{"function": {}}]), json!([{"type": "web_search"}])] {
        let mut body = hello.clone();
        body["tools"] = tools;
        check(&sets, Format::OpenaiChat, &body);
    }
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let error = sets.read(Format::OpenaiChat, &hello, deep.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "`tools` must be JSON, not nested too deep");
}

/// More tools than are kept: the ones used last stay, and nothing is confused.
#[test]
fn more_sets_than_are_kept() {
    let sets = ToolSets::default();
    for round in 0..600 {
        let name = format!("tool_{}", round % 300);
        let tools = json!([{"type": "function", "function": {"name": name, "description": "x".repeat(40_000)}}]);
        let hello = json!({"messages": [{"role": "user", "content": "hello"}]});
        let request = sets.read(Format::OpenaiChat, &hello, tools.to_string().as_bytes()).expect("sound tools");
        assert_eq!(request.tools[0].name, name);
    }
}
