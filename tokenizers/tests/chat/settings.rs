//! Settings that change what a request costs: each format has its own words for them.

use serde_json::{Value, json};
use tollgate_tokenizers::chat::{Format, Request, read};

use super::published::total;

/// A small request in a format, with these settings.
fn request(format: Format, settings: &Value) -> Request {
    let hello = json!([{"role": "user", "content": "hello"}]);
    let mut body = match format {
        Format::OpenaiChat | Format::Anthropic => json!({"messages": hello}),
        Format::OpenaiResponses => json!({"input": "hello"}),
        Format::Gemini => json!({"contents": [{"parts": [{"text": "hello"}]}]}),
        Format::BedrockConverse => json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
    };
    for (name, value) in settings.as_object().expect("an object") {
        body[name] = value.clone();
    }
    read(format, &body).expect("a sound body")
}

#[test]
fn thinking_is_asked_for() {
    use Format::{Anthropic, BedrockConverse, Gemini, OpenaiChat, OpenaiResponses};
    let bedrock = |wish: Value| json!({"additionalModelRequestFields": wish});
    let gemini = |wish: Value| json!({"generationConfig": {"thinkingConfig": wish}});
    let rows = [
        (Anthropic, json!({}), false),
        (Anthropic, json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}), true),
        (Anthropic, json!({"thinking": {"type": "disabled"}}), false),
        (Anthropic, json!({"thinking": {"type": "adaptive"}}), false),
        (BedrockConverse, bedrock(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})), true),
        (BedrockConverse, bedrock(json!({"reasoning_config": {"type": "enabled"}})), true),
        (BedrockConverse, bedrock(json!({"thinking": {"type": "adaptive"}})), false),
        (BedrockConverse, bedrock(json!({"reasoningConfig": {"type": "disabled"}})), false),
        (BedrockConverse, bedrock(json!({"reasoning_effort": "high"})), true),
        (BedrockConverse, bedrock(json!({"reasoning_effort": "none"})), false),
        (OpenaiChat, json!({"reasoning_effort": "low"}), true),
        (OpenaiChat, json!({"reasoning_effort": "none"}), false),
        (OpenaiChat, json!({"reasoning_effort": null}), false),
        (OpenaiChat, json!({"reasoning": {"max_tokens": 2000}}), true),
        (OpenaiChat, json!({"reasoning": {"max_tokens": 0}}), false),
        (OpenaiChat, json!({"reasoning": {"enabled": true}}), true),
        (OpenaiChat, json!({"reasoning": {"enabled": false, "effort": "high"}}), false),
        (OpenaiChat, json!({"thinking": {"type": "enabled"}}), true),
        (OpenaiChat, json!({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}), false),
        (OpenaiResponses, json!({"reasoning": {"effort": "high"}}), true),
        (OpenaiResponses, json!({"reasoning": {"effort": "none"}}), false),
        (OpenaiResponses, json!({"reasoning": {"summary": "auto"}}), true),
        (Gemini, gemini(json!({"thinkingBudget": 1024})), true),
        (Gemini, gemini(json!({"thinkingLevel": "low"})), true),
        (Gemini, gemini(json!({"thinkingBudget": 0})), false),
    ];
    for (format, settings, expected) in rows {
        assert_eq!(request(format, &settings).thinking, expected, "{format:?} {settings}");
    }
}

#[test]
fn calls_may_come_at_once() {
    use Format::{Anthropic, OpenaiChat, OpenaiResponses};
    let choice = |disabled: bool| json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": disabled}});
    let rows = [
        (OpenaiChat, json!({}), true),
        (OpenaiChat, json!({"parallel_tool_calls": false}), false),
        (OpenaiChat, json!({"parallel_tool_calls": null}), true),
        (OpenaiResponses, json!({"parallel_tool_calls": true}), true),
        (OpenaiResponses, json!({"parallel_tool_calls": false}), false),
        (Anthropic, choice(false), true),
        (Anthropic, choice(true), false),
    ];
    for (format, settings, expected) in rows {
        assert_eq!(request(format, &settings).parallel_calls, expected, "{format:?} {settings}");
    }
    let tool = json!({"type": "function", "name": "look", "parameters": {"type": "object"}});
    let body = |at_once: bool| json!({"input": "hello", "tools": [tool], "parallel_tool_calls": at_once});
    let [at_once, one_by_one] = [true, false].map(|it| total("gpt-5", Format::OpenaiResponses, &body(it)));
    assert_eq!(one_by_one, at_once + 78);
}

/// A tool that is loaded later is charged once a search has found it.
#[test]
fn deferred_tools_wait_until_they_are_found() {
    let tool = |name: &str, deferred: bool| json!({"name": name, "input_schema": {}, "defer_loading": deferred});
    let tools = json!([tool("search", false), tool("look", true), tool("stop", true)]);
    let found = |block: Value| {
        json!([
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "search", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [block.clone()]}, block]},
        ])
    };
    let reference = json!({"type": "tool_reference", "tool_name": "look"});
    let rows = [
        (json!([{"role": "user", "content": "Use the tool_reference look."}]), 1),
        (found(json!({"type": "text", "text": "look"})), 1),
        (found(reference.clone()), 2),
        (found(json!({"type": "tool_addition", "tool": {"type": "tool_reference", "name": "stop"}})), 2),
        (found(json!({"type": "tool_search_tool_result", "content": {"tool_references": [reference]}})), 2),
    ];
    for (messages, expected) in rows {
        let body = json!({"messages": messages, "tools": tools});
        assert_eq!(read(Format::Anthropic, &body).expect("a sound body").tools.len(), expected, "{messages}");
    }
}

/// What a seal of Gemini's hides has a bound, and only behind the last question.
#[test]
fn sealed_thoughts_have_a_bound() {
    let question = json!({"role": "user", "parts": [{"text": "hello"}]});
    let call = |seal: usize| {
        let seal = "s".repeat(seal);
        json!({"role": "model", "parts": [{"functionCall": {"name": "look"}, "thoughtSignature": seal}]})
    };
    let result = json!({"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {}}}]});
    let rows = [
        (json!([question, call(400), result]), vec![100]),
        (json!([question, call(401), result, call(8), result]), vec![101, 2]),
        (json!([question, call(400), result, question, call(8), result]), vec![2]),
        (json!([question, call(400), result, question]), vec![]),
    ];
    for (contents, expected) in rows {
        let request = read(Format::Gemini, &json!({"contents": contents})).expect("a sound body");
        let bounds: Vec<usize> = request.uncounted.iter().filter_map(|it| it.bound).collect();
        assert_eq!(bounds, expected, "{contents}");
    }
}

/// Of a function that is loaded later OpenAI's models see no parameters.
#[test]
fn deferred_functions_count_without_parameters() {
    let parameters =
        json!({"type": "object", "properties": {"path": {"type": "string", "description": "Where it is"}}});
    let body = |tool: Value| json!({"input": "hello", "tools": [{"type": "tool_search"}, tool]});
    let whole = json!({"type": "function", "name": "look", "description": "Looks", "parameters": parameters});
    let mut deferred = whole.clone();
    deferred["defer_loading"] = json!(true);
    let bare = json!({"type": "function", "name": "look", "description": "Looks"});
    let [whole, deferred, bare] =
        [whole, deferred, bare].map(|it| total("gpt-5.4", Format::OpenaiResponses, &body(it)));
    assert_eq!(deferred, bare);
    assert!(whole > deferred);
}

/// A conversation that the model begins costs Claude what two recorded requests were charged.
#[test]
fn claude_gives_a_conversation_a_beginning() {
    let said = json!({"role": "assistant", "content": "Hello there!"});
    let asked = json!({"role": "user", "content": "Now say goodbye."});
    let total = |messages: Value| total("claude-sonnet-4-5", Format::Anthropic, &json!({"messages": messages}));
    assert_eq!(total(json!([said, asked])), 29);
    assert_eq!(total(json!([asked, said, asked])), total(json!([said, asked, asked])) - 11);
}
