//! `GET /v1/models`: what clients can ask for.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Proxy, admit, format_of, respond};
use crate::protocols::{ApiError, ErrorKind};

/// Both vendors' members side by side, so that either SDK reads the list.
fn entry(name: &str, owner: &str) -> Value {
    json!({
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": owner,
        "type": "model",
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
    })
}

pub async fn list(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    if let Err(refusal) = admit(&proxy, &request) {
        return refusal;
    }
    let data: Vec<Value> = proxy.routes.names().map(|(name, owner)| entry(name, owner)).collect();
    let ends = |idx: Option<usize>| idx.and_then(|it| data.get(it)).and_then(|it| it.get("id")).cloned();
    let (first, last) = (ends(Some(0)), ends(data.len().checked_sub(1)));
    axum::Json(json!({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": false}))
        .into_response()
}

pub async fn one(State(proxy): State<Arc<Proxy>>, Path(name): Path<String>, request: Request) -> Response {
    if let Err(refusal) = admit(&proxy, &request) {
        return refusal;
    }
    match proxy.routes.find(&name) {
        Ok(routed) => axum::Json(entry(&name, &routed.targets[0].provider)).into_response(),
        Err(told) => respond::error(format_of(&request), &ApiError::new(ErrorKind::NotFound, told)),
    }
}
