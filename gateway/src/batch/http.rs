//! The endpoints of batches: asked and answered at once, line by line, or as a job to be asked after.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Target, drive, jobs,
    stored::Standing,
    wire::{self, Spec, Submission},
};
use crate::{
    auth::key::ApiKey,
    ledger::moment::Moment,
    protocols::{ApiError, ErrorKind},
    proxy::{Admitted, Proxy, admitted, error_response},
};
use tollgate_planners::batch::BatchPrompt;

/// Lines on their way to a client that reads slowly.
const LINES: usize = 256;

fn bad(told: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::InvalidRequest, told.into())
}

fn broken(told: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Server, told.into())
}

/// The routes of batches.
pub fn router(proxy: &Arc<Proxy>) -> Router {
    Router::new()
        .route("/v1/batch-prompts", post(submit))
        .route("/v1/batch-prompts/{id}", get(show))
        .route("/v1/batch-prompts/{id}/cancel", post(cancel))
        .with_state(Arc::clone(proxy))
}

/// `POST /v1/batch-prompts`.
async fn submit(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    submitted(&proxy, request).await.unwrap_or_else(|error| error_response(&error))
}

async fn submitted(proxy: &Arc<Proxy>, request: Request) -> Result<Response, ApiError> {
    let Admitted { key, body, .. } = admitted(proxy, request).await?;
    let asked: Submission = serde_json::from_slice(&body).map_err(|error| bad(format!("the body: {error}")))?;
    let (stream, background) = (asked.stream, asked.background);
    let target = Target::find(proxy.routes(), &asked.model).map_err(|told| ApiError::new(ErrorKind::NotFound, told))?;
    let spec = asked.spec(&target).map_err(bad)?;
    let batch = jobs::started(proxy, &spec).map_err(bad)?;
    if background {
        proxy.jobs.has_room().map_err(|told| ApiError::new(ErrorKind::RateLimit, told))?;
        let id = proxy.jobs.begin(proxy, &spec, batch, key).map_err(broken)?;
        return Ok((StatusCode::ACCEPTED, Json(json!({"object": "batch_prompt", "id": id, "status": "running"})))
            .into_response());
    }
    match stream {
        true => lines(proxy, &spec, batch, key),
        false => whole(proxy, &spec, batch, key).await,
    }
}

/// A client that hangs up drops this, and with it what is on its way.
async fn whole(
    proxy: &Arc<Proxy>,
    spec: &Spec,
    mut batch: BatchPrompt,
    key: Option<Arc<ApiKey>>,
) -> Result<Response, ApiError> {
    let answers = jobs::answers(proxy, spec, key).map_err(broken)?;
    let never = CancellationToken::new();
    let outcome = drive::run(&mut batch, &*answers, &never, |_| Ok(())).await;
    let outcome = outcome.map_err(|told| ApiError { status: 502, ..broken(told) })?;
    let mut told = wire::told(None, wire::status(&batch), &batch.report(), Some(&batch.answers()));
    add_failure(&mut told, outcome.last_failure);
    Ok(Json(told).into_response())
}

fn add_failure(told: &mut Value, failure: Option<String>) {
    if let Some(failure) = failure {
        told["last_failure"] = failure.into();
    }
}

/// A line for each answer as it comes to stand, and one for the whole at the end.
fn lines(
    proxy: &Arc<Proxy>,
    spec: &Spec,
    mut batch: BatchPrompt,
    key: Option<Arc<ApiKey>>,
) -> Result<Response, ApiError> {
    let answers = jobs::answers(proxy, spec, key).map_err(broken)?;
    let (sender, receiver) = mpsc::channel::<Bytes>(LINES);
    tokio::spawn(async move {
        let (gone, mut waiting) = (CancellationToken::new(), Vec::new());
        let step = |batch: &mut BatchPrompt| {
            waiting.extend(batch.take_settled().iter().map(|answer| line(&json!({"answer": answer}))));
            send_some(&sender, &mut waiting).inspect_err(|_| gone.cancel())
        };
        let outcome = drive::run(&mut batch, &*answers, &gone, step).await;
        let mut told = wire::told(None, wire::status(&batch), &batch.report(), None);
        match outcome {
            Ok(outcome) => add_failure(&mut told, outcome.last_failure),
            Err(error) => (told["status"], told["error"]) = ("failed".into(), json!({"message": error})),
        }
        for line in waiting.into_iter().chain([line(&told)]) {
            if sender.send(line).await.is_err() {
                return;
            }
        }
    });
    let lines = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let line = receiver.recv().await?;
        Some((Ok::<_, Infallible>(line), receiver))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

fn line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

/// As many lines as the client has room for; the others wait for the next step.
fn send_some(sender: &mpsc::Sender<Bytes>, waiting: &mut Vec<Bytes>) -> Result<(), String> {
    let mut sent = 0;
    for line in waiting.iter() {
        match sender.try_send(line.clone()) {
            Ok(()) => sent += 1,
            Err(mpsc::error::TrySendError::Full(_)) => break,
            Err(mpsc::error::TrySendError::Closed(_)) => return Err("the client is gone".into()),
        }
    }
    waiting.drain(..sent);
    Ok(())
}

/// A job of the caller's; of another key's it is not even said that there is one.
fn job(proxy: &Proxy, id: &str, request: &Request) -> Result<Standing, ApiError> {
    proxy.check_origin(request.headers(), request.uri())?;
    let denied = |told| ApiError::new(ErrorKind::Authentication, told);
    let key = proxy.access.admit(request.headers(), Moment::now()).map_err(denied)?;
    let standing = proxy.jobs.stored.standing(id).map_err(|error| broken(error.to_string()))?;
    let is_theirs = |it: &Standing| key.as_ref().is_none_or(|key| it.key.as_deref() == Some(&*key.record.id));
    let none = || ApiError::new(ErrorKind::NotFound, format!("no batch `{id}` is kept"));
    standing.filter(is_theirs).ok_or_else(none)
}

/// `GET /v1/batch-prompts/{id}`; with `?answers=true` also the answers so far of a job that runs.
async fn show(State(proxy): State<Arc<Proxy>>, Path(id): Path<String>, request: Request) -> Response {
    let wants_answers = request.uri().query().is_some_and(|it| it.split('&').any(|it| it == "answers=true"));
    let shown = || {
        let standing = job(&proxy, &id, &request)?;
        let loaded = proxy.jobs.load(&proxy, &id).map_err(broken)?;
        let (_, batch) = loaded.ok_or_else(|| broken("the job is kept in part only"))?;
        let answers = (standing.status != "running" || wants_answers).then(|| batch.answers());
        let mut told = wire::told(Some(&id), &standing.status, &batch.report(), answers.as_deref());
        add_failure(&mut told, standing.error);
        Ok(Json(told).into_response())
    };
    shown().unwrap_or_else(|error: ApiError| error_response(&error))
}

/// `POST /v1/batch-prompts/{id}/cancel`.
async fn cancel(State(proxy): State<Arc<Proxy>>, Path(id): Path<String>, request: Request) -> Response {
    let cancelled = || {
        let standing = job(&proxy, &id, &request)?;
        if standing.status == "running" {
            proxy.jobs.cancel(&id).map_err(broken)?;
        }
        Ok(Json(json!({"object": "batch_prompt", "id": id, "status": standing.status})).into_response())
    };
    cancelled().unwrap_or_else(|error: ApiError| error_response(&error))
}
