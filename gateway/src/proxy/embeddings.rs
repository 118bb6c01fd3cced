//! `POST /v1/embeddings`: passed on to whoever speaks OpenAI's formats.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use serde_json::Value;

use super::{
    Proxy,
    ask::{Ask, new_id, read},
    attempt::{self, Content, Outgoing, Reply},
    estimate,
    explain::{Explanation, Tokens},
    faults::checked,
    handle::{failed, note_reply, passed_as, route},
    respond,
    ticket::{Ending, Ticket, ledger_usage},
};
use crate::{
    protocols::{ApiError, ErrorKind, Usage},
    providers::{ANSWER_HEADERS, ASK_HEADERS, Provider, keep},
};
use tollgate_config::{Model, Target, WireFormat};
use tollgate_tokenizers::chat::Family;

/// Errors are OpenAI's, as the endpoint is.
const FORMAT: WireFormat = WireFormat::OpenaiChat;

pub async fn handle(proxy: &Arc<Proxy>, request: Request) -> Response {
    answer(proxy, request).await.unwrap_or_else(|error| respond::error(FORMAT, &error))
}

async fn answer(proxy: &Arc<Proxy>, request: Request) -> Result<Response, ApiError> {
    let ask = read(proxy, FORMAT, request).await?;
    let routed = route(proxy, &ask)?;
    let tokens = count(&ask, &routed.targets[0].model, routed.model.as_deref())?;
    let mut ticket = Ticket::new(Arc::clone(proxy), ask.key.clone(), told(&ask, tokens));
    ticket.set_price(routed.model.as_ref().and_then(|it| it.price));
    let mut headers = keep(&ask.headers, ASK_HEADERS);
    ticket.trace(&ask.headers, &mut headers);
    if let Err(error) = ticket.reserve(None) {
        return Ok(failed(FORMAT, error, ticket, None));
    }
    let outgoing = |target: &Target, provider: &Provider| {
        let speaks = provider.config.protocols.iter().any(|it| *it != WireFormat::Anthropic);
        let none =
            || ApiError::new(ErrorKind::NotFound, format!("provider `{}` has no embeddings", provider.config.name));
        if speaks {
            Ok(Outgoing { format: FORMAT, path: "/embeddings", body: passed_as(&ask, target)?, is_stream: false })
        } else {
            Err(none())
        }
    };
    let mut tried = Vec::new();
    let sent = attempt::send(&proxy.providers, &routed.targets, &headers, outgoing, &mut tried).await;
    ticket.told.attempts = tried;
    match sent.and_then(|reply| checked(FORMAT, reply)) {
        Ok(reply) => Ok(respond_with(proxy, reply, ticket)),
        Err(error) => Ok(failed(FORMAT, error, ticket, None)),
    }
}

fn told(ask: &Ask, tokens: usize) -> Explanation {
    let tokens = Tokens { before: tokens, sent: tokens, ..Tokens::default() };
    Explanation {
        id: new_id(),
        protocol: "openai-embeddings",
        model: ask.model.clone(),
        tokens,
        ..Explanation::default()
    }
}

/// Tokens of the input: a text, several, or tokens themselves.
fn count(ask: &Ask, model: &str, entry: Option<&Model>) -> Result<usize, ApiError> {
    let bad = |told: String| ApiError::new(ErrorKind::InvalidRequest, told);
    let body: Value =
        serde_json::from_slice(&ask.body).map_err(|error| bad(format!("the body cannot be read: {error}")))?;
    let tokenizer = estimate::tokenizer(entry, Family::of_model(model))?;
    let of = |input: &Value| match input {
        Value::String(text) => Ok(tokenizer.count(text)),
        Value::Number(_) => Ok(1),
        Value::Array(tokens) if tokens.iter().all(Value::is_number) => Ok(tokens.len()),
        _ => Err(bad("`input` must be a text, a list of texts, or tokens".into())),
    };
    match &body["input"] {
        Value::Array(inputs) => inputs.iter().map(of).sum(),
        input => of(input),
    }
}

fn respond_with(proxy: &Proxy, reply: Reply, mut ticket: Ticket) -> Response {
    note_reply(proxy, &reply, &mut ticket);
    let mut headers = keep(&reply.headers, ANSWER_HEADERS);
    let body = match reply.content {
        Content::Whole(body) => body,
        Content::Stream { first, .. } => first,
    };
    let usage = usage(&body);
    ticket.told.tokens.returned = usage.map(|it| ledger_usage(it).into());
    respond::tell(&mut headers, &ticket.told);
    let response = respond::whole(reply.status, headers, body);
    ticket.settle(Ending::Done, usage);
    response
}

/// Read without building the vectors, which are most of the answer.
fn usage(body: &[u8]) -> Option<Usage> {
    #[derive(serde::Deserialize)]
    struct Answer {
        usage: Option<Tokens>,
    }
    #[derive(serde::Deserialize)]
    struct Tokens {
        #[serde(default)]
        prompt_tokens: u64,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.usage.map(|it| Usage { input: it.prompt_tokens, ..Usage::default() })
}
