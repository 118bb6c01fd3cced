//! Whole responses and errors of every format in every other.

use serde_json::{Value, json};

use super::asked;
use crate::protocols::{ApiError, Asked, ErrorKind, PROTOCOLS, Protocol, protocol};

/// A thought, a text and two calls.
const RESPONSES: &[(&str, &str)] = &[
    ("openai-chat", include_str!("golden/response.openai-chat.json")),
    ("openai-responses", include_str!("golden/response.openai-responses.json")),
    ("anthropic", include_str!("golden/response.anthropic.json")),
];

fn each() -> impl Iterator<Item = (&'static Protocol, &'static str)> {
    RESPONSES.iter().map(|(name, body)| (protocol(name).unwrap(), *body))
}

fn translate(from: &Protocol, body: &[u8], to: &Protocol) -> Value {
    let response = (from.decode_response)(body).unwrap();
    serde_json::from_slice(&(to.encode_response)(&response, &asked())).unwrap()
}

/// The three files say the same, so that each becomes each other one, but for ids and times.
#[test]
fn every_response_becomes_every_other() {
    for (from, body) in each() {
        for (to, expected) in each() {
            let mut expected: Value = serde_json::from_str(expected).unwrap();
            let mut found = translate(from, body.as_bytes(), to);
            for it in [&mut expected, &mut found] {
                forget_ids(it);
            }
            // What else a response object has is checked by the official clients' own types.
            let keys = expected.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            found.as_object_mut().unwrap().retain(|key, _| keys.contains(key));
            assert_eq!(found, expected, "{} as {}", from.name, to.name);
        }
    }
}

fn forget_ids(response: &mut Value) {
    let members = response.as_object_mut().unwrap();
    ["id", "created", "created_at"].iter().for_each(|it| {
        members.remove(*it);
    });
    let items = members.get_mut("output").and_then(Value::as_array_mut).into_iter().flatten();
    items.for_each(|it| {
        it.as_object_mut().unwrap().remove("id");
    });
}

#[test]
fn usage_is_counted_in_the_targets_way() {
    for (from, body) in each() {
        let usage = (from.usage_of)(body.as_bytes()).unwrap();
        assert_eq!(
            (usage.input, usage.cached, usage.cache_written, usage.uncached()),
            (120, 64, 16, 40),
            "{}",
            from.name
        );
        assert_eq!((usage.output, usage.reasoning), (40, 9), "{}", from.name);
        assert_eq!((from.usage_of)(b"{}"), None);
        assert_eq!((from.usage_of)(b"{"), None);
    }
}

#[test]
fn reasons_to_stop_have_a_word_in_every_format() {
    let message = json!({"role": "assistant", "content": "a"});
    let chat = |word: &str| json!({"choices": [{"index": 0, "message": message, "finish_reason": word}]});
    let anthropic = |word: &str| json!({"content": [{"type": "text", "text": "a"}], "stop_reason": word});
    let responses = |status: &str, details: Value| json!({"status": status, "incomplete_details": details, "output": [{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]});
    let cut = || responses("incomplete", json!({"reason": "max_output_tokens"}));
    let filtered = || responses("incomplete", json!({"reason": "content_filter"}));
    let rows = [
        (0, chat("stop"), "stop", "completed", "end_turn"),
        (0, chat("length"), "length", "incomplete max_output_tokens", "max_tokens"),
        (0, chat("content_filter"), "content_filter", "incomplete content_filter", "refusal"),
        (1, responses("completed", Value::Null), "stop", "completed", "end_turn"),
        (1, cut(), "length", "incomplete max_output_tokens", "max_tokens"),
        (1, filtered(), "content_filter", "incomplete content_filter", "refusal"),
        (2, anthropic("end_turn"), "stop", "completed", "end_turn"),
        (2, anthropic("max_tokens"), "length", "incomplete max_output_tokens", "max_tokens"),
        (2, anthropic("stop_sequence"), "stop", "completed", "stop_sequence"),
        (2, anthropic("refusal"), "content_filter", "incomplete content_filter", "refusal"),
        (2, anthropic("pause_turn"), "stop", "completed", "pause_turn"),
        (
            2,
            anthropic("model_context_window_exceeded"),
            "length",
            "incomplete max_output_tokens",
            "model_context_window_exceeded",
        ),
    ];
    for (from, body, chat, responses, anthropic) in rows {
        let found = PROTOCOLS.iter().map(|to| translate(&PROTOCOLS[from], body.to_string().as_bytes(), to));
        let [as_chat, as_responses, as_anthropic] = <[Value; 3]>::try_from(found.collect::<Vec<_>>()).unwrap();
        assert_eq!(as_chat["choices"][0]["finish_reason"], chat, "{body}");
        let reason = as_responses["incomplete_details"]["reason"].as_str().unwrap_or_default();
        assert_eq!(format!("{} {reason}", as_responses["status"].as_str().unwrap()).trim(), responses, "{body}");
        assert_eq!(as_anthropic["stop_reason"], anthropic, "{body}");
    }
}

#[test]
fn the_request_is_repeated_where_the_format_does_so() {
    let body = br#"{"model":"m","input":"x","instructions":"i","tools":[{"type":"function","name":"f","parameters":{},"strict":null}]}"#;
    let responses = protocol("openai-responses").unwrap();
    let request = (responses.decode_request)(body).unwrap();
    let asked = Asked { model: Some("alias".into()), ..Asked::new(&request, "1", 5) };
    let response = (PROTOCOLS[0].decode_response)(RESPONSES[0].1.as_bytes()).unwrap();
    let found: Value = serde_json::from_slice(&(responses.encode_response)(&response, &asked)).unwrap();
    assert_eq!(
        (&found["instructions"], &found["tools"][0]["name"], &found["id"]),
        (&json!("i"), &json!("f"), &json!("resp_1"))
    );
    assert_eq!(
        (&found["model"], &found["created_at"], &found["temperature"]),
        (&json!("alias"), &json!(5), &Value::Null)
    );
}

#[test]
fn errors_keep_their_kind_and_words() {
    let openai =
        |kind: &str, code: &str| json!({"error": {"message": "why", "type": kind, "param": null, "code": code}});
    let anthropic =
        |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "why"}, "request_id": "req_1"});
    let rows = [
        (400, openai("invalid_request_error", "context_length_exceeded"), ErrorKind::InvalidRequest, (400, 400)),
        (401, openai("invalid_request_error", "invalid_api_key"), ErrorKind::Authentication, (401, 401)),
        (404, openai("invalid_request_error", "model_not_found"), ErrorKind::NotFound, (404, 404)),
        (429, openai("requests", "rate_limit_exceeded"), ErrorKind::RateLimit, (429, 429)),
        (429, openai("insufficient_quota", "insufficient_quota"), ErrorKind::Billing, (429, 429)),
        (500, openai("server_error", "x"), ErrorKind::Server, (500, 500)),
        (503, json!({"detail": "loading"}), ErrorKind::Overloaded, (503, 529)),
        (529, anthropic("overloaded_error"), ErrorKind::Overloaded, (503, 529)),
        (413, anthropic("request_too_large"), ErrorKind::TooLarge, (413, 413)),
        (403, anthropic("permission_error"), ErrorKind::Permission, (403, 403)),
        (422, json!({"error": "bad body"}), ErrorKind::InvalidRequest, (422, 422)),
    ];
    for (status, body, kind, (openai, anthropic)) in rows {
        for from in PROTOCOLS {
            let error = (from.decode_error)(status, body.to_string().as_bytes());
            assert_eq!((error.status, error.kind), (status, kind), "{body}");
            for to in PROTOCOLS {
                let (status, told) = (to.encode_error)(&error);
                assert_eq!(status, if to.name == "anthropic" { anthropic } else { openai }, "{body}");
                assert_eq!((to.decode_error)(status, &told).message, error.message, "{body}");
            }
        }
    }
}

#[test]
fn an_answer_that_is_no_response_is_an_error_of_the_provider() {
    for protocol in PROTOCOLS {
        for body in ["", "{", "[]", "{}", "<html>"] {
            let error = (protocol.decode_response)(body.as_bytes()).unwrap_err();
            assert_eq!((error.status, error.kind), (502, ErrorKind::Server), "{body} from {}", protocol.name);
        }
        let error =
            (protocol.decode_response)(br#"{"error":{"message":"why","type":"rate_limit_error"}}"#).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (429, "why"), "{}", protocol.name);
        let error: ApiError = (protocol.decode_error)(502, b"<html>bad gateway</html>");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Server, "<html>bad gateway</html>"));
    }
}
