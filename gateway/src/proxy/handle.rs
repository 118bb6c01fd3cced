//! One request, from its first byte to the head of its answer.

use std::{sync::Arc, time::Instant};

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Proxy,
    ask::{Ask, new_id, read},
    attempt::{self, Content, Outgoing, Reply},
    cache::{self, Kept},
    estimate::Estimate,
    explain::{Explanation, Tokens},
    faults::checked,
    gated,
    pipe::{Pass, Translate},
    protocol_of,
    relay::{Pipe, Relay},
    respond,
    route::Routed,
    sending::encoded,
    ticket::{Ending, Ticket, ledger_usage},
};
use crate::{
    auth::key::{ApiKey, Scope},
    protocols::{self, ApiError, Asked, ErrorKind, Usage, edit},
    providers::{ANSWER_HEADERS, ASK_HEADERS, Provider, keep},
};
use tollgate_config::{RouteRules, Target, WindowPolicy, WireFormat};

/// Answers one request, an error in the format of the API that was asked.
pub async fn handle(proxy: Arc<Proxy>, format: WireFormat, request: Request) -> Response {
    match read(&proxy, format, request).await {
        Ok(ask) => answered(&proxy, ask).await,
        Err(error) => respond::error(format, &error),
    }
}

/// Answers a request that was read, and whose key may ask.
pub async fn answered(proxy: &Arc<Proxy>, ask: Ask) -> Response {
    let format = ask.format;
    answer(proxy, ask).await.unwrap_or_else(|error| respond::error(format, &error))
}

async fn answer(proxy: &Arc<Proxy>, ask: Ask) -> Result<Response, ApiError> {
    let format = ask.format;
    let routed = route(proxy, &ask)?;
    let target = &routed.targets[0];
    let estimate = proxy.counter.estimate(&ask.counted(), target, routed.model.as_deref())?;
    if routed.rules.window == WindowPolicy::Refuse {
        estimate.check_window(&target.model, routed.model.as_ref().and_then(|it| it.window_tokens))?;
    }
    let mut headers = keep(&ask.headers, ASK_HEADERS);
    let planned = match gated::applies(&ask, routed.rules) {
        true => gated::plan(proxy, &ask, &routed, &estimate).await?,
        false => None,
    };
    let mut ticket = Ticket::new(Arc::clone(proxy), ask.key.clone(), told(&ask, &estimate));
    ticket.set_price(routed.model.as_ref().and_then(|it| it.price));
    ticket.log_contents(format, &ask.body);
    ticket.trace(&ask.headers, &mut headers);
    if let Some(ttl) = routed.rules.cache_ttl
        && let Some(key) = cache::key(format, &ask.model, owner(&ask, routed.rules), &ask.body)
    {
        if let Some(kept) = proxy.cache.get(&key, Instant::now()) {
            return Ok(from_cache(&kept, ticket));
        }
        ticket.keep(key, ttl);
    }
    if let Some(planned) = planned {
        let way = gated::Way { proxy, ask: &ask, routed: &routed, headers };
        return Ok(way.answer(planned, ticket).await);
    }
    ticket.learns_from(estimate.subject, estimate.count.total);
    if let Err(error) = ticket.reserve(estimate.max_output) {
        return Ok(failed(format, error, ticket, None));
    }
    let mut dropped = Vec::new();
    let mut tried = Vec::new();
    let outgoing = |target: &Target, provider: &Provider| outgoing(proxy, &ask, target, provider, &mut dropped);
    let sent = attempt::send(&proxy.providers, &routed.targets, &headers, outgoing, &mut tried).await;
    ticket.told.attempts = tried;
    ticket.told.dropped = dropped;
    match sent.and_then(|reply| checked(format, reply)) {
        Ok(reply) => Ok(respond_with(proxy, &ask, reply, ticket)),
        Err(error) => Ok(failed(format, error, ticket, None)),
    }
}

/// Where a request goes.
///
/// # Errors
/// That nobody serves its model.
pub fn route<'a>(proxy: &'a Proxy, ask: &Ask) -> Result<Routed<'a>, ApiError> {
    let not_found =
        |told| ApiError { code: Some("model_not_found".into()), ..ApiError::new(ErrorKind::NotFound, told) };
    let routed = proxy.routes.find(&ask.model).map_err(not_found)?;
    if let Some(key) = &ask.key {
        allowed(key, ask, &routed)?;
    }
    Ok(routed)
}

/// A key that names routes may use those; one that names models, those, by whatever name they are asked for.
fn allowed(key: &ApiKey, ask: &Ask, routed: &Routed<'_>) -> Result<(), ApiError> {
    let models = || routed.targets.iter().all(|it| key.allows(Scope::Model, &it.model));
    let profile = || routed.rules.profile.as_ref().is_none_or(|it| key.allows(Scope::Profile, it));
    if key.allows(Scope::Route, &ask.model) && models() && profile() {
        return Ok(());
    }
    let told = format!("the api key `{}` may not use `{}`", key.record.name, ask.model);
    Err(ApiError::new(ErrorKind::Permission, told))
}

/// Whose answers these are, where they are not everybody's.
fn owner<'a>(ask: &'a Ask, rules: &RouteRules) -> Option<&'a str> {
    ask.key.as_ref().filter(|_| !rules.cache_is_shared).map(|key| key.record.id.as_str())
}

fn from_cache(kept: &Kept, mut ticket: Ticket) -> Response {
    ticket.hit(kept.usage);
    ticket.record(&kept.body);
    ticket.told.target.clone_from(&kept.target);
    ticket.told.status = 200;
    let mut headers = HeaderMap::new();
    respond::tell(&mut headers, &ticket.told);
    ticket.settle(Ending::Done, None);
    match kept.is_stream {
        true => respond::stream(headers, Body::from(kept.body.clone())),
        false => respond::whole(StatusCode::OK, headers, kept.body.clone()),
    }
}

/// The client learns why, and the books are closed with what was used all the same.
pub fn failed(format: WireFormat, error: ApiError, mut ticket: Ticket, usage: Option<Usage>) -> Response {
    ticket.told.status = error.status;
    let mut response = respond::error(format, &error);
    respond::tell(response.headers_mut(), &ticket.told);
    ticket.settle(Ending::Failed(error), usage);
    response
}

fn told(ask: &Ask, estimate: &Estimate) -> Explanation {
    Explanation {
        id: new_id(),
        protocol: ask.format.name(),
        model: ask.model.clone(),
        is_stream: ask.is_stream,
        tokens: Tokens {
            before: estimate.tokens,
            sent: estimate.tokens,
            error_bound: estimate.error_bound,
            kind: Some(estimate.count.kind),
            ..Tokens::default()
        },
        ..Explanation::default()
    }
}

/// The body for one target: the client's own bytes with the model's name there, or a translation.
fn outgoing(
    proxy: &Proxy,
    ask: &Ask,
    target: &Target,
    provider: &Provider,
    dropped: &mut Vec<String>,
) -> Result<Outgoing, ApiError> {
    let format = provider.format_for(ask.format);
    let protocol = protocol_of(format);
    let path = protocol.path.strip_prefix("/v1").unwrap_or(protocol.path);
    if format == ask.format {
        return Ok(Outgoing { format, path, body: passed(ask, target)?, is_stream: ask.is_stream });
    }
    let request = (protocol_of(ask.format).decode_request)(&ask.body)?;
    protocols::check(&request)?;
    encoded(proxy, &request, target, format, dropped)
}

/// The client's own bytes, with the model's name at the target.
///
/// # Errors
/// That the body cannot be edited.
pub fn passed_as(ask: &Ask, target: &Target) -> Result<Bytes, ApiError> {
    if ask.model == target.model {
        return Ok(ask.body.clone());
    }
    let mut body = edit::Body::read(&ask.body)?;
    body.set_model(&target.model);
    Ok(body.finish().into())
}

fn passed(ask: &Ask, target: &Target) -> Result<Bytes, ApiError> {
    // In a text the quotes would be escaped.
    let names_tools = memchr::memmem::find(&ask.body, b"\"tool").is_some();
    if !cuts_usage(ask) && !names_tools {
        return passed_as(ask, target);
    }
    let mut body = edit::Body::read(&ask.body)?;
    if names_tools {
        protocols::check_body(&body)?;
    }
    if cuts_usage(ask) {
        body.include_usage();
    }
    if ask.model != target.model {
        body.set_model(&target.model);
    }
    Ok(body.finish().into())
}

/// Whether the gateway has to ask for the usage of a stream, and to keep it from the client.
fn cuts_usage(ask: &Ask) -> bool {
    ask.format == WireFormat::OpenaiChat && ask.is_stream && !ask.has_usage
}

/// Passes a good answer on, in the client's format.
pub fn respond_with(proxy: &Proxy, ask: &Ask, reply: Reply, mut ticket: Ticket) -> Response {
    note_reply(proxy, &reply, &mut ticket);
    let mut headers = keep(&reply.headers, ANSWER_HEADERS);
    match reply.content {
        Content::Stream { first, rest } => {
            respond::tell(&mut headers, &ticket.told);
            let pipe = pipe(ask, reply.format, &ticket);
            let relay = Relay::new((first, rest), pipe, reply.provider, ticket, reply.permit);
            respond::stream(headers, Body::new(relay))
        }
        Content::Whole(body) => {
            let usage = (protocol_of(reply.format).usage_of)(&body);
            let body = match reply.format == ask.format {
                true => Ok(body),
                false => translated(ask, reply.format, &body, &ticket),
            };
            let body = match body {
                Ok(body) => body,
                Err(error) => return failed(ask.format, error, ticket, usage),
            };
            ticket.told.tokens.returned = usage.map(|it| ledger_usage(it).into());
            ticket.record(&body);
            respond::tell(&mut headers, &ticket.told);
            let response = respond::whole(reply.status, headers, body);
            ticket.settle(Ending::Done, usage);
            response
        }
    }
}

/// Takes down who answered.
pub fn note_reply(proxy: &Proxy, reply: &Reply, ticket: &mut Ticket) {
    ticket.told.target = Some(format!("{}/{}", reply.target.provider, reply.target.model));
    ticket.told.provider_protocol = Some(reply.format.name());
    ticket.told.status = reply.status.as_u16();
    ticket.set_price(proxy.routes.model(&reply.target.model).and_then(|it| it.price));
}

fn asked_of(ask: &Ask, ticket: &Ticket) -> Result<Asked, ApiError> {
    let request = (protocol_of(ask.format).decode_request)(&ask.body)?;
    Ok(Asked { model: Some(ask.model.clone()), ..Asked::new(&request, ticket.bare_id(), ticket.started_s()) })
}

fn translated(ask: &Ask, from: WireFormat, body: &[u8], ticket: &Ticket) -> Result<Bytes, ApiError> {
    let response = (protocol_of(from).decode_response)(body)?;
    Ok((protocol_of(ask.format).encode_response)(&response, &asked_of(ask, ticket)?).into())
}

fn pipe(ask: &Ask, from: WireFormat, ticket: &Ticket) -> Box<dyn Pipe> {
    if from == ask.format {
        return Box::new(Pass::new(protocol_of(from), from, cuts_usage(ask)));
    }
    // The body was decoded before, or nothing would have been sent.
    let asked = asked_of(ask, ticket).unwrap_or_default();
    Box::new(Translate::new((protocol_of(from).decoder)(), (protocol_of(ask.format).encoder)(&asked)))
}
