//! One prompt of a batch, on its way through the gate like any other request: routed, counted, limited, retried, charged.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::drive::Answers;
use crate::{auth::key::ApiKey, proxy::Proxy};
use tollgate_planners::batch::{Failure, Prompt, Usage};
use tollgate_tokenizers::Tokenizer;

/// How often a prompt is sent where the answer is to come again later. The proxy has tried other targets before.
const ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// A longer wait is not worth it: the key's limit is used up, or the provider is away.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The statuses after which a later try may succeed.
const LATER: &[u16] = &[429, 502, 503, 504, 529];
/// The statuses after which no prompt of the job can succeed.
const NEVER: &[u16] = &[401, 403, 404];

/// What became of a prompt.
#[derive(Debug)]
pub enum Sent {
    Answered {
        text: String,
        usage: Usage,
    },
    Failed {
        failure: Failure,
        usage: Option<Usage>,
        told: String,
    },
    /// Nothing of this job can be answered.
    Fatal(String),
}

/// Who sends, and for whom.
#[derive(Clone)]
pub struct Sender {
    pub proxy: Arc<Proxy>,
    pub key: Option<Arc<ApiKey>>,
    pub model: String,
    /// The target model's, for answers that come without their usage.
    pub tokenizer: Tokenizer,
}

impl Sender {
    async fn sent(&self, prompt: &Prompt) -> Sent {
        let body = Bytes::from(self.body(prompt).to_string());
        let mut wait = FIRST_WAIT;
        for attempt in 1..=ATTEMPTS {
            let response = self.proxy.complete(self.key.clone(), &self.model, body.clone()).await;
            let (status, asked) = (response.status(), retry_after(response.headers()));
            let answer = response.into_body().collect().await.map(|it| it.to_bytes()).unwrap_or_default();
            if status.is_success() {
                return self.read(prompt, &answer);
            }
            let pause = asked.unwrap_or(wait);
            if attempt == ATTEMPTS || !LATER.contains(&status.as_u16()) || pause > LONGEST_WAIT {
                return refused(status, &answer);
            }
            tokio::time::sleep(pause).await;
            wait *= 2;
        }
        Sent::Failed { failure: Failure::Broken, usage: None, told: "it was not sent".into() }
    }

    fn body(&self, prompt: &Prompt) -> Value {
        let mut messages = vec![json!({"role": "system", "content": prompt.system})];
        for (question, answer) in &prompt.turns {
            messages.push(json!({"role": "user", "content": question}));
            messages.push(json!({"role": "assistant", "content": answer}));
        }
        messages.push(json!({"role": "user", "content": prompt.user}));
        let mut body = json!({
            "model": self.model,
            "messages": messages,
            "max_completion_tokens": prompt.max_output_tokens,
        });
        if let Some(schema) = &prompt.schema {
            let format = json!({"name": "labels", "strict": true, "schema": schema});
            body["response_format"] = json!({"type": "json_schema", "json_schema": format});
        }
        body
    }

    fn read(&self, prompt: &Prompt, answer: &[u8]) -> Sent {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
            let told = "the answer is no JSON".into();
            return Sent::Failed { failure: Failure::Broken, usage: None, told };
        };
        let choice = &answer["choices"][0];
        let text = choice["message"]["content"].as_str().unwrap_or_default().to_owned();
        let usage = self.usage(prompt, &answer["usage"], &text);
        let refusal = choice["message"]["refusal"].as_str().filter(|it| !it.is_empty());
        if text.is_empty() && (refusal.is_some() || choice["finish_reason"] == "content_filter") {
            let told = refusal.unwrap_or("the provider's filter").to_owned();
            return Sent::Failed { failure: Failure::Refused, usage: Some(usage), told };
        }
        Sent::Answered { text, usage }
    }

    /// As returned; where nothing is, as counted here.
    fn usage(&self, prompt: &Prompt, usage: &Value, text: &str) -> Usage {
        let number = |value: &Value| value.as_u64();
        Usage {
            input_tokens: number(&usage["prompt_tokens"]).unwrap_or(prompt.input_tokens),
            output_tokens: number(&usage["completion_tokens"]).unwrap_or_else(|| self.tokenizer.count(text) as u64),
            cached_input_tokens: number(&usage["prompt_tokens_details"]["cached_tokens"]).unwrap_or(0),
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn refused(status: StatusCode, answer: &[u8]) -> Sent {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let error = &answer["error"];
    let told = format!("{} {}", status.as_u16(), error["message"].as_str().unwrap_or("without a word"));
    if NEVER.contains(&status.as_u16()) {
        return Sent::Fatal(told);
    }
    let is_filter = error["code"] == "content_filter" || error["type"] == "content_filter";
    let failure = if is_filter { Failure::Refused } else { Failure::Broken };
    Sent::Failed { failure, usage: None, told }
}

impl Answers for Sender {
    fn send<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Sent> {
        self.sent(prompt).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let body = |code: &str| format!(r#"{{"error":{{"message":"no","code":"{code}"}}}}"#);
        let of = |status: u16, code: &str| refused(StatusCode::from_u16(status).unwrap(), body(code).as_bytes());
        assert!(matches!(of(404, "model_not_found"), Sent::Fatal(told) if told == "404 no"));
        assert!(matches!(of(400, "content_filter"), Sent::Failed { failure: Failure::Refused, .. }));
        assert!(matches!(of(429, "limit"), Sent::Failed { failure: Failure::Broken, .. }));
        assert!(
            matches!(refused(StatusCode::BAD_GATEWAY, b"<html>"), Sent::Failed { told, .. } if told == "502 without a word")
        );
    }
}
