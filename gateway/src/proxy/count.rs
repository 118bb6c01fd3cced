//! What a request would cost: the provider's own count where it gives one, the gateway's otherwise.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::{
    Proxy,
    ask::{Ask, read},
    attempt::{self, Content, Outgoing},
    estimate::Estimate,
    handle::{passed_as, route},
    respond,
};
use crate::{
    protocols::{ApiError, ErrorKind},
    providers::{ASK_HEADERS, Provider, keep},
};
use tollgate_config::{Target, WireFormat};

/// Says whose count it is: `provider`, or how the gateway came by it.
const COUNTED_BY: HeaderName = HeaderName::from_static("x-tollgate-counted-by");

/// The path and the object that the answer says it is.
fn endpoint(format: WireFormat) -> (&'static str, Option<&'static str>) {
    match format {
        WireFormat::Anthropic => ("/messages/count_tokens", None),
        _ => ("/responses/input_tokens", Some("response.input_tokens")),
    }
}

pub async fn handle(proxy: &Arc<Proxy>, format: WireFormat, request: Request) -> Response {
    answer(proxy, format, request).await.unwrap_or_else(|error| respond::error(format, &error))
}

async fn answer(proxy: &Arc<Proxy>, format: WireFormat, request: Request) -> Result<Response, ApiError> {
    let ask = read(proxy, format, request).await?;
    let routed = route(proxy, &ask)?;
    let ours = proxy.counter.estimate(&ask.counted(), &routed.targets[0], routed.model.as_deref())?;
    match theirs(proxy, &ask, &routed.targets[..1]).await {
        Some((tokens, body)) => {
            proxy.counter.calibration.observe(&ours.subject, ours.count.total, tokens);
            Ok(counted(body, HeaderValue::from_static("provider")))
        }
        None => Ok(counted(of_ours(format, &ours), by_ours(&ours))),
    }
}

fn counted(body: Bytes, by: HeaderValue) -> Response {
    respond::whole(StatusCode::OK, HeaderMap::from_iter([(COUNTED_BY, by)]), body)
}

/// The provider's count; `None` where it has no such endpoint, no key, or is not there.
async fn theirs(proxy: &Proxy, ask: &Ask, targets: &[Target]) -> Option<(u64, Bytes)> {
    let (path, _) = endpoint(ask.format);
    let outgoing = |target: &Target, provider: &Provider| {
        if provider.format_for(ask.format) != ask.format {
            return Err(ApiError::new(ErrorKind::NotFound, "the provider counts in another format"));
        }
        Ok(Outgoing { format: ask.format, path, body: passed_as(ask, target)?, is_stream: false })
    };
    let headers = keep(&ask.headers, ASK_HEADERS);
    let reply = attempt::send(&proxy.providers, targets, &headers, outgoing, &mut Vec::new()).await.ok()?;
    match reply.content {
        Content::Whole(body) if reply.status.is_success() => Some((tokens_of(&body)?, body)),
        _ => None,
    }
}

fn tokens_of(body: &[u8]) -> Option<u64> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body["input_tokens"].as_u64()
}

fn of_ours(format: WireFormat, ours: &Estimate) -> Bytes {
    let mut body = json!({"input_tokens": ours.tokens});
    if let Some(object) = endpoint(format).1 {
        body["object"] = object.into();
    }
    body.to_string().into()
}

fn by_ours(ours: &Estimate) -> HeaderValue {
    let kind = serde_json::to_value(ours.count.kind).unwrap_or_default();
    HeaderValue::from_str(kind.as_str().unwrap_or_default()).unwrap_or(HeaderValue::from_static("estimate"))
}
