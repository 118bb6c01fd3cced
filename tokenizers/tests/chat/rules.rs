//! Families by name, counts part by part, and the published prices of pictures.

use serde_json::json;
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Detail, Family, Format, Image, ImageRule, Kind, What, count_request, read},
};

use super::published::total;

#[test]
fn families() {
    let rows = [
        ("gpt-4", "gpt-4"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-3.5-turbo", "gpt-4"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/gpt-4.1-nano", "gpt-4o"),
        ("o3-mini", "o-series"),
        ("openai.gpt-5.6-luna", "gpt-5"),
        ("openai/gpt-oss-120b", "gpt-oss"),
        ("claude-3-5-sonnet-20240620", "claude-3"),
        ("claude-sonnet-4-20250514", "claude-4"),
        ("claude-sonnet-4", "claude-4"),
        ("anthropic/claude-opus-4", "claude-4"),
        ("anthropic/claude-haiku-4.5", "claude-4.5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4.5"),
        ("claude-sonnet-4", "claude-4"),
        ("anthropic/claude-4.5-haiku-20251001", "claude-4.5"),
        ("claude-opus-4-8", "claude-5"),
        ("anthropic.claude-v2", "claude-3"),
        ("anthropic.claude-v2:1", "claude-3"),
        ("claude-2.1", "claude-3"),
        ("gemini-2.5-flash", "gemini-2"),
        ("gemini-3-pro-preview", "gemini-3"),
        ("qwen/qwen3-32b", "open"),
        ("", "open"),
    ];
    for (model, expected) in rows {
        assert_eq!(Family::of_model(model).name, expected, "{model}");
    }
}

#[test]
fn plain() {
    let hello = json!({"messages": [{"role": "user", "content": "hello"}]});
    let told = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]});
    let rows = [("gpt-4", &hello, 8), ("gpt-4o", &hello, 8), ("gpt-4o", &told, 8), ("gpt-5", &hello, 7)];
    for (model, body, expected) in rows {
        assert_eq!(total(model, Format::OpenaiChat, body), expected, "{model} {body}");
    }
    let body = json!({"input": "hello", "instructions": ""});
    assert_eq!(total("gpt-4o", Format::OpenaiResponses, &body), 8);
}

#[test]
fn parts_add_up() {
    let picture = super::images::png_url(64, 64);
    let body = json!({
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": picture, "detail": "low"}},
        ]}],
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks it up.", "parameters": {}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "Answer", "schema": {"type": "object"}}},
    });
    for family in &tollgate_tokenizers::chat::FAMILIES {
        let request = read(Format::OpenaiChat, &body).expect("a sound body");
        let tokenizer = Tokenizer::by_name(family.tokenizer).expect("a known tokenizer");
        let count = count_request(family, tokenizer, &request);
        let sum: i64 = count.parts.iter().map(|part| part.tokens).sum();
        assert_eq!(sum, count.total as i64, "{}", family.name);
        assert!(count.parts.iter().any(|part| part.what == What::Tool(0)), "{}", family.name);
        assert!(count.error_bound.is_some(), "{}", family.name);
        assert_eq!(
            count.kind == Kind::ExactRule,
            family.name.starts_with("gpt-4") || family.name == "gpt-5" || family.name == "o-series"
        );
    }
}

/// Over Responses, gpt-5 is told how to call tools only where calls must come one by one; over chat always, in a message
/// of its own.
#[test]
fn the_manual_of_gpt_5() {
    let tool = json!({"name": "look", "description": "Looks it up.", "parameters": {}});
    let chat = json!({
        "messages": [{"role": "user", "content": "hello"}], "tools": [{"type": "function", "function": tool}],
    });
    let mut request = read(Format::OpenaiChat, &chat).expect("a sound body");
    let tokenizer = Tokenizer::by_name("o200k_base").expect("a known tokenizer");
    let mut total = |format, parallel_calls| {
        (request.format, request.parallel_calls) = (format, parallel_calls);
        count_request(Family::of_model("gpt-5"), tokenizer, &request).total
    };
    let least = total(Format::OpenaiResponses, true);
    assert_eq!(total(Format::OpenaiResponses, false), least + 78);
    assert_eq!(total(Format::OpenaiChat, true), least + 82);
}

#[test]
fn schemas_lose_what_is_not_rendered() {
    let body = |schema: serde_json::Value, strict: bool| {
        let format = json!({"name": "Answer", "schema": schema, "strict": strict});
        json!({
            "messages": [{"role": "user", "content": "hello"}],
            "response_format": {"type": "json_schema", "json_schema": format},
        })
    };
    let bare = json!({"type": "object", "properties": {"required": {"type": "boolean"}}});
    let mut full = bare.clone();
    full["required"] = json!(["required"]);
    full["additionalProperties"] = json!(false);
    for model in ["gpt-4o", "gpt-5"] {
        let expected = total(model, Format::OpenaiChat, &body(bare.clone(), true));
        assert_eq!(total(model, Format::OpenaiChat, &body(full.clone(), false)), expected, "{model}");
    }
}

/// Only where the model may call at will, Claude 4.5 is told of parallel calls.
#[test]
fn claude_is_told_of_parallel_calls() {
    let body = |choice: &str, disabled: bool| {
        json!({
            "messages": [{"role": "user", "content": "hello"}],
            "tools": [{"name": "look", "description": "Looks it up.", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": choice, "disable_parallel_tool_use": disabled},
        })
    };
    let total = |choice, disabled| total("claude-sonnet-4-5", Format::Anthropic, &body(choice, disabled));
    assert!(total("auto", true) < total("auto", false));
    assert_eq!(total("any", true), total("any", false));
    assert!(total("any", false) > total("auto", false));
}

#[test]
fn pictures() {
    let tiles = ImageRule::of_openai("gpt-4o");
    let rows = [
        (tiles, (1024, 1024), Detail::High, 765),
        (tiles, (2048, 4096), Detail::High, 1105),
        (tiles, (4096, 8192), Detail::Low, 85),
        (ImageRule::of_openai("gpt-4.1-mini"), (1024, 1024), Detail::High, 1659),
        // The example of OpenAI's guide: 1,452 patches of the 2,400 it had at first.
        (ImageRule::Patches { percent: 100 }, (1800, 2400), Detail::High, 1452),
        (ImageRule::Patches { percent: 100 }, (1, 100_000), Detail::High, 1536),
        (ImageRule::Patches { percent: 100 }, (u32::MAX, u32::MAX), Detail::High, 1521),
        (ImageRule::Area, (200, 200), Detail::High, 54),
        (ImageRule::Area, (1000, 1000), Detail::High, 1334),
        (ImageRule::Area, (1092, 1092), Detail::High, 1590),
        (ImageRule::Gemini, (384, 384), Detail::High, 258),
        (ImageRule::Gemini, (1536, 768), Detail::High, 516),
        (ImageRule::Unknown, (9, 9), Detail::High, 0),
        (tiles, (0, 0), Detail::High, 255),
        (ImageRule::Area, (u32::MAX, u32::MAX), Detail::High, 1600),
    ];
    for (rule, size, detail, expected) in rows {
        assert_eq!(rule.tokens(Image { size: Some(size), detail }), expected, "{rule:?} {size:?}");
    }
}

/// A schema that refers to itself, and one whose references branch, are written down to a limit.
#[test]
fn endless_schemas() {
    let node = json!({"$ref": "#/$defs/Node"});
    let parameters = json!({
        "type": "object",
        "properties": {"root": node},
        "$defs": {"Node": {"type": "object", "properties": {"a": node, "b": node, "c": {"anyOf": [node, node]}}}},
    });
    let tool = json!({"type": "function", "function": {"name": "walk", "parameters": parameters}});
    let body = json!({"messages": [{"role": "user", "content": "hello"}], "tools": [tool]});
    assert!(total("gpt-4o", Format::OpenaiChat, &body) < 2_000_000);
}
