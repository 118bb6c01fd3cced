//! Sends a request to the first target that answers it: targets in order, each tried as often as its policy says.
//!
//! An attempt is over when its first byte is here (of a stream) or its last (of anything else); nothing has reached the
//! client before that, so that another attempt is still free to be made, and none is made after.

use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use indexmap::IndexMap;
use tokio::sync::OwnedSemaphorePermit;

use super::faults::held_to;
use crate::{
    protocols::{ApiError, ErrorKind},
    providers::{Answer, Call, Provider, SendError, Verdict, is_failure, judge, wait_before},
};
use tollgate_config::{Target, WireFormat};

/// As [`Tried::kind`] has it, of a provider whose key is missing.
const NO_KEY: &str = "no_key";

/// Largest answer that is read whole.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// What goes to one target.
pub struct Outgoing {
    pub format: WireFormat,
    pub path: &'static str,
    pub body: Bytes,
    /// Whether a stream is asked for.
    pub is_stream: bool,
}

/// What one target said.
pub struct Reply {
    pub provider: Arc<Provider>,
    pub target: Target,
    /// The format that the provider was spoken to in.
    pub format: WireFormat,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub content: Content,
    /// The provider counts the request as in flight while this lives.
    pub permit: OwnedSemaphorePermit,
}

/// An answer's body.
pub enum Content {
    Whole(Bytes),
    /// Events, of which the first bytes are here.
    Stream {
        first: Bytes,
        rest: reqwest::Body,
    },
}

/// One attempt, for the request's explanation.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Tried {
    pub provider: String,
    pub model: String,
    /// What came of it: a status, or why there is none.
    pub outcome: String,
    pub waited_ms: u64,
    /// The outcome in one word, which is the status where there is one.
    #[serde(skip)]
    kind: std::borrow::Cow<'static, str>,
}

impl Tried {
    /// The status, or a word for why there is none.
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

/// Where requests can go.
pub type Providers = IndexMap<String, Arc<Provider>>;

/// Sends to each of `targets` until one answers for good. `outgoing` makes the body for a target.
///
/// # Errors
/// Why the last target gave no answer; an answer that is an error is a reply.
pub async fn send(
    providers: &Providers,
    targets: &[Target],
    headers: &HeaderMap,
    mut outgoing: impl FnMut(&Target, &Provider) -> Result<Outgoing, ApiError>,
    tried: &mut Vec<Tried>,
) -> Result<Reply, ApiError> {
    let mut last = Err(ApiError::new(ErrorKind::Server, "the route has no target"));
    for target in targets {
        let Some(provider) = providers.get(&target.provider) else { continue };
        let made = match outgoing(target, provider) {
            Ok(made) => made,
            Err(refusal) => {
                last = last.or(Err(refusal));
                continue;
            }
        };
        let was_tried = !tried.is_empty();
        let sent = send_to(provider, target, headers, &made, tried).await;
        // A target that was never asked says less than one that failed.
        let is_asked = tried.last().is_none_or(|it| it.kind() != NO_KEY);
        if is_asked || !was_tried {
            last = sent;
        }
        match &last {
            Ok(reply) if verdict_of(reply) == Verdict::Keep => break,
            _ => {}
        }
    }
    last
}

fn verdict_of(reply: &Reply) -> Verdict {
    judge(Ok((reply.status, &reply.headers)))
}

async fn send_to(
    provider: &Arc<Provider>,
    target: &Target,
    headers: &HeaderMap,
    made: &Outgoing,
    tried: &mut Vec<Tried>,
) -> Result<Reply, ApiError> {
    let (mut attempt, mut waited) = (1, Duration::ZERO);
    loop {
        let call = Call { path: made.path, format: made.format, headers, body: made.body.clone() };
        let outcome = match provider.send(call).await {
            Ok(answer) => read(provider, target, made, answer).await,
            Err(error) => Err(error),
        };
        tried.push(explain(target, &outcome, waited));
        let verdict = judge(outcome.as_ref().map(|reply| (reply.status, &reply.headers)));
        let wait = match verdict {
            Verdict::Again(asked) if attempt < provider.config.attempts => {
                wait_before(attempt + 1, asked, &provider.config.retry, fastrand::u64(..))
            }
            _ => None,
        };
        let Some(wait) = wait else { return outcome.map_err(|error| api_error(&error)) };
        tokio::time::sleep(wait).await;
        (attempt, waited) = (attempt + 1, wait);
    }
}

fn explain(target: &Target, outcome: &Result<Reply, SendError>, waited: Duration) -> Tried {
    let (outcome, kind) = match outcome {
        Ok(reply) => (reply.status.as_u16().to_string(), reply.status.as_u16().to_string().into()),
        Err(error) => (error.to_string(), error.kind().into()),
    };
    Tried {
        provider: target.provider.clone(),
        model: target.model.clone(),
        outcome,
        kind,
        waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Waits for what decides whether the attempt is good.
async fn read(provider: &Arc<Provider>, target: &Target, made: &Outgoing, answer: Answer) -> Result<Reply, SendError> {
    let Answer { status, headers, mut body, permit } = answer;
    let was_good = !is_failure(status);
    let is_stream = status.is_success() && is_event_stream(&headers);
    let content = match is_stream {
        true => first_bytes(provider, &mut body).await.map(|first| Content::Stream { first, rest: body }),
        false => whole(provider, &mut body).await.map(Content::Whole),
    };
    let reply = content.and_then(|content| {
        let (provider, target, format) = (Arc::clone(provider), target.clone(), made.format);
        held_to(Reply { provider, target, format, status, headers, content, permit }, made.is_stream)
    });
    match &reply {
        // A bad status was noted when it came.
        _ if !was_good => {}
        // How a stream ends is seen by who passes it on.
        Ok(Reply { content: Content::Stream { .. }, .. }) => {}
        Ok(reply) => provider.note(!is_failure(reply.status)),
        Err(_) => provider.note(false),
    }
    reply
}

/// Whether a body is a stream of events.
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/event-stream")
}

async fn first_bytes(provider: &Provider, body: &mut reqwest::Body) -> Result<Bytes, SendError> {
    let limit = provider.config.first_byte_timeout;
    match next(provider, body, limit).await? {
        Some(first) => Ok(first),
        None => {
            Err(SendError::BadAnswer { provider: provider.config.name.clone(), reason: "the stream is empty".into() })
        }
    }
}

async fn whole(provider: &Provider, body: &mut reqwest::Body) -> Result<Bytes, SendError> {
    let mut limit = provider.config.first_byte_timeout;
    let Some(first) = next(provider, body, limit).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut read = BytesMut::from(first);
    limit = provider.config.idle_timeout;
    while let Some(more) = next(provider, body, limit).await? {
        read.extend_from_slice(&more);
        if read.len() > MAX_ANSWER_BYTES {
            return Err(broke_off(provider, &format!("the answer is over {MAX_ANSWER_BYTES} bytes")));
        }
    }
    Ok(read.freeze())
}

/// The next bytes of a body; `None` at its end.
///
/// # Errors
/// That the body broke off, or was silent for longer than `limit`.
pub async fn next(provider: &Provider, body: &mut reqwest::Body, limit: Duration) -> Result<Option<Bytes>, SendError> {
    let frame = async {
        loop {
            match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    // Trailers say nothing that is needed.
                    Err(_) => continue,
                },
                Some(Err(error)) => return Err(broke_off(provider, &crate::providers::innermost(&error))),
                None => return Ok(None),
            }
        }
    };
    let silent = |_| SendError::Silent { provider: provider.config.name.clone(), after: limit };
    tokio::time::timeout(limit, frame).await.map_err(silent)?
}

fn broke_off(provider: &Provider, reason: &str) -> SendError {
    SendError::BrokeOff { provider: provider.config.name.clone(), reason: reason.to_owned() }
}

/// What the client is told where no provider answered.
fn api_error(error: &SendError) -> ApiError {
    let (kind, status) = match error {
        SendError::Busy(_) | SendError::Open { .. } => (ErrorKind::Overloaded, 503),
        SendError::NoKey { .. } => return ApiError::no_credentials(error.to_string()),
        SendError::Silent { .. } => (ErrorKind::Timeout, 504),
        SendError::Unreachable { .. } | SendError::BrokeOff { .. } | SendError::BadAnswer { .. } => {
            (ErrorKind::Server, 502)
        }
    };
    let retry_after = match error {
        SendError::Open { left, .. } => Some(format!("{}", left.as_secs_f64().ceil())),
        _ => None,
    };
    ApiError { status, retry_after, ..ApiError::new(kind, error.to_string()) }
}
