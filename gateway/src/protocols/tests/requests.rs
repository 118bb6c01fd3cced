//! What requests of one format become in another, and what is refused.

use serde_json::{Value, json};

use super::target;
use crate::protocols::{ApiError, Encoded, PROTOCOLS, Target, check, protocol};

fn encode(from: &str, to: &str, body: &Value, target: &Target) -> Encoded {
    let body = serde_json::to_vec(body).unwrap();
    let request = (protocol(from).unwrap().decode_request)(&body).unwrap();
    (protocol(to).unwrap().encode_request)(&request, target).unwrap()
}

/// Both bodies are `base` of their format with the members that the row names.
fn check_way(from: &str, members: &Value, to: &str, expected: &Value, dropped: &[&str]) {
    let encoded = encode(from, to, &with(base(from), members), &target());
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let expected = with(sent(from, to), expected);
    assert_eq!(body, expected, "{members} of {from} as {to}");
    let told: Vec<_> = encoded.dropped.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(told, dropped, "{members} of {from} as {to}");
    assert!(encoded.dropped.iter().all(|it| !it.why.is_empty()));
}

fn with(mut body: Value, members: &Value) -> Value {
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn base(format: &str) -> Value {
    match format {
        "openai-responses" => json!({ "model": "m", "input": [{ "role": "user", "content": "hi" }] }),
        _ => json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] }),
    }
}

/// `base`, translated.
fn sent(from: &str, to: &str) -> Value {
    let text = json!([{ "type": "text", "text": "hi" }]);
    match to {
        "anthropic" => json!({ "model": "m", "max_tokens": 4096, "messages": [{ "role": "user", "content": text }] }),
        "openai-responses" if from != to => {
            json!({ "model": "m", "input": [{ "type": "message", "role": "user", "content": "hi" }], "store": false })
        }
        _ => base(to),
    }
}

const CHAT: &str = "openai-chat";
const RESPONSES: &str = "openai-responses";
const ANTHROPIC: &str = "anthropic";

#[test]
fn settings_take_the_words_of_the_target() {
    let schema = json!({ "type": "object", "properties": {} });
    let rows = [
        (CHAT, json!({"max_tokens": 9}), ANTHROPIC, json!({"max_tokens": 9}), vec![]),
        (CHAT, json!({"max_completion_tokens": 9}), RESPONSES, json!({"max_output_tokens": 9}), vec![]),
        (ANTHROPIC, json!({"max_tokens": 9}), CHAT, json!({"max_completion_tokens": 9}), vec![]),
        (CHAT, json!({"stop": "x"}), ANTHROPIC, json!({"stop_sequences": ["x"]}), vec![]),
        (ANTHROPIC, json!({"stop_sequences": ["x", "y"]}), CHAT, json!({"stop": ["x", "y"]}), vec![]),
        (CHAT, json!({"user": "u"}), ANTHROPIC, json!({"metadata": {"user_id": "u"}}), vec![]),
        (ANTHROPIC, json!({"metadata": {"user_id": "u"}}), RESPONSES, json!({"user": "u"}), vec![]),
        (CHAT, json!({"temperature": 0.50}), ANTHROPIC, json!({"temperature": 0.50}), vec![]),
        (CHAT, json!({"seed": 1, "service_tier": "flex"}), ANTHROPIC, json!({}), vec!["seed", "service_tier"]),
        (CHAT, json!({"service_tier": "flex"}), RESPONSES, json!({"service_tier": "flex"}), vec![]),
        (
            CHAT,
            json!({"n": 1, "frequency_penalty": 0.0, "logprobs": false}),
            CHAT,
            json!({"n": 1, "frequency_penalty": 0.0, "logprobs": false}),
            vec![],
        ),
        (
            CHAT,
            json!({"reasoning_effort": "high"}),
            ANTHROPIC,
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
            vec![],
        ),
        (CHAT, json!({"reasoning_effort": "none"}), ANTHROPIC, json!({"thinking": {"type": "disabled"}}), vec![]),
        (
            CHAT,
            json!({"reasoning_effort": "low"}),
            RESPONSES,
            json!({"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}),
            vec![],
        ),
        (
            ANTHROPIC,
            json!({"thinking": {"type": "enabled", "budget_tokens": 10000}}),
            CHAT,
            json!({"reasoning_effort": "medium"}),
            vec!["thinking.budget_tokens"],
        ),
        (RESPONSES, json!({"text": {"verbosity": "low"}}), CHAT, json!({"verbosity": "low"}), vec![]),
        (
            CHAT,
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": schema}}}),
            RESPONSES,
            json!({"text": {"format": {"type": "json_schema", "name": "a", "strict": true, "schema": schema}}}),
            vec![],
        ),
        (
            ANTHROPIC,
            json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}),
            CHAT,
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "response", "strict": true, "schema": schema}}}),
            vec![],
        ),
        (
            ANTHROPIC,
            json!({"output_format": {"type": "json_schema", "schema": schema}}),
            ANTHROPIC,
            json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}),
            vec![],
        ),
    ];
    for (from, members, to, expected, dropped) in rows {
        check_way(from, &members, to, &expected, &dropped);
    }
}

#[test]
fn tools_and_choices_take_the_words_of_the_target() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let chat = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}});
    let strict = json!({"type": "function", "function": {"name": "f", "parameters": schema, "strict": true}});
    let anthropic = json!({"name": "f", "description": "d", "input_schema": schema});
    let responses = json!({"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": false});
    let tools = |tool: &Value, rest: Value| with(json!({ "tools": [tool] }), &rest);
    let named = json!({"type": "function", "function": {"name": "f"}});
    let rows = [
        (CHAT, tools(&chat, json!({})), ANTHROPIC, tools(&anthropic, json!({}))),
        (CHAT, tools(&chat, json!({})), RESPONSES, tools(&responses, json!({}))),
        (
            CHAT,
            tools(&strict, json!({})),
            ANTHROPIC,
            tools(&json!({"name": "f", "input_schema": schema, "strict": true}), json!({})),
        ),
        (
            CHAT,
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            ANTHROPIC,
            json!({"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]}),
        ),
        (
            CHAT,
            tools(&chat, json!({"tool_choice": "required", "parallel_tool_calls": false})),
            ANTHROPIC,
            tools(&anthropic, json!({"tool_choice": {"type": "any", "disable_parallel_tool_use": true}})),
        ),
        (
            CHAT,
            tools(&chat, json!({"parallel_tool_calls": false})),
            ANTHROPIC,
            tools(&anthropic, json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})),
        ),
        (
            CHAT,
            tools(&chat, json!({"tool_choice": named})),
            ANTHROPIC,
            tools(&anthropic, json!({"tool_choice": {"type": "tool", "name": "f"}})),
        ),
        (
            ANTHROPIC,
            tools(&anthropic, json!({"tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true}})),
            CHAT,
            tools(&chat, json!({"tool_choice": named, "parallel_tool_calls": false})),
        ),
        (
            ANTHROPIC,
            tools(&anthropic, json!({"tool_choice": {"type": "none"}})),
            RESPONSES,
            tools(&responses, json!({"tool_choice": "none"})),
        ),
        (
            RESPONSES,
            tools(
                &responses,
                json!({"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}}),
            ),
            CHAT,
            json!({
                "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": false}}],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}},
            }),
        ),
    ];
    for (from, members, to, expected) in rows {
        check_way(from, &members, to, &expected, &[]);
    }
}

#[test]
fn the_old_names_of_tools_are_understood() {
    let schema = json!({ "type": "object", "properties": {} });
    let old = json!({"functions": [{"name": "f", "parameters": schema}], "function_call": {"name": "f"}});
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": schema}});
    let choice = json!({"type": "function", "function": {"name": "f"}});
    check_way(CHAT, &old, CHAT, &json!({ "tools": [tool], "tool_choice": choice }), &[]);
}

#[test]
fn conversations_take_the_shape_of_the_target() {
    let chat = json!([
        {"role": "system", "content": "s"},
        {"role": "user", "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
        ]},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "a.1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "a.1", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "go on"},
    ]);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0="});
    let anthropic = json!({
        "system": [{"type": "text", "text": "s"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image", "source": source}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call-a_2e1", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call-a_2e1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "b", "content": "two"},
                {"type": "text", "text": "go on"},
            ]},
        ],
    });
    check_way(CHAT, &json!({ "messages": chat }), ANTHROPIC, &anthropic, &[]);
    let responses = json!({ "instructions": "s", "input": [
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "look"},
            {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0="},
        ]},
        {"type": "message", "role": "assistant", "content": ""},
        {"type": "function_call", "call_id": "a.1", "name": "f", "arguments": "{\"x\": 1}"},
        {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a.1", "output": "one"},
        {"type": "function_call_output", "call_id": "b", "output": "two"},
        {"type": "message", "role": "user", "content": "go on"},
    ]});
    check_way(CHAT, &json!({ "messages": chat }), RESPONSES, &responses, &[]);
}

#[test]
fn the_parts_of_a_turn_become_one_chat_message() {
    let input = json!([
        {"role": "user", "content": "q"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "wait"}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
        {"type": "function_call_output", "call_id": "b", "output": "2"},
    ]);
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let messages = json!([
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "wait", "tool_calls": [call("a"), call("b")]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]);
    check_way(RESPONSES, &json!({ "input": input }), CHAT, &json!({ "messages": messages }), &["input[1]"]);
}

/// A thought goes to its own vendor with its seal, whichever format carried it in between.
#[test]
fn thoughts_return_to_their_own_vendor() {
    let user = json!({"role": "user", "content": "q"});
    let end = json!({"role": "user", "content": [{"type": "text", "text": "go on"}]});
    let thinking = json!({"type": "thinking", "thinking": "hm", "signature": "Eq=="});
    let expected = json!({ "messages": [
        {"role": "user", "content": [{"type": "text", "text": "q"}]},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "a"}]},
        end,
    ]});
    let detail = json!([{"type": "reasoning.text", "text": "hm", "signature": "Eq==", "format": "anthropic-claude-v1", "index": 0}]);
    let chat = json!([user, {"role": "assistant", "content": "a", "reasoning_details": detail}, {"role": "user", "content": "go on"}]);
    check_way(CHAT, &json!({ "messages": chat }), ANTHROPIC, &expected, &["messages[1].reasoning_details"]);
    let input = json!([
        user,
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "tollgate:anthropic-signature:Eq=="},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "go on"},
    ]);
    check_way(RESPONSES, &json!({ "input": input }), ANTHROPIC, &expected, &[]);
    let foreign = json!({"type": "thinking", "thinking": "hm", "signature": "tollgate:openai:rs_1:gAAA"});
    let messages = json!([user, {"role": "assistant", "content": [foreign]}, user]);
    let item = |it: &str| json!({"type": "message", "role": "user", "content": it});
    let reasoning = json!({
        "id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA",
    });
    let input = json!({ "input": [item("q"), reasoning, item("q")] });
    check_way(ANTHROPIC, &json!({ "messages": messages }), RESPONSES, &input, &[]);
    check_way(
        ANTHROPIC,
        &json!({ "messages": [user, {"role": "assistant", "content": [thinking]}, user] }),
        RESPONSES,
        &json!({ "input": [item("q"), item("q")] }),
        &["messages[1].content[0]"],
    );
}

#[test]
fn marks_of_one_vendor_are_dropped_with_a_note() {
    let cache = json!({"type": "ephemeral"});
    let text = json!([{"type": "text", "text": "hi", "cache_control": cache}]);
    let messages = json!([{"role": "user", "content": text}]);
    let plain = json!([{"role": "user", "content": "hi"}]);
    let dropped = ["messages[0].content[0].cache_control"];
    check_way(ANTHROPIC, &json!({ "messages": messages }), ANTHROPIC, &json!({ "messages": messages }), &[]);
    check_way(ANTHROPIC, &json!({ "messages": messages }), CHAT, &json!({ "messages": plain }), &dropped);
    check_way(CHAT, &json!({ "messages": messages }), ANTHROPIC, &json!({ "messages": messages }), &[]);
    let failed = json!([
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "no such file", "is_error": true}]},
    ]);
    let encoded = encode(ANTHROPIC, CHAT, &json!({ "model": "m", "messages": failed }), &target());
    assert_eq!(encoded.dropped[0].field, "messages[2].content[0].is_error");
}

#[test]
fn models_and_limits_come_from_the_catalogue() {
    let body = with(base(CHAT), &json!({ "reasoning_effort": "high", "max_tokens": 8000 }));
    let by_budget = Target { model: Some("c".into()), thinks_by_budget: true, ..Target::default() };
    let sent: Value = serde_json::from_slice(&encode(CHAT, ANTHROPIC, &body, &by_budget).body).unwrap();
    assert_eq!((&sent["model"], &sent["thinking"]), (&json!("c"), &json!({"type": "enabled", "budget_tokens": 7999})));
    let old = Target { has_old_max_tokens: true, ..Target::default() };
    let sent: Value = serde_json::from_slice(&encode(CHAT, CHAT, &body, &old).body).unwrap();
    assert_eq!((&sent["max_tokens"], &sent["max_completion_tokens"]), (&json!(8000), &Value::Null));
}

#[test]
fn what_changes_the_answer_is_refused_by_its_field() {
    let last = json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]);
    let part = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
    let call = |arguments: &str| json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": arguments}}]}, {"role": "user", "content": "q"}]});
    let picture = json!([{"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}]);
    let result = json!([{"type": "tool_result", "tool_use_id": "a", "content": picture}]);
    let rows = [
        (CHAT, json!({"n": 2}), ANTHROPIC, "n"),
        (CHAT, json!({"logprobs": true}), RESPONSES, "logprobs"),
        (CHAT, json!({"frequency_penalty": 0.5}), ANTHROPIC, "frequency_penalty"),
        (CHAT, json!({"logit_bias": {"1": 2}}), RESPONSES, "logit_bias"),
        (CHAT, json!({"temperature": 1.5}), ANTHROPIC, "temperature"),
        (CHAT, json!({"stop": "\n"}), ANTHROPIC, "stop"),
        (CHAT, json!({"stop": "x"}), RESPONSES, "stop"),
        (ANTHROPIC, json!({"stop_sequences": ["1", "2", "3", "4", "5"]}), CHAT, "stop_sequences"),
        (ANTHROPIC, json!({"top_k": 5}), RESPONSES, "top_k"),
        (CHAT, json!({"response_format": {"type": "json_object"}}), ANTHROPIC, "response_format.json_schema"),
        (CHAT, json!({"messages": last}), ANTHROPIC, "messages[1]"),
        (ANTHROPIC, json!({"messages": last}), CHAT, "messages[1]"),
        (CHAT, part(json!({"type": "input_audio", "input_audio": {}})), ANTHROPIC, "messages[0].content[0]"),
        (CHAT, part(json!({"type": "file", "file": {"file_id": "x"}})), ANTHROPIC, "messages[0].content[0]"),
        (
            CHAT,
            part(json!({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AA"}})),
            ANTHROPIC,
            "messages[0].content[0]",
        ),
        (CHAT, call("{"), ANTHROPIC, "messages[0]"),
        (CHAT, call("[]"), ANTHROPIC, "messages[0]"),
        (ANTHROPIC, json!({"messages": [{"role": "user", "content": result}]}), CHAT, "messages[0].content[0]"),
        (ANTHROPIC, json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}), CHAT, "tools[0]"),
        (ANTHROPIC, json!({"mcp_servers": [{}]}), RESPONSES, "mcp_servers"),
        (RESPONSES, json!({"previous_response_id": "resp_1"}), CHAT, "previous_response_id"),
        (RESPONSES, json!({"background": true}), ANTHROPIC, "background"),
        (RESPONSES, json!({"tools": [{"type": "web_search"}]}), ANTHROPIC, "tools[0]"),
        (RESPONSES, json!({"input": [{"type": "item_reference", "id": "x"}]}), CHAT, "input[0]"),
    ];
    for (from, members, to, field) in rows {
        let body = serde_json::to_vec(&with(base(from), &members)).unwrap();
        let request = (protocol(from).unwrap().decode_request)(&body).unwrap();
        let refusal = (protocol(to).unwrap().encode_request)(&request, &target()).unwrap_err();
        assert_eq!(refusal.field, field, "{members} of {from} as {to}: {}", refusal.message);
        assert!(refusal.message.contains(field), "{}", refusal.message);
        let same = (protocol(from).unwrap().encode_request)(&request, &target());
        assert!(same.is_ok(), "{members} of {from} as itself: {same:?}");
    }
}

#[test]
fn a_body_that_is_no_request_is_refused_in_the_callers_words() {
    let deep = format!(r#"{{"model":"m","messages":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    let rows = [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ("{} {}", ""),
        ("{\"model\":\"\u{1}\"}", ""),
        (r#"{"model":1,"messages":[],"input":[]}"#, "model"),
        (r#"{"messages":[],"input":[]}"#, "model"),
        (r#"{"model":"m","messages":{},"input":1}"#, "messages|input"),
        (r#"{"model":"m"}"#, "messages|input"),
        (r#"{"model":"m","messages":[1],"input":[1]}"#, "messages[0]|input[0]"),
        (
            r#"{"model":"m","messages":[{"role":"user"}],"input":[{"role":"user"}]}"#,
            "messages[0].content|input[0].content",
        ),
        (
            r#"{"model":"m","messages":[{"role":"x","content":""}],"input":[{"role":"x","content":""}]}"#,
            "messages[0].role|input[0].role",
        ),
        (r#"{"model":"m","messages":[],"input":[],"tools":{}}"#, "tools"),
        (r#"{"model":"m","messages":[],"input":[],"temperature":"hot"}"#, "temperature"),
        (r#"{"model":"m","messages":[],"input":[],"temperature":1e999}"#, "temperature"),
        (r#"{"model":"m","messages":[],"input":[],"stream":1}"#, "stream"),
        (r#"{"model":"m","messages":[],"input":[],"tool_choice":1}"#, "tool_choice"),
        (&deep, ""),
    ];
    for protocol in PROTOCOLS {
        for (body, fields) in rows {
            let refusal = (protocol.decode_request)(body.as_bytes()).unwrap_err();
            assert!(fields.split('|').any(|it| it == refusal.field), "{body} in {}: {refusal:?}", protocol.name);
            let (status, answer) = (protocol.encode_error)(&ApiError::from(refusal));
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!((status, &answer["error"]["type"]), (400, &json!("invalid_request_error")));
        }
        for max in ["-1", "1.5", "1e99", "18446744073709551616"] {
            let body =
                format!(r#"{{"model":"m","messages":[],"input":[],"max_tokens":{max},"max_output_tokens":{max}}}"#);
            assert!((protocol.decode_request)(body.as_bytes()).is_err(), "{max} in {}", protocol.name);
        }
        assert!((protocol.decode_request)(b"{\"model\":\"\xff\"}").is_err());
    }
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let body = br#"{"model":"a","messages":[{"role":"user","content":"x","content":"y"}],"model":"b","messages":[{"role":"user","content":"x","content":"y"}]}"#;
    let request = (PROTOCOLS[0].decode_request)(body).unwrap();
    let sent: Value =
        serde_json::from_slice(&(PROTOCOLS[0].encode_request)(&request, &target()).unwrap().body).unwrap();
    assert_eq!(sent, json!({"model": "b", "messages": [{"role": "user", "content": "y"}]}));
}

#[test]
fn tools_must_have_names_of_their_own_and_choices_must_be_among_them() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let rows = [
        (json!({"tools": [tool("f"), tool("g")]}), ""),
        (json!({"tools": [tool("f"), tool("f")]}), "tools[1]"),
        (json!({"tool_choice": "required"}), "tool_choice"),
        (json!({"tool_choice": "auto"}), ""),
        (json!({"tools": [tool("f")], "tool_choice": {"type": "function", "function": {"name": "g"}}}), "tool_choice"),
        (json!({"tools": [tool("f")], "tool_choice": {"type": "function", "function": {"name": "f"}}}), ""),
    ];
    for (members, field) in rows {
        let body = serde_json::to_vec(&with(base(CHAT), &members)).unwrap();
        let checked = check(&(PROTOCOLS[0].decode_request)(&body).unwrap());
        assert_eq!(checked.err().map(|it| it.field).unwrap_or_default(), field, "{members}");
    }
}
