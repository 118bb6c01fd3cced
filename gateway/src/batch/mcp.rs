//! The built-in upstream `batch`: an agent hands over many items and one question, and gets the answers, without any of it
//! passing through its own window item by item.

use std::sync::Arc;

use globset::GlobSet;
use rmcp::{
    ServerHandler, ServiceExt,
    handler::server::wrapper::Parameters,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};
use tokio_util::sync::CancellationToken;

use super::{Target, drive, jobs, wire::Spec};
use crate::{proxy::Proxy, upstream::LateProxy};
use tollgate_planners::batch::{Budget, Item, Policy, Task};

/// Bytes in flight between the gateway and the server, each way.
const PIPE_BYTES: usize = 64 << 10;

/// Starts the server and returns the gateway's end of the pipe.
///
/// # Errors
/// A glob that is none.
pub fn serve(
    models: &[String],
    proxy: &LateProxy,
) -> Result<(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>), String> {
    let models = tollgate_config::glob_set(models).map_err(|error| error.to_string())?;
    let server = BatchServer { models, proxy: proxy.clone() };
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(async move {
        match server.serve(tokio::io::split(theirs)).await {
            // Ends when the gateway closes its end.
            Ok(running) => drop(running.waiting().await),
            Err(error) => tracing::warn!(%error, "the batch upstream did not start"),
        }
    });
    Ok(tokio::io::split(ours))
}

#[derive(Clone)]
struct BatchServer {
    models: GlobSet,
    proxy: LateProxy,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Ask {
    /// The model that answers.
    model: String,
    /// What to decide about each item, in full sentences.
    instructions: String,
    /// The answers to choose from; short free text if left out.
    #[serde(default)]
    labels: Vec<String>,
    /// The texts of the items.
    items: Vec<String>,
    /// The most that may be spent, as a share of what one prompt an item would cost; 1 if left out.
    #[serde(default = "whole")]
    budget_share: f64,
}

const fn whole() -> f64 {
    1.0
}

#[tool_router]
impl BatchServer {
    /// Ask one question about many items: classify, label, judge, extract. Returns one answer an item, in their order, with
    /// what it cost. Far cheaper than reading the items yourself.
    #[tool(annotations(read_only_hint = true, open_world_hint = true))]
    async fn batch_prompt(&self, Parameters(ask): Parameters<Ask>) -> Result<String, String> {
        if !self.models.is_match(&ask.model) {
            return Err(format!("this gateway does not let batches ask `{}`; see `models` of its upstream", ask.model));
        }
        let proxy = self.proxy.get().and_then(std::sync::Weak::upgrade).ok_or("the gateway is not ready yet")?;
        answered(&proxy, ask).await
    }
}

async fn answered(proxy: &Arc<Proxy>, ask: Ask) -> Result<String, String> {
    let target = Target::find(proxy.routes(), &ask.model)?;
    let labels: Vec<&str> = ask.labels.iter().map(String::as_str).collect();
    let items = ask.items.into_iter().enumerate().map(|(number, text)| Item::new(number.to_string(), text));
    let spec = Spec {
        task: Task::new(&ask.instructions, &labels),
        items: items.collect(),
        policy: Policy { budget: Some(Budget::ShareOfSingle(ask.budget_share)), ..target.policy() },
        model: ask.model,
    };
    let mut batch = jobs::started(proxy, &spec)?;
    let answers = jobs::answers(proxy, &spec, None)?;
    let never = CancellationToken::new();
    let outcome = drive::run(&mut batch, &*answers, &never, |_| Ok(())).await?;
    let report = batch.report();
    let told: Map<String, Value> = batch.answers().into_iter().map(|it| (it.id, json!(it.label))).collect();
    let mut text = json!({
        "answers": told, "without_answer": report.unanswered, "undecided": report.undecided, "calls": report.calls,
        "tokens": report.charged.input_tokens + report.charged.output_tokens, "share_of_single_prompts": report.share,
    });
    if let Some(failure) = outcome.last_failure {
        text["last_failure"] = failure.into();
    }
    Ok(text.to_string())
}

#[tool_handler]
impl ServerHandler for BatchServer {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::default();
        info.capabilities = ServerCapabilities::builder().enable_tools().build();
        info.server_info = Implementation::new("tollgate-batch", env!("CARGO_PKG_VERSION"));
        info
    }
}
