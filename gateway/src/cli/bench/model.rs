//! A model behind the gateway's own REST proxy, in the same process: any provider that is configured, in whatever format it
//! speaks, with its retries and limits.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{pace::Pace, target::Target};
use crate::proxy::Proxy;
use tollgate_benchmarks::{
    arm::Arm,
    episode::{Episode, Message, Reply, Wanted},
    trace::Usage,
};

/// How often a request is sent where the answer is to come again later. The proxy has tried other targets before.
const ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The statuses after which a later try may succeed.
const LATER: &[u16] = &[429, 500, 502, 503, 504, 529];

/// Bytes of an error that are told.
const MOST_TOLD: usize = 500;

/// The model.
pub struct Model {
    pub proxy: Arc<Proxy>,
    pub name: String,
    /// Members of every request beside those that the task makes, such as `temperature`.
    pub body: serde_json::Map<String, Value>,
    pub pace: Pace,
}

/// The name of the route with a budget of its own, through which the arm `served@TOKENS` goes.
pub fn served_route(budget: u32) -> String {
    format!("bench-served-{budget}")
}

impl Target for Model {
    fn reply<'a>(&'a self, episode: &'a Episode, arm: Arm, _: u32) -> BoxFuture<'a, Result<Reply, String>> {
        async move {
            let name = if let Arm::Served(budget) = arm { served_route(budget) } else { self.name.clone() };
            let body = request(episode, &name, &self.body);
            self.sent(&name, Bytes::from(body.to_string())).await
        }
        .boxed()
    }
}

impl Model {
    async fn sent(&self, name: &str, body: Bytes) -> Result<Reply, String> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            self.pace.turn().await;
            let response = self.proxy.complete(None, name, body.clone()).await;
            let (status, headers) = (response.status(), response.headers().clone());
            let answer = response.into_body().collect().await.map(|it| it.to_bytes()).unwrap_or_default();
            if status.is_success() {
                return read(&answer);
            }
            let asked = headers.get(http::header::RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
            let pause = asked.map_or(wait, Duration::from_secs);
            if attempt >= ATTEMPTS || !LATER.contains(&status.as_u16()) || pause > LONGEST_WAIT {
                let told = String::from_utf8_lossy(&answer);
                return Err(format!("{} {}", status.as_u16(), &told[..told.floor_char_boundary(MOST_TOLD)]));
            }
            tokio::time::sleep(pause).await;
            wait *= 2;
        }
        Err("it was not sent".to_owned())
    }
}

/// The request as OpenAI's chat completions have it; the proxy puts it into the provider's format.
pub fn request(episode: &Episode, model: &str, more: &serde_json::Map<String, Value>) -> Value {
    let system = episode.task.system.as_ref().map(|it| json!({"role": "system", "content": it}));
    let messages: Vec<Value> = system.into_iter().chain(episode.messages.iter().map(message)).collect();
    let tools: Vec<Value> =
        episode.tools().filter_map(|it| serde_json::from_str(it.get()).ok()).map(function).collect();
    let mut body = json!({"model": model, "messages": messages});
    if !tools.is_empty() {
        body["tools"] = Value::Array(tools);
    }
    for (name, value) in more {
        body[name.as_str()] = value.clone();
    }
    body
}

/// An entry of `tools/list` as a function.
fn function(mut entry: Value) -> Value {
    let schema = entry.get_mut("inputSchema").or(None).map(Value::take);
    json!({"type": "function", "function": {
        "name": entry["name"],
        "description": entry["description"].as_str().unwrap_or_default(),
        "parameters": schema.unwrap_or_else(|| json!({"type": "object"})),
    }})
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({"role": "user", "content": text}),
        Message::Model { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Message::Model { text, calls } => {
            let call = |it: &Wanted| {
                let function = json!({"name": it.name, "arguments": it.arguments});
                json!({"id": it.id, "type": "function", "function": function})
            };
            let content = if text.is_empty() { Value::Null } else { json!(text) };
            json!({"role": "assistant", "content": content, "tool_calls": calls.iter().map(call).collect::<Vec<_>>()})
        }
        Message::Result { id, text, .. } => json!({"role": "tool", "tool_call_id": id, "content": text}),
    }
}

/// The answer of chat completions.
///
/// # Errors
/// That it is none.
pub fn read(answer: &[u8]) -> Result<Reply, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| format!("the answer is no JSON ({error})"))?;
    let said = &answer["choices"][0]["message"];
    if !said.is_object() {
        return Err("the answer has no message".to_owned());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calls = said["tool_calls"].as_array().into_iter().flatten().map(|call| Wanted {
        id: text(&call["id"]),
        name: text(&call["function"]["name"]),
        arguments: text(&call["function"]["arguments"]),
    });
    let usage = answer["usage"].as_object().map(|usage| Usage {
        input: usage.get("prompt_tokens").and_then(Value::as_u64).unwrap_or(0),
        output: usage.get("completion_tokens").and_then(Value::as_u64).unwrap_or(0),
        cached: usage.get("prompt_tokens_details").and_then(|it| it["cached_tokens"].as_u64()).unwrap_or(0),
    });
    let words = if said["content"].is_null() { text(&said["refusal"]) } else { text(&said["content"]) };
    Ok(Reply { text: words, calls: calls.collect(), usage, ms: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = json!({
            "choices": [{"message": {"content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{\"x\":1}"}}]}}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}},
        });
        let reply = read(answer.to_string().as_bytes()).unwrap();
        let call = Wanted { id: "c1".into(), name: "a".into(), arguments: "{\"x\":1}".into() };
        assert_eq!((reply.calls, reply.usage), (vec![call], Some(Usage { input: 12, output: 3, cached: 8 })));
        assert_eq!(read(br#"{"choices":[{"message":{"content":"yes"}}]}"#).unwrap().text, "yes");
        for none in ["", "{}", r#"{"choices":[]}"#] {
            assert!(read(none.as_bytes()).is_err(), "{none}");
        }
    }

    #[test]
    fn messages_are_written_as_chat_completions_have_them() {
        let call = Wanted { id: "c".into(), name: "a".into(), arguments: "{}".into() };
        let said = message(&Message::Model { text: String::new(), calls: vec![call] });
        assert_eq!(said["tool_calls"][0]["function"], json!({"name": "a", "arguments": "{}"}));
        let entry = json!({"name": "a", "description": "d", "inputSchema": {"type": "object", "title": "T"}});
        assert_eq!(function(entry)["function"]["parameters"], json!({"type": "object", "title": "T"}));
    }
}
