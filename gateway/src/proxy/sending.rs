//! Sends a request that is held in no wire format, in the format of whoever gets it.

use http::HeaderMap;

use super::{
    Proxy,
    ask::format_of,
    attempt::{self, Outgoing, Reply},
    explain::Explanation,
    protocol_of,
};
use crate::{
    protocols::{self, ApiError, Request},
    providers::Provider,
};
use tollgate_config::{Target, WireFormat};

/// What a model of which nothing is known may write, where the format wants a number: the least that models of the last
/// years can.
const LEAST_OUTPUT_TOKENS: u64 = 4096;

/// Sends to the first of `targets` that answers, and takes down what was tried.
///
/// # Errors
/// That no target can be sent it, or none answered.
pub async fn send(
    proxy: &Proxy,
    targets: &[Target],
    headers: &HeaderMap,
    request: &Request,
    told: &mut Explanation,
) -> Result<Reply, ApiError> {
    let (mut tried, mut dropped) = (std::mem::take(&mut told.attempts), Vec::new());
    let asked = format_of(request);
    let outgoing = |target: &Target, provider: &Provider| {
        encoded(proxy, request, target, provider.format_for(asked), &mut dropped)
    };
    let sent = attempt::send(&proxy.providers, targets, headers, outgoing, &mut tried).await;
    (told.attempts, told.dropped) = (tried, dropped);
    sent
}

/// The body for one target.
///
/// # Errors
/// What the target's format cannot say.
pub fn encoded(
    proxy: &Proxy,
    request: &Request,
    target: &Target,
    format: WireFormat,
    dropped: &mut Vec<String>,
) -> Result<Outgoing, ApiError> {
    let protocol = protocol_of(format);
    let known = proxy.routes.model(&target.model);
    let aim = protocols::Target {
        model: Some(target.model.clone()),
        max_output_tokens: Some(known.and_then(|it| it.max_output_tokens).map_or(LEAST_OUTPUT_TOKENS, u64::from)),
        ..protocols::Target::default()
    };
    let encoded = (protocol.encode_request)(request, &aim)?;
    *dropped = encoded.dropped.iter().map(|it| format!("{}: {}", it.field, it.why)).collect();
    let path = protocol.path.strip_prefix("/v1").unwrap_or(protocol.path);
    Ok(Outgoing { format, path, body: encoded.body.into(), is_stream: request.is_stream })
}
