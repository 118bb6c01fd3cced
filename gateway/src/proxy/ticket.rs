//! One request from its admission to its end: whatever happens to it, it is settled once.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;
use http::HeaderMap;
use opentelemetry_sdk::trace::Span;

use super::{
    Proxy,
    attempt::Tried,
    cache::{Kept, Key},
    contents::Contents,
    explain::{Explanation, Returned},
    spans,
};
use crate::{
    auth::key::ApiKey,
    ledger::{
        Reservation,
        limit::LimitExceeded,
        moment::Moment,
        settlement::{self as ledger, Failure, Settlement, cost_micro_usd},
    },
    protocols::{ApiError, ErrorKind, Usage},
};
use tollgate_config::{Price, WireFormat};
use tollgate_tokenizers::chat::Subject;

/// Under this name the ledger has the requests that showed no key.
const NOBODY: &str = "-";

/// How a request ended.
#[derive(Debug)]
pub enum Ending {
    Done,
    /// The client hung up before the end.
    ClientLeft,
    Failed(ApiError),
}

/// Settles its request: at the latest when it is dropped, as left by the client.
pub struct Ticket {
    proxy: Arc<Proxy>,
    key: Option<Arc<ApiKey>>,
    started: Instant,
    price: Option<Price>,
    pub told: Box<Explanation>,
    recording: Option<Recording>,
    contents: Option<Box<Contents>>,
    span: Option<Box<Span>>,
    reservation: Option<Reservation>,
    /// What the cache spared.
    unspent: Option<ledger::Usage>,
    /// What the usage says something of, and how it was estimated.
    subject: Option<(Subject, usize)>,
    is_settled: bool,
}

/// An answer on its way that is to be kept.
struct Recording {
    key: Key,
    ttl: Duration,
    body: BytesMut,
}

impl Ticket {
    pub fn new(proxy: Arc<Proxy>, key: Option<Arc<ApiKey>>, told: Explanation) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let id = key.as_ref().map(|key| key.record.id.clone());
        let told = Box::new(Explanation { started_ms, key: id, ..told });
        proxy.metrics.started();
        Self {
            proxy,
            key,
            started: Instant::now(),
            price: None,
            told,
            recording: None,
            contents: None,
            span: None,
            reservation: None,
            unspent: None,
            subject: None,
            is_settled: false,
        }
    }

    /// The request's id without what marks it as one.
    pub fn bare_id(&self) -> String {
        self.told.id.trim_start_matches("req-").to_owned()
    }

    /// Unix time of the start, s.
    pub fn started_s(&self) -> u64 {
        self.told.started_ms / 1000
    }

    pub fn set_price(&mut self, price: Option<Price>) {
        self.price = price;
    }

    /// Later estimates are corrected by what this request is charged.
    pub fn learns_from(&mut self, subject: Subject, estimated: usize) {
        self.subject = Some((subject, estimated));
    }

    /// Holds what the request may need against the limits of its key.
    ///
    /// # Errors
    /// The limit that does not have it.
    pub fn reserve(&mut self, max_output: Option<u64>) -> Result<(), ApiError> {
        let prompt_tokens = self.told.tokens.sent as u64;
        let completion_tokens = max_output.unwrap_or(0);
        let usage = ledger::Usage { prompt_tokens, completion_tokens, ..ledger::Usage::default() };
        let cost_micro_usd = self.price.map_or(0, |price| cost_micro_usd(&price, &usage));
        let estimate = ledger::Estimate { prompt_tokens, completion_tokens, cost_micro_usd };
        let limits = self.key.as_ref().map_or(&[][..], |key| &key.record.limits);
        let id = self.key.as_ref().map_or(NOBODY, |key| &key.record.id);
        let held = self.proxy.ledger.reserve(id, limits, Moment(self.told.started_ms), estimate);
        self.reservation = Some(held.map_err(|exceeded| over_limit(&exceeded, self.told.started_ms))?);
        Ok(())
    }

    /// The exact cache answers, so that nothing is sent: the request holds against no limit. `usage` is what the answer was
    /// charged when it was kept.
    pub fn hit(&mut self, usage: Option<ledger::Usage>) {
        self.told.is_cached = Some(true);
        self.unspent = usage;
        let id = self.key.as_ref().map_or(NOBODY, |key| &key.record.id);
        let held = self.proxy.ledger.reserve(id, &[], Moment(self.told.started_ms), ledger::Estimate::default());
        self.reservation = held.ok();
    }

    /// Begins a span, where traces are asked for. `asked` are the client's headers, `headers` those for the provider.
    pub fn trace(&mut self, asked: &HeaderMap, headers: &mut HeaderMap) {
        self.span = self.proxy.spans.as_ref().map(|spans| spans.begin(asked, headers, &self.told));
    }

    /// Logs what is said, where that is switched on.
    pub fn log_contents(&mut self, format: WireFormat, body: &[u8]) {
        if self.proxy.logs_contents {
            self.contents = Some(Box::new(Contents::new(format, body)));
        }
    }

    /// Keeps the answer for `ttl`, if it comes to a good end.
    pub fn keep(&mut self, key: Key, ttl: Duration) {
        self.recording = Some(Recording { key, ttl, body: BytesMut::new() });
    }

    /// Takes down bytes that the client gets; of an answer that is too large, none.
    pub fn record(&mut self, bytes: &[u8]) {
        if let Some(contents) = &mut self.contents {
            contents.push(bytes);
        }
        let most = self.proxy.cache.max_answer_bytes();
        match &mut self.recording {
            Some(recording) if recording.body.len() + bytes.len() <= most => recording.body.extend_from_slice(bytes),
            _ => self.recording = None,
        }
    }

    /// Takes down how it ended.
    pub fn settle(mut self, ending: Ending, usage: Option<Usage>) {
        self.end(&ending, usage);
    }

    fn end(&mut self, ending: &Ending, usage: Option<Usage>) {
        self.is_settled = true;
        let told = &mut self.told;
        told.took_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        match ending {
            Ending::Done => told.ending = "done".into(),
            Ending::ClientLeft => told.ending = "client_left".into(),
            Ending::Failed(error) => told.ending.clone_from(&error.message),
        }
        self.learn(ending, usage);
        let told = &mut self.told;
        let usage = usage.map(ledger_usage);
        let cost = usage.zip(self.price).map_or(0, |(usage, price)| cost_micro_usd(&price, &usage));
        told.tokens.returned = usage.map(Returned::from);
        told.tokens.cost_usd = (usage.is_some() && self.price.is_some()).then(|| cost as f64 / 1e6);
        let is_hit = told.is_cached == Some(true);
        if let Some(reservation) = self.reservation.take() {
            let settlement = Settlement {
                model: told.target.as_deref().unwrap_or(&told.model),
                returned: if is_hit { self.unspent } else { usage },
                is_cache_hit: is_hit,
                failure: failure(ending, told.status, told.attempts.last().map(Tried::kind)),
                saved_tokens: told.tokens.before.saturating_sub(told.tokens.sent) as u64,
                cost_micro_usd: cost,
            };
            if let Err(error) = reservation.settle(&settlement) {
                tracing::error!("{error}");
            }
        }
        if let (Ending::Done, 200, Some(it)) = (ending, told.status, self.recording.take()) {
            let (is_stream, target) = (told.is_stream, told.target.clone());
            let kept = Kept { body: it.body.freeze(), is_stream, target, usage };
            self.proxy.cache.put(it.key, kept, it.ttl, Instant::now());
        }
        if let Some(span) = &mut self.span {
            spans::end(span, told, ending);
        }
        log(told, ending);
        if let Some(contents) = &self.contents {
            contents.log(told);
        }
        self.proxy.metrics.ended(told);
        self.proxy.explanations.add(std::mem::take(told));
    }
}

impl Ticket {
    /// Several rounds are charged together, and a target that is not the first may be another model.
    fn learn(&self, ending: &Ending, usage: Option<Usage>) {
        let Some(((subject, estimated), usage)) = self.subject.as_ref().zip(usage) else { return };
        let is_its_own = self.told.rounds.is_empty() && self.told.attempts.len() == 1;
        if matches!(ending, Ending::Done) && is_its_own && self.told.status == 200 {
            self.proxy.counter.calibration.observe(subject, *estimated, usage.input);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_settled {
            self.end(&Ending::ClientLeft, None);
        }
    }
}

impl From<ledger::Usage> for Returned {
    fn from(usage: ledger::Usage) -> Self {
        Self {
            input: usage.prompt_tokens,
            cached: usage.cached_tokens,
            output: usage.completion_tokens,
            reasoning: usage.reasoning_tokens,
        }
    }
}

/// Usage as the ledger keeps it.
pub const fn ledger_usage(usage: Usage) -> ledger::Usage {
    ledger::Usage {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        cached_tokens: usage.cached,
        reasoning_tokens: usage.reasoning,
    }
}

/// How the ledger calls an ending, by the status that the client got and by what came of the last attempt.
fn failure(ending: &Ending, status: u16, last: Option<&str>) -> Option<Failure> {
    match (ending, status, last) {
        (Ending::ClientLeft, ..) => Some(Failure::Cancelled),
        (Ending::Done, ..400, _) => None,
        // The head was good, so that the failure came in the middle.
        (Ending::Failed(_), ..400, _) => Some(Failure::Cut),
        // Nothing was sent: see `SendError`.
        (_, _, Some("busy" | "open" | "no_key")) => Some(Failure::Gateway),
        // It refused the gateway's key.
        (_, 424, _) => Some(Failure::Provider),
        (_, 429, _) => Some(Failure::RateLimited),
        (_, 408 | 504, _) => Some(Failure::Timeout),
        (_, 400..500, _) => Some(Failure::Request),
        (_, _, None) => Some(Failure::Gateway),
        _ => Some(Failure::Provider),
    }
}

fn over_limit(exceeded: &LimitExceeded, now_ms: u64) -> ApiError {
    let wait_s = exceeded.resets_at.0.saturating_sub(now_ms).div_ceil(1000);
    ApiError {
        code: Some("limit_exceeded".into()),
        retry_after: (exceeded.asked <= exceeded.limit.most).then(|| wait_s.to_string()),
        ..ApiError::new(ErrorKind::RateLimit, exceeded.to_string())
    }
}

/// How a request ended, without what a provider wrote.
fn bare<'a>(ending: &Ending, told: &'a str) -> Cow<'a, str> {
    match ending {
        Ending::Failed(error) if error.is_quoted => format!("the provider's error {}", error.status).into(),
        _ => told.into(),
    }
}

/// The access log: one line a request.
fn log(told: &Explanation, ending: &Ending) {
    let returned = told.tokens.returned;
    tracing::info!(
        target: "tollgate::access",
        id = told.id,
        protocol = told.protocol,
        target = told.target,
        stream = told.is_stream,
        status = told.status,
        ms = told.took_ms,
        tokens_before = told.tokens.before,
        tokens_sent = told.tokens.sent,
        tools_full = told.tools.map(|it| it.full),
        tools_shortened = told.tools.map(|it| it.shortened),
        tools_left_out = told.tools.map(|it| it.left_out),
        rounds = told.rounds.len(),
        attempts = told.attempts.len(),
        key = told.key,
        ending = &*bare(ending, &told.ending),
        // OpenTelemetry's semantic conventions for generative AI.
        gen_ai.operation.name = told.operation(),
        gen_ai.provider.name = told.target.as_deref().and_then(|it| it.split('/').next()),
        gen_ai.request.model = told.model,
        gen_ai.usage.input_tokens = returned.map(|it| it.input),
        gen_ai.usage.output_tokens = returned.map(|it| it.output),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_does_not_repeat_what_a_provider_wrote() {
        let own = Ending::Failed(ApiError::new(ErrorKind::Server, "the stream broke off"));
        let theirs = Ending::Failed(ApiError::opaque(500, b"you said: xyzzy"));
        for (ending, told, expected) in [
            (own, "the stream broke off", "the stream broke off"),
            (theirs, "you said: xyzzy", "the provider's error 500"),
            (Ending::Done, "done", "done"),
        ] {
            assert_eq!(bare(&ending, told), expected);
        }
    }

    #[test]
    fn failures_are_whose_they_are() {
        let failed = || Ending::Failed(ApiError::new(ErrorKind::Server, "x"));
        for (ending, status, last, expected) in [
            (Ending::Done, 200, Some("200"), None),
            (Ending::Done, 400, Some("400"), Some(Failure::Request)),
            (Ending::Done, 503, Some("503"), Some(Failure::Provider)),
            (failed(), 503, Some("503"), Some(Failure::Provider)),
            (failed(), 503, Some("busy"), Some(Failure::Gateway)),
            (failed(), 503, Some("open"), Some(Failure::Gateway)),
            (failed(), 424, Some("no_key"), Some(Failure::Gateway)),
            (failed(), 424, Some("401"), Some(Failure::Provider)),
            (failed(), 500, None, Some(Failure::Gateway)),
            (failed(), 400, None, Some(Failure::Request)),
            (failed(), 504, Some("silent"), Some(Failure::Timeout)),
            (failed(), 200, Some("200"), Some(Failure::Cut)),
            (Ending::ClientLeft, 200, Some("200"), Some(Failure::Cancelled)),
        ] {
            assert_eq!(failure(&ending, status, last), expected, "{ending:?} {status} {last:?}");
        }
    }
}
