//! Sends batches of spans with the gateway's own HTTP client. The exporter waits in a thread outside the runtime, so that each
//! request is made a task of the runtime.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// Longer answers would hold up the next batch.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Sender {
    url: String,
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last batch was lost, which is told once and not every few seconds.
    is_failing: AtomicBool,
}

impl Sender {
    /// # Errors
    /// That there is no runtime or no client.
    pub fn new(url: String) -> Result<Self, String> {
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build();
        let client = client.map_err(|error| error.to_string())?;
        Ok(Self { url, client, runtime, is_failing: AtomicBool::new(false) })
    }

    fn note(&self, reason: Option<String>) {
        let was_failing = self.is_failing.swap(reason.is_some(), Ordering::Relaxed);
        match reason {
            Some(reason) if !was_failing => {
                tracing::warn!("traces are lost: `{}` does not take them ({reason})", self.url);
            }
            None if was_failing => tracing::info!("traces are taken again by `{}`", self.url),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { send(&client, request).await }).await?;
        self.note(match &sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("status {}", answer.status().as_u16())),
            Err(error) => Some(crate::providers::innermost(error)),
        });
        Ok(sent?)
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
    let request = reqwest::Request::try_from(request.map(reqwest::Body::from))?;
    let (head, body) = Response::from(client.execute(request).await?).into_parts();
    let body = http_body_util::BodyExt::collect(body).await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
