//! Bodies that are no requests are refused with a path; content of unknown kinds is written down, never dropped.

use serde_json::{Value, json};
use tollgate_tokenizers::chat::{Family, Format, count_request, read};

#[test]
fn refused_with_a_path() {
    use Format::{Anthropic, BedrockConverse, Gemini, OpenaiChat, OpenaiResponses};
    let rows = [
        (OpenaiChat, json!([]), "`body` must be an object"),
        (OpenaiChat, json!({}), "`body.messages` is missing"),
        (OpenaiChat, json!({"messages": null}), "`body.messages` is missing"),
        (OpenaiChat, json!({"messages": {}}), "`messages` must be a list"),
        (OpenaiChat, json!({"messages": [{}]}), "`messages[0].role` is missing"),
        (OpenaiChat, json!({"messages": [{"role": 7}]}), "`messages[0].role` must be a string"),
        (
            OpenaiChat,
            json!({"messages": [{"role": "user", "content": 7}]}),
            "`messages[0].content` must be a string or a list of parts",
        ),
        (
            OpenaiChat,
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "`messages[0].content[0].text` is missing",
        ),
        (OpenaiChat, json!({"messages": [], "tools": [{"function": {}}]}), "`tools[0].function.name` is missing"),
        (OpenaiResponses, json!({}), "`body.input` is missing"),
        (OpenaiResponses, json!({"input": [{"type": "function_call"}]}), "`input[0].name` is missing"),
        (OpenaiResponses, json!({"input": "", "instructions": 7}), "`instructions` must be a string"),
        (
            Anthropic,
            json!({"messages": [{"role": "robot", "content": ""}]}),
            "`messages[0].role` must be user or assistant",
        ),
        (Anthropic, json!({"messages": [{"role": "user"}]}), "`messages[0].content` is missing"),
        (Gemini, json!({"contents": [{"parts": [{"text": 7}]}]}), "`contents[0].parts[0].text` must be a string"),
        (BedrockConverse, json!({"system": "hm"}), "`system` must be a list"),
        (
            BedrockConverse,
            json!({"messages": [{"role": "user", "content": "hm"}]}),
            "`messages[0].content` must be a list",
        ),
        (
            BedrockConverse,
            json!({"messages": [{"role": "user", "content": ["hm"]}]}),
            "`messages[0].content[0]` must be an object that names a kind of block",
        ),
        (
            BedrockConverse,
            json!({"messages": [{"role": "user", "content": [{"toolUse": {}}]}]}),
            "`messages[0].content[0].toolUse.name` is missing",
        ),
        (
            BedrockConverse,
            json!({"messages": [], "toolConfig": {"tools": [{"toolSpec": {}}]}}),
            "`toolConfig.tools[0].toolSpec.name` is missing",
        ),
        (
            BedrockConverse,
            json!({"messages": [], "outputConfig": {"textFormat": {
                "type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}},
            }}}),
            "`outputConfig.textFormat.structure.jsonSchema.schema` must be JSON in a string",
        ),
    ];
    for (format, body, expected) in rows {
        let error = read(format, &body).expect_err("a malformed body");
        assert_eq!(error.to_string(), expected, "{body}");
    }
}

#[test]
fn unknown_kinds_are_written_down() {
    use Format::{Anthropic, BedrockConverse, Gemini, OpenaiChat, OpenaiResponses};
    let said = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    let rows = [
        (OpenaiChat, said(json!({"type": "hologram", "data": "x"})), true),
        (OpenaiChat, said(json!({"type": "input_audio"})), false),
        (OpenaiResponses, json!({"input": "hello", "previous_response_id": "r"}), false),
        (OpenaiResponses, json!({"input": "hello", "tools": [{"type": "web_search"}]}), false),
        (OpenaiResponses, json!({"input": [{"type": "teleport_call"}]}), true),
        (Anthropic, said(json!({"type": "thinking", "thinking": "hm"})), true),
        (Anthropic, said(json!({"type": "document"})), false),
        (Gemini, json!({"contents": [], "cachedContent": "c"}), false),
        (Gemini, json!({"contents": [{"parts": [{"fileData": {}}]}]}), false),
        (BedrockConverse, said(json!({"video": {}})), false),
        (BedrockConverse, said(json!({"reasoningContent": {"redactedContent": "x"}})), false),
        (BedrockConverse, said(json!({"reasoningContent": {"reasoningText": {"text": "hm"}}})), true),
        (BedrockConverse, said(json!({"hologram": {"bytes": "x"}})), true),
        (BedrockConverse, json!({"messages": [], "toolConfig": {"tools": [{"systemTool": {"name": "t"}}]}}), false),
    ];
    for (format, body, bounded) in rows {
        let request = read(format, &body).expect("a sound body");
        assert_eq!(request.uncounted.len(), 1, "{body}");
        let family = Family::of_model("gpt-4o");
        let tokenizer = tollgate_tokenizers::Tokenizer::by_name(family.tokenizer).expect("a known tokenizer");
        assert_eq!(count_request(family, tokenizer, &request).error_bound.is_some(), bounded, "{body}");
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let body = json!({"messages": [{"role": "user", "content": "hello", "mood": 7}], "moon": {"phase": []}});
    let request = read(Format::OpenaiChat, &body).expect("a sound body");
    assert_eq!((request.messages.len(), request.uncounted.len()), (1, 0));
}
