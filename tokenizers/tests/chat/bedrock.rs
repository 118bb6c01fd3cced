//! Bedrock's `Converse`: what it says becomes the same request that Anthropic's own format does.

use serde_json::json;
use tollgate_tokenizers::chat::{Content, Format, Image, Request, Role, ToolChoice, read};

use super::{
    images::{SIZE, png},
    published::total,
};

fn converse() -> Request {
    let body = json!({
        "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "And here?"}, {"image": {"format": "png", "source": {"bytes": png(SIZE)}}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": 7}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"n": 1}}, {"text": "ok"}]}}]},
            {"role": "user", "content": [{"guardContent": {"text": {"text": "Safe?", "qualifiers": ["query"]}}}]},
        ],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "look", "description": "Looks.", "inputSchema": {"json": {"type": "object"}}}},
                {"cachePoint": {"type": "default"}}],
            "toolChoice": {"tool": {"name": "look"}},
        },
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
            "name": "Answer", "description": "It.", "schema": "{\"type\": \"object\"}",
        }}}},
    });
    read(Format::BedrockConverse, &body).expect("a sound body")
}

#[test]
fn every_part_is_read() {
    let request = converse();
    assert_eq!(request.model.as_deref(), Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"));
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User, Role::User]);
    let texts: Vec<String> = request.messages.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["Be brief.", "And here?", "", "", "Safe?"]);
    let images: Vec<&Image> = request
        .contents()
        .filter_map(|content| if let Content::Image(image) = content { Some(image) } else { None })
        .collect();
    assert_eq!(images.iter().map(|image| image.size).collect::<Vec<_>>(), [Some(SIZE)]);
    let call = request.messages[2].calls().next().expect("a call");
    assert_eq!((&*call.name, &*call.arguments), ("look", r#"{"at":7}"#));
    let Content::Result(result) = &request.messages[3].content[0] else { panic!("no result") };
    assert_eq!((&*result.name, &*result.text), ("look", r#"{"n":1}ok"#));
    assert_eq!(request.tools.len(), 1);
    assert_eq!(request.tools[0].parameters, json!({"type": "object"}));
    assert_eq!(request.tool_choice, ToolChoice::Named("look".into()));
    let response = request.response.expect("a schema");
    assert_eq!((&*response.name, &*response.description), ("Answer", "It."));
    assert_eq!(response.schema, json!({"type": "object"}));
    assert!(request.thinking);
    assert_eq!(request.uncounted, []);
}

/// A conversation costs the same in Bedrock's words and in Anthropic's.
#[test]
fn costs_what_it_does_elsewhere() {
    let bedrock = json!({
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "Which city is this?"}]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}]},
    });
    let anthropic = json!({
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Which city is this?"}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    });
    for model in ["claude-3-5-haiku", "claude-sonnet-4-5", "gpt-oss-120b", "llama-4"] {
        let there = total(model, Format::BedrockConverse, &bedrock);
        assert_eq!(there, total(model, Format::Anthropic, &anthropic), "{model}");
        assert!(there > 20, "{model}: {there}");
    }
}
