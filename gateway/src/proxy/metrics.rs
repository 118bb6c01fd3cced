//! What Prometheus reads at `/metrics`. Labels come from configuration and from lists, never from what a client wrote.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::explain::Explanation;

/// Seconds, from what the gateway adds to what reasoning takes.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Stands for a provider where none answered.
const NOBODY: &str = "none";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    protocol: &'static str,
    provider: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tokens {
    provider: String,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Provider {
    provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Attempt {
    provider: String,
    outcome: String,
}

/// The counters of one process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    tokens: Family<Tokens, Counter>,
    attempts: Family<Attempt, Counter>,
    cost: Family<Provider, Counter<f64, AtomicU64>>,
    seconds: Family<Provider, Histogram>,
    in_flight: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        let metrics = Self {
            requests: Family::default(),
            tokens: Family::default(),
            attempts: Family::default(),
            cost: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests over REST that ended, by status", metrics.requests.clone());
        let told = "Tokens: input, cached and output as providers returned them; saved as the plans left out";
        registry.register("tokens", told, metrics.tokens.clone());
        registry.register(
            "attempts",
            "Attempts at providers, by status or by why there is none",
            metrics.attempts.clone(),
        );
        registry.register_with_unit(
            "cost",
            "What the returned usage costs",
            Unit::Other("usd".into()),
            metrics.cost.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the request's head to the answer's end",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register("requests_in_flight", "Requests over REST that have not ended", metrics.in_flight.clone());
        Self { registry, ..metrics }
    }

    pub fn started(&self) {
        self.in_flight.inc();
    }

    /// Counts a request that ended.
    pub fn ended(&self, told: &Explanation) {
        self.in_flight.dec();
        let provider = told.target.as_deref().and_then(|it| it.split('/').next()).unwrap_or(NOBODY).to_owned();
        let request = Request { protocol: told.protocol, provider: provider.clone(), status: told.status };
        self.requests.get_or_create(&request).inc();
        for tried in &told.attempts {
            let attempt = Attempt { provider: tried.provider.clone(), outcome: tried.kind().to_owned() };
            self.attempts.get_or_create(&attempt).inc();
        }
        self.count(&provider, told);
        self.seconds.get_or_create(&Provider { provider }).observe(told.took_ms / 1000.0);
    }

    fn count(&self, provider: &str, told: &Explanation) {
        let add = |kind, tokens: u64| {
            if tokens > 0 {
                self.tokens.get_or_create(&Tokens { provider: provider.to_owned(), kind }).inc_by(tokens);
            }
        };
        if let Some(returned) = told.tokens.returned {
            add("input", returned.input);
            add("cached", returned.cached);
            add("output", returned.output);
        }
        add("saved", told.tokens.before.saturating_sub(told.tokens.sent) as u64);
        if let Some(cost) = told.tokens.cost_usd {
            self.cost.get_or_create(&Provider { provider: provider.to_owned() }).inc_by(cost);
        }
    }

    /// The page in OpenMetrics' text format.
    pub fn page(&self) -> String {
        let mut page = String::new();
        match encode(&mut page, &self.registry) {
            Ok(()) => page,
            Err(error) => format!("# {error}\n"),
        }
    }
}
