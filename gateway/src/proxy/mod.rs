//! LLM APIs over REST: the same gate with the conversation in view.
//!
//! A request is read, routed, counted and admitted before anything is sent; an answer is passed on as it comes. Bytes that
//! the gateway has no reason to change are not changed.

mod ask;
mod attempt;
mod cache;
mod calibration;
mod contents;
mod count;
mod embeddings;
mod envelope;
mod estimate;
mod explain;
mod faults;
mod gated;
mod handle;
mod metrics;
mod models;
mod pipe;
mod relay;
mod respond;
mod route;
mod sending;
mod spans;
mod ticket;
mod tools;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    access::Access,
    auth::key::ApiKey,
    batch::Jobs,
    ledger::{Ledger, moment::Moment},
    mcp::{gate::Gate, http::Guard},
    protocols::{self, ApiError, ErrorKind, Protocol},
    providers::Provider,
};
use bytes::Bytes;
use http::HeaderMap;
use indexmap::IndexMap;

use ask::Ask;
pub use ask::{Admitted, admitted};
use attempt::Providers;
use cache::Cache;
use calibration::Calibration;
use estimate::Counter;
pub use estimate::tokenizer as vocabulary;
use explain::{Explanation, Explanations};
use metrics::Metrics;
pub use route::Routes;
use spans::Spans;
use tollgate_config::{Config, StoreKind, WireFormat};
use tools::Planner;
pub use tools::run_tool;

/// The REST side of the gateway.
pub struct Proxy {
    routes: Routes,
    providers: Providers,
    pub access: Arc<Access>,
    ledger: Arc<Ledger>,
    counter: Counter,
    explanations: Explanations,
    metrics: Metrics,
    cache: Cache,
    /// Tools of requests, prepared.
    planner: Planner,
    /// The profiles whose tools can be added.
    gates: IndexMap<String, Arc<Gate>>,
    guard: Guard,
    max_body_bytes: usize,
    logs_contents: bool,
    /// Where traces are asked for.
    spans: Option<Arc<Spans>>,
    /// Batches that go on by themselves.
    pub jobs: Jobs,
}

impl Proxy {
    /// Opens the ledger and prepares the providers; nothing is connected yet.
    ///
    /// # Errors
    /// What of the configuration or of the data folder cannot be used.
    pub fn open(config: &Config, gates: &IndexMap<String, Arc<Gate>>) -> Result<Arc<Self>, String> {
        let provider = |(name, it): (&String, &tollgate_config::Provider)| {
            Ok((name.clone(), Arc::new(Provider::new(it.clone())?)))
        };
        let ledger = open_ledger(config)?;
        let folder = config.store.folder.clone().filter(|_| config.store.kind != StoreKind::Memory);
        let jobs = Jobs::new(ledger.store(), ledger.slot(), folder);
        Ok(Arc::new(Self {
            routes: Routes::new(config),
            providers: config.providers.iter().map(provider).collect::<Result<_, String>>()?,
            access: Arc::new(Access::open(config)?),
            counter: Counter::new(Calibration::open(ledger.store())),
            ledger,
            explanations: Explanations::default(),
            metrics: Metrics::new(),
            cache: Cache::new(config.server.cache_max_bytes),
            planner: Planner::default(),
            gates: gates.clone(),
            guard: Guard::new(&config.server.allowed_hosts, &config.server.allowed_origins),
            max_body_bytes: config.server.max_body_bytes,
            logs_contents: config.log.contents,
            spans: Spans::open(&config.telemetry)?.map(Arc::new),
            jobs,
        }))
    }

    /// Sends the traces that are left.
    pub async fn close(&self) {
        if let Some(spans) = self.spans.clone() {
            spans.close().await;
        }
    }

    /// Its routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/chat/completions", post(|state, request| asked(WireFormat::OpenaiChat, state, request)))
            .route("/v1/responses", post(|state, request| asked(WireFormat::OpenaiResponses, state, request)))
            .route("/v1/messages", post(|state, request| asked(WireFormat::Anthropic, state, request)))
            .route(
                "/v1/responses/input_tokens",
                post(|state, request| counted(WireFormat::OpenaiResponses, state, request)),
            )
            .route("/v1/messages/count_tokens", post(|state, request| counted(WireFormat::Anthropic, state, request)))
            .route("/v1/embeddings", post(embedded))
            .route("/v1/models", get(models::list))
            .route("/v1/models/{*name}", get(models::one))
            .route("/v1/requests/{id}", get(explanation))
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(self))
    }
}

impl Proxy {
    /// Answers a chat completion that the gateway itself asks for, at the expense of `key`.
    pub async fn complete(self: &Arc<Self>, key: Option<Arc<ApiKey>>, model: &str, body: Bytes) -> Response {
        let format = WireFormat::OpenaiChat;
        let (model, headers) = (model.to_owned(), HeaderMap::new());
        let ask = Ask { key, format, headers, body, model, is_stream: false, has_usage: false, tools: None };
        handle::answered(self, ask).await
    }

    /// Where requests go.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Whether a request comes from where requests may come from.
    ///
    /// # Errors
    /// The refusal.
    pub fn check_origin(&self, headers: &HeaderMap, uri: &http::Uri) -> Result<(), ApiError> {
        self.guard.check(headers, uri).map_err(|(status, told)| ApiError {
            status: status.as_u16(),
            ..ApiError::new(ErrorKind::Permission, told.trim_end())
        })
    }
}

/// The ledger of the data folder. Where no folder can be named, since there is no home, one that ends with the process.
fn open_ledger(config: &Config) -> Result<Arc<Ledger>, String> {
    let mut store = config.store.clone();
    if store.folder.is_none() && store.kind != StoreKind::Memory {
        tracing::warn!("usage is kept in memory only, since there is no data folder; set `folder` under `[store]`");
        store.kind = StoreKind::Memory;
    }
    Ledger::open(&store).map_err(|error| error.to_string())
}

/// An error as OpenAI's clients read it.
pub fn error_response(error: &ApiError) -> Response {
    respond::error(WireFormat::OpenaiChat, error)
}

/// The protocol of a format; there is one for each.
fn protocol_of(format: WireFormat) -> &'static Protocol {
    let found = protocols::PROTOCOLS.iter().find(|it| it.name == format.name());
    found.unwrap_or(&protocols::PROTOCOLS[0])
}

async fn asked(format: WireFormat, State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    handle::handle(proxy, format, request).await
}

async fn counted(format: WireFormat, State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    count::handle(&proxy, format, request).await
}

async fn embedded(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    embeddings::handle(&proxy, request).await
}

/// The key of a request that has no body to read.
///
/// # Errors
/// The refusal.
fn admit(proxy: &Proxy, request: &Request) -> Result<Option<Arc<ApiKey>>, Response> {
    proxy.guard.check(request.headers(), request.uri()).map_err(IntoResponse::into_response)?;
    let denied = |told| respond::error(format_of(request), &ApiError::new(ErrorKind::Authentication, told));
    proxy.access.admit(request.headers(), Moment::now()).map_err(denied)
}

/// The format that a request without a body is in, by what its vendor's clients send.
fn format_of(request: &Request) -> WireFormat {
    let is_anthropic = request.headers().contains_key("anthropic-version");
    if is_anthropic { WireFormat::Anthropic } else { WireFormat::OpenaiChat }
}

async fn explanation(State(proxy): State<Arc<Proxy>>, Path(id): Path<String>, request: Request) -> Response {
    let key = match admit(&proxy, &request) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    // Another key's request is nobody's business.
    let is_theirs = |told: &Explanation| key.as_ref().is_none_or(|key| told.key.as_ref() == Some(&key.record.id));
    match proxy.explanations.find(&id).filter(|told| is_theirs(told)) {
        Some(told) => axum::Json(&*told).into_response(),
        None => {
            let told = format!("no request `{id}` is remembered; the last few thousand of this process are\n");
            (StatusCode::NOT_FOUND, told).into_response()
        }
    }
}

async fn metrics(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    if let Err(refusal) = admit(&proxy, &request) {
        return refusal;
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(http::header::CONTENT_TYPE, kind)], proxy.metrics.page()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_protocol() {
        for (name, format) in WireFormat::ALL {
            assert_eq!(protocol_of(*format).name, *name);
        }
    }
}
