//! The HTTP server: routes, health, and a shutdown that lets running calls finish.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::map_request,
    response::{IntoResponse, Response},
    routing::{any, get},
    serve::ListenerExt,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::Access,
    app::App,
    auth::key::Scope,
    batch,
    ledger::moment::Moment,
    linger,
    mcp::{
        gate::Gate,
        http::{Endpoint, Guard, Sessions, serve},
    },
    proxy::Proxy,
};
use tollgate_config::Server;

/// The profile behind `/mcp`.
pub const DEFAULT_PROFILE: &str = "default";

/// After the last running call at shutdown, its client has this long to ask what it needs to read the answer.
const LAST_QUESTIONS: Duration = Duration::from_millis(500);

/// What there is.
const PATHS: &str = "there is /mcp, /mcp/{profile}, /v1/chat/completions, /v1/responses, /v1/messages, \
                     /v1/embeddings, /v1/batch-prompts, /v1/models, /v1/requests/{id}, /metrics, /healthz and /readyz\n";

/// What is said where the path is right and the method is not.
const METHODS: &str = "this path does not take that method; the header `allow` says which it takes\n";

#[derive(Clone)]
struct Web {
    app: Arc<App>,
    access: Arc<Access>,
    sessions: Arc<Sessions>,
    guard: Arc<Guard>,
    keep_alive: Duration,
    max_body_bytes: usize,
    closing: CancellationToken,
    running: TaskTracker,
}

impl Web {
    /// Whether a request may use a profile.
    fn admits(&self, profile: &str, headers: &HeaderMap) -> Result<(), (StatusCode, HeaderMap, String)> {
        let challenge = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))]);
        match self.access.admit(headers, Moment::now()) {
            Err(told) => Err((StatusCode::UNAUTHORIZED, challenge, format!("{told}\n"))),
            Ok(Some(key)) if !key.allows(Scope::Profile, profile) => {
                let told = format!("the api key `{}` may not use the profile `{profile}`\n", key.record.name);
                Err((StatusCode::FORBIDDEN, HeaderMap::new(), told))
            }
            Ok(_) => Ok(()),
        }
    }
}

/// Serves until `closing`, then waits for running calls, at most `shutdown_grace`.
///
/// # Errors
/// That the listener broke.
pub async fn run(
    app: Arc<App>,
    proxy: &Arc<Proxy>,
    listener: TcpListener,
    config: &Server,
    closing: CancellationToken,
) -> std::io::Result<()> {
    let web = Web {
        app,
        access: Arc::clone(&proxy.access),
        sessions: Sessions::start(config.max_sessions, config.session_idle, closing.clone()),
        guard: Arc::new(Guard::new(&config.allowed_hosts, &config.allowed_origins)),
        keep_alive: config.keep_alive,
        max_body_bytes: config.max_body_bytes,
        closing: closing.clone(),
        running: TaskTracker::new(),
    };
    let running = web.running.clone();
    let rest = proxy.router();
    let router = Router::new()
        .route("/mcp", any(default_profile))
        .route("/mcp/{profile}", any(named_profile))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(web)
        .merge(rest)
        .merge(batch::router(proxy))
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, METHODS) })
        .fallback(|| async { (StatusCode::NOT_FOUND, PATHS) })
        .layer(map_request(async |request: Request| linger::to_the_end(request)));
    // Without it a small answer waits for the client's delayed acknowledgment: 44 ms instead of 0.6.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
    });
    let grace = config.shutdown_grace;
    let serving = axum::serve(listener, router).with_graceful_shutdown(drained(closing.clone(), running));
    tokio::select! {
        served = serving => served?,
        () = overdue(&closing, grace) => tracing::warn!("calls still running after {} s were ended", grace.as_secs_f64()),
    }
    Ok(())
}

/// Waits for the word to close, and then for running calls. New connections are answered until then: a client may need a
/// list to understand the answer that it waited for.
async fn drained(closing: CancellationToken, running: TaskTracker) {
    closing.cancelled().await;
    running.close();
    while !running.is_empty() {
        running.wait().await;
        tokio::time::sleep(LAST_QUESTIONS).await;
    }
}

async fn overdue(closing: &CancellationToken, grace: Duration) {
    closing.cancelled().await;
    tokio::time::sleep(grace).await;
}

async fn default_profile(State(web): State<Web>, request: Request) -> Response {
    profile(web, DEFAULT_PROFILE, request).await
}

async fn named_profile(State(web): State<Web>, Path(name): Path<String>, request: Request) -> Response {
    profile(web, &name, request).await
}

async fn profile(web: Web, name: &str, request: Request) -> Response {
    if let Err(refusal) = web.guard.check(request.headers(), request.uri()) {
        return refusal.into_response();
    }
    if let Err(refusal) = web.admits(name, request.headers()) {
        return refusal.into_response();
    }
    let Some(gate) = web.app.gates.get(name).cloned() else {
        let known: Vec<_> = web.app.gates.keys().map(String::as_str).collect();
        let told = format!("unknown profile `{name}`; there is {}\n", known.join(", "));
        return (StatusCode::NOT_FOUND, told).into_response();
    };
    // From its first byte on; the call itself may go on after this handler.
    let _counted = web.running.token();
    serve(endpoint(web, gate), request).await
}

fn endpoint(web: Web, gate: Arc<Gate>) -> Endpoint {
    Endpoint {
        gate,
        sessions: web.sessions,
        keep_alive: web.keep_alive,
        max_body_bytes: web.max_body_bytes,
        closing: web.closing,
        running: web.running,
    }
}

async fn ready(State(web): State<Web>) -> Response {
    if web.app.is_settled() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "upstreams are starting\n").into_response()
}

/// Binds the listener.
///
/// # Errors
/// That the address is taken or not ours, with the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address} ({error}); stop what uses it, or pass `--listen` with another port")
    })
}
