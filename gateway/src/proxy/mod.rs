//! LLM APIs over REST: the same gate with the conversation in view.
//!
//! A request is read, routed, counted and admitted before anything is sent; an answer is passed on as it comes. Bytes that
//! the gateway has no reason to change are not changed.

mod ask;
mod attempt;
mod cache;
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
    mcp::{gate::Gate, http::Guard},
    protocols::{self, Protocol},
    providers::Provider,
};
use indexmap::IndexMap;

use attempt::Providers;
use cache::Cache;
use explain::Explanations;
use metrics::Metrics;
use route::Routes;
use tollgate_config::{Config, WireFormat};
use tools::Shelves;

/// The REST side of the gateway.
pub struct Proxy {
    routes: Routes,
    providers: Providers,
    explanations: Explanations,
    metrics: Metrics,
    cache: Cache,
    /// Tools of requests, prepared.
    shelves: Shelves,
    /// The profiles whose tools can be added.
    gates: IndexMap<String, Arc<Gate>>,
    guard: Guard,
    max_body_bytes: usize,
}

impl Proxy {
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn new(config: &Config, gates: &IndexMap<String, Arc<Gate>>) -> Result<Arc<Self>, String> {
        let provider = |(name, it): (&String, &tollgate_config::Provider)| {
            Ok((name.clone(), Arc::new(Provider::new(it.clone())?)))
        };
        Ok(Arc::new(Self {
            routes: Routes::new(config),
            providers: config.providers.iter().map(provider).collect::<Result<_, String>>()?,
            explanations: Explanations::default(),
            metrics: Metrics::new(),
            cache: Cache::new(config.server.cache_max_bytes),
            shelves: Shelves::default(),
            gates: gates.clone(),
            guard: Guard::new(&config.server.allowed_hosts, &config.server.allowed_origins),
            max_body_bytes: config.server.max_body_bytes,
        }))
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

async fn explanation(State(proxy): State<Arc<Proxy>>, Path(id): Path<String>, request: Request) -> Response {
    if let Err(refusal) = proxy.guard.check(request.headers(), request.uri()) {
        return refusal.into_response();
    }
    match proxy.explanations.find(&id) {
        Some(told) => axum::Json(&*told).into_response(),
        None => {
            let told = format!("no request `{id}` is remembered; the last few thousand of this process are\n");
            (StatusCode::NOT_FOUND, told).into_response()
        }
    }
}

async fn metrics(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    if let Err(refusal) = proxy.guard.check(request.headers(), request.uri()) {
        return refusal.into_response();
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
