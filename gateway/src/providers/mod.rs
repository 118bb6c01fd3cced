//! LLM APIs as things to send to: connections, credentials, limits, and when to leave one alone.
//!
//! Nothing here reads a body; what it says is the business of `protocols` and `proxy`.

mod breaker;
mod headers;
mod key;
mod retry;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use globset::GlobSet;
use http::{HeaderMap, StatusCode};
use reqwest::Url;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{sync::lock, tls};
use breaker::Breaker;
pub use headers::{ANSWER_HEADERS, ASK_HEADERS, keep};
use key::Key;
pub use retry::{Verdict, judge, wait_before};
use tollgate_config::{self as config, WireFormat};

/// One LLM API, shared by all requests.
pub struct Provider {
    pub config: config::Provider,
    base: Url,
    client: reqwest::Client,
    key: Key,
    /// Its models that search tools themselves.
    searching: GlobSet,
    permits: Arc<Semaphore>,
    breaker: Mutex<Breaker>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Appended to the base URL, as in `/chat/completions`.
    pub path: &'a str,
    pub format: WireFormat,
    /// Already without anything of the client's that is not the provider's business.
    pub headers: &'a HeaderMap,
    pub body: Bytes,
}

/// The head of what came back, with the body still to read. It counts as in flight while it lives.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: reqwest::Body,
    pub permit: OwnedSemaphorePermit,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("provider `{0}` has as many requests in flight as `max_in_flight` allows; try again soon")]
    Busy(String),
    #[error("provider `{provider}` failed {failures} times in a row and is left alone for {} s more", left.as_secs_f64().ceil())]
    Open { provider: String, failures: u32, left: Duration },
    #[error("provider `{provider}` has no key; {remedy}")]
    NoKey { provider: String, remedy: String },
    #[error("provider `{provider}` cannot be reached ({reason})")]
    Unreachable { provider: String, reason: String },
    #[error("provider `{provider}` sent nothing for {} s", after.as_secs_f64())]
    Silent { provider: String, after: Duration },
    #[error("provider `{provider}` gave no answer that can be used: {reason}")]
    BadAnswer { provider: String, reason: String },
    #[error("provider `{provider}` broke off before it answered ({reason})")]
    BrokeOff { provider: String, reason: String },
}

impl SendError {
    /// One word for it, in metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Busy(_) => "busy",
            Self::Open { .. } => "open",
            Self::NoKey { .. } => "no_key",
            Self::Unreachable { .. } => "unreachable",
            Self::Silent { .. } => "silent",
            Self::BadAnswer { .. } => "bad_answer",
            Self::BrokeOff { .. } => "broke_off",
        }
    }
}

impl Provider {
    /// Prepares the provider; nothing is connected yet.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn new(config: config::Provider) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("provider `{}`: {error}", config.name);
        let base = Url::parse(&config.base_url).map_err(|error| told(&error))?;
        tls::init();
        let client = reqwest::Client::builder()
            .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .connect_timeout(config.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| told(&error))?;
        let key = Key::new(&config)?;
        let searching = config::glob_set(&config.tool_search).map_err(|error| told(&error))?;
        let permits = Arc::new(Semaphore::new(config.max_in_flight));
        let breaker = Mutex::new(Breaker::new(config.breaker_failures, config.breaker_pause));
        Ok(Self { base, client, key, searching, permits, breaker, config })
    }

    /// Sends once and waits for the head of the answer.
    ///
    /// # Errors
    /// Why there is none. Whatever came back, an error status too, is an `Ok`.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, SendError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| SendError::Busy(self.name()))?;
        self.admit()?;
        let request = self.request(call)?;
        let sent = tokio::time::timeout(self.config.first_byte_timeout, self.client.execute(request)).await;
        let outcome = match sent {
            Err(_) => Err(SendError::Silent { provider: self.name(), after: self.config.first_byte_timeout }),
            Ok(Err(error)) => Err(self.explain(&error)),
            Ok(Ok(response)) => Ok(response),
        };
        match &outcome {
            Ok(response) if !is_failure(response.status()) => lock(&self.breaker).answered(),
            _ => self.note(false),
        }
        let (head, body) = http::Response::from(outcome?).into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body, permit })
    }

    /// Tells the breaker how an attempt ended. `send` does so where the head is a failure; of a good head nobody knows yet.
    pub fn note(&self, went_well: bool) {
        lock(&self.breaker).note(went_well, Instant::now());
    }

    /// The protocol to speak to it for a client that speaks `format`: the client's own where it can be.
    pub fn format_for(&self, format: WireFormat) -> WireFormat {
        let own = self.config.protocols.iter().find(|it| **it == format);
        own.or_else(|| self.config.protocols.first()).copied().unwrap_or(format)
    }

    /// Whether a client of `format` can leave tools to its search.
    pub fn searches_tools(&self, model: &str, format: WireFormat) -> bool {
        format.defers_tools() && self.format_for(format) == format && self.searching.is_match(model)
    }

    fn name(&self) -> String {
        self.config.name.clone()
    }

    fn admit(&self) -> Result<(), SendError> {
        lock(&self.breaker).admit(Instant::now()).map_err(|open| SendError::Open {
            provider: self.name(),
            failures: open.failures,
            left: open.left,
        })
    }

    fn request(&self, call: Call<'_>) -> Result<reqwest::Request, SendError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), call.path));
        let mut request = reqwest::Request::new(reqwest::Method::POST, url);
        *request.headers_mut() = self.headers(&call)?;
        *request.body_mut() = Some(call.body.into());
        Ok(request)
    }

    fn headers(&self, call: &Call<'_>) -> Result<HeaderMap, SendError> {
        let mut headers = call.headers.clone();
        let no_key = |remedy| SendError::NoKey { provider: self.name(), remedy };
        if let Some((name, value)) = self.key.header(call.format).map_err(no_key)? {
            headers.insert(name, value);
        }
        headers::complete(&mut headers, call.format, &self.config.headers);
        Ok(headers)
    }

    fn explain(&self, error: &reqwest::Error) -> SendError {
        let (provider, reason) = (self.name(), innermost(error));
        match error.is_connect() {
            true => SendError::Unreachable { provider, reason },
            false => SendError::BrokeOff { provider, reason },
        }
    }
}

/// Whether a status says that the provider, and not the request, is at fault.
pub fn is_failure(status: StatusCode) -> bool {
    status.is_server_error()
}

/// The cause at the bottom: what is above repeats the URL, which may hold a secret.
pub fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
