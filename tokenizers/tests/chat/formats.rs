//! Formats told from bodies: certain where a field says so, and several where nothing does.

use serde_json::{Value, json};
use tollgate_tokenizers::chat::{Format, Request, guess, read};

#[test]
fn bodies_tell_their_format() {
    use Format::{Anthropic, BedrockConverse, Gemini, OpenaiChat, OpenaiResponses};
    let hello = json!([{"role": "user", "content": "hello"}]);
    let tool = |tool: Value| json!({"messages": hello, "tools": [tool]});
    let said = |role: &str, block: Value| json!({"messages": [{"role": role, "content": [block]}]});
    let rows: Vec<(Value, &[Format])> = vec![
        (json!({"contents": []}), &[Gemini]),
        (json!({"input": "hello"}), &[OpenaiResponses]),
        (json!({"model": "gpt-4o", "messages": hello}), &[OpenaiChat]),
        (json!({"model": "claude-sonnet-4-5", "messages": hello}), &[Anthropic]),
        (json!({"model": "anthropic/claude-sonnet-4.5", "messages": hello}), &[OpenaiChat]),
        (json!({"model": "claude-sonnet-4-5", "messages": hello, "stream_options": {}}), &[OpenaiChat]),
        (json!({"messages": hello, "system": "Be brief."}), &[Anthropic]),
        (json!({"messages": hello, "system": [{"type": "text", "text": "Be brief."}]}), &[Anthropic]),
        (json!({"messages": hello, "system": [{"text": "Be brief."}]}), &[BedrockConverse]),
        (json!({"messages": hello, "inferenceConfig": {}}), &[BedrockConverse]),
        (tool(json!({"type": "function", "function": {"name": "f"}})), &[OpenaiChat]),
        (tool(json!({"name": "f", "input_schema": {}})), &[Anthropic]),
        (said("user", json!({"text": "hello"})), &[BedrockConverse]),
        (said("user", json!({"type": "image_url", "image_url": {}})), &[OpenaiChat]),
        (said("user", json!({"type": "tool_result"})), &[Anthropic]),
        (said("developer", json!({"type": "text", "text": "hello"})), &[OpenaiChat]),
        (json!({"messages": hello}), &[OpenaiChat, Anthropic, BedrockConverse]),
        (json!({"messages": hello, "system": "Be brief.", "n": 1}), &[OpenaiChat, Anthropic]),
        (json!({"prompt": "hello"}), &[]),
        (json!([]), &[]),
        (json!(7), &[]),
    ];
    for (body, expected) in rows {
        assert_eq!(guess(&body), expected, "{body}");
    }
}

#[test]
fn names_are_told_apart() {
    for format in Format::ALL {
        assert_eq!(Format::by_name(format.name()), Some(format));
        assert_eq!(json!(format), json!(format.name()));
    }
    assert_eq!(Format::by_name("smoke-signals"), None);
}

/// Whether a body reads the same in two formats: plain messages do.
fn alike(one: Format, other: Format, body: &Value) -> bool {
    let request = |format| read(format, body).expect("a sound body");
    let (one, other) = (request(one), request(other));
    one == Request { format: one.format, ..other }
}

/// Where the recorded requests are installed: one format is the right one, and hardly any body leaves a choice.
#[test]
fn recorded_bodies_are_not_mistaken() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/token-counts");
    let kinds = [
        ("openai.chat", Format::OpenaiChat),
        ("other.chat", Format::OpenaiChat),
        ("openai.responses", Format::OpenaiResponses),
        ("anthropic.messages", Format::Anthropic),
        ("google.generate", Format::Gemini),
        ("bedrock.converse", Format::BedrockConverse),
    ];
    for (kind, format) in kinds {
        let path = folder.join(format!("{kind}.jsonl"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is absent", path.display());
            continue;
        };
        let (mut n, mut unsure) = (0, 0);
        for line in text.lines() {
            let recording: Value = serde_json::from_str(line).expect("a recording");
            let found = guess(&recording["request"]);
            let alike = |other: &Format| alike(*other, format, &recording["request"]);
            assert!(found.len() != 1 || found.iter().all(alike), "{kind}: {found:?} for {line:.300}");
            n += 1;
            unsure += usize::from(found.len() != 1);
        }
        assert!(unsure * 20 <= n, "{kind}: {unsure} of {n}");
    }
}
