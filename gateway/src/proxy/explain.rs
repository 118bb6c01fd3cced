//! What was done to a request and why, kept for a while so that it can be asked for: `GET /v1/requests/{id}`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde::Serialize;

use super::{
    attempt::Tried,
    tools::{Round, Shown},
};
use crate::sync::lock;

/// Requests that are remembered; the oldest goes first.
const MOST: usize = 4096;

/// The whole story of one request. It holds no contents of messages.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explanation {
    pub id: String,
    /// Unix time, ms.
    pub started_ms: u64,
    pub took_ms: f64,
    /// The id of the key whose request it was; absent where nobody is asked for a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub protocol: &'static str,
    /// The model as it was asked for.
    pub model: String,
    pub is_stream: bool,
    /// Who answered, as `provider/model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_protocol: Option<&'static str>,
    pub attempts: Vec<Tried>,
    pub tokens: Tokens,
    /// How many tools are shown in which detail, where a budget applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Shown>,
    /// What the gateway answered itself before the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// `done`, `client_left`, or what went wrong.
    pub ending: String,
    /// The status that the client got.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_cached: Option<bool>,
}

impl Explanation {
    /// OpenTelemetry's name for what was asked (semantic conventions, `gen_ai.operation.name`).
    pub fn operation(&self) -> &'static str {
        if self.protocol == "openai-embeddings" { "embeddings" } else { "chat" }
    }
}

/// The count before, the count that was sent, and what the provider charged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tokens {
    /// Of the request as it came.
    pub before: usize,
    /// Of the request as it was sent.
    pub sent: usize,
    /// How far off that may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_bound: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<tollgate_tokenizers::chat::Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// Usage as the provider returned it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Returned {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// The last explanations.
#[derive(Debug, Default)]
pub struct Explanations {
    kept: Mutex<VecDeque<Arc<Explanation>>>,
}

impl Explanations {
    pub fn add(&self, explanation: Explanation) {
        let mut kept = lock(&self.kept);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Arc::new(explanation));
    }

    pub fn find(&self, id: &str) -> Option<Arc<Explanation>> {
        lock(&self.kept).iter().rev().find(|it| it.id == id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let kept = Explanations::default();
        for id in 0..MOST + 2 {
            kept.add(Explanation { id: id.to_string(), ..Explanation::default() });
        }
        assert!(kept.find("1").is_none());
        assert_eq!(kept.find("2").map(|it| it.id.clone()).as_deref(), Some("2"));
    }
}
