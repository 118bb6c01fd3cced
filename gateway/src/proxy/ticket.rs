//! One request from its admission to its end: whatever happens to it, it is settled once.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;

use super::{
    Proxy,
    cache::{Kept, Key},
    explain::{Explanation, Returned},
};
use crate::protocols::{ApiError, Usage};
use tollgate_config::Price;

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
    started: Instant,
    price: Option<Price>,
    pub told: Box<Explanation>,
    recording: Option<Recording>,
    is_settled: bool,
}

/// An answer on its way that is to be kept.
struct Recording {
    key: Key,
    ttl: Duration,
    body: BytesMut,
}

impl Ticket {
    pub fn new(proxy: Arc<Proxy>, told: Explanation) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let told = Box::new(Explanation { started_ms, ..told });
        proxy.metrics.started();
        Self { proxy, started: Instant::now(), price: None, told, recording: None, is_settled: false }
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

    /// Keeps the answer for `ttl`, if it comes to a good end.
    pub fn keep(&mut self, key: Key, ttl: Duration) {
        self.recording = Some(Recording { key, ttl, body: BytesMut::new() });
    }

    /// Takes down bytes that the client gets; of an answer that is too large, none.
    pub fn record(&mut self, bytes: &[u8]) {
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
        told.tokens.returned = usage.map(Returned::from);
        told.tokens.cost_usd = usage.zip(self.price).map(|(usage, price)| cost_usd(&usage, &price));
        if let (Ending::Done, 200, Some(it)) = (ending, told.status, self.recording.take()) {
            let (is_stream, target) = (told.is_stream, told.target.clone());
            let kept = Kept { body: it.body.freeze(), is_stream, target };
            self.proxy.cache.put(it.key, kept, it.ttl, Instant::now());
        }
        log(told);
        self.proxy.metrics.ended(told);
        self.proxy.explanations.add(std::mem::take(told));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_settled {
            self.end(&Ending::ClientLeft, None);
        }
    }
}

impl From<Usage> for Returned {
    fn from(usage: Usage) -> Self {
        Self { input: usage.input, cached: usage.cached, output: usage.output, reasoning: usage.reasoning }
    }
}

/// What the returned usage costs by the catalogue; reading from a cache costs as much as anything else where the
/// catalogue has no price for it.
fn cost_usd(usage: &Usage, price: &Price) -> f64 {
    let cached = usage.cached.min(usage.input);
    let input = (usage.input - cached) as f64 * price.input_usd;
    let cached = cached as f64 * price.cached_input_usd.unwrap_or(price.input_usd);
    (input + cached + usage.output as f64 * price.output_usd) / 1e6
}

/// The access log: one line a request.
fn log(told: &Explanation) {
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
        ending = told.ending,
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
    fn cached_tokens_cost_their_own_price() {
        let price = |cached_input_usd| Price { input_usd: 2.0, output_usd: 10.0, cached_input_usd };
        let usage = Usage { input: 1_000_000, cached: 500_000, output: 100_000, ..Usage::default() };
        assert!((cost_usd(&usage, &price(Some(0.2))) - 2.1).abs() < 1e-9);
        assert!((cost_usd(&usage, &price(None)) - 3.0).abs() < 1e-9);
    }
}
