//! A stream on its way to the client: the provider's bytes, watched or translated as they pass.
//!
//! The body is polled by the client's connection; where the client hangs up it is dropped, and with it the connection to
//! the provider, which ends the call.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

use super::ticket::{Ending, Ticket};
use crate::{
    protocols::{ApiError, ErrorKind},
    providers::Provider,
};

/// What is done with the bytes of a stream.
pub trait Pipe: Send {
    /// Takes bytes cut anywhere and gives those for the client; none where they only matter later.
    ///
    /// # Errors
    /// What is wrong with them; the client is told, and the stream ends.
    fn push(&mut self, bytes: Bytes) -> Result<Bytes, ApiError>;

    /// The provider's stream is over.
    ///
    /// # Errors
    /// That it ended before the answer did.
    fn finish(&mut self) -> Result<Bytes, ApiError>;

    /// The bytes that tell the client of an error, in its own format.
    fn error(&mut self, error: &ApiError) -> Bytes;

    /// What is known of the answer so far.
    fn seen(&self) -> Seen;
}

/// What a stream said of itself.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub usage: Option<crate::protocols::Usage>,
    /// An error that the provider told of, which the client has already.
    pub error: Option<ApiError>,
}

/// The body of a streamed answer.
pub struct Relay {
    rest: Option<reqwest::Body>,
    first: Option<Bytes>,
    pipe: Box<dyn Pipe>,
    provider: Arc<Provider>,
    idle: Pin<Box<Sleep>>,
    ticket: Option<Ticket>,
    /// Set where the stream has ended, for better or worse.
    ending: Option<Ending>,
    _permit: OwnedSemaphorePermit,
}

impl Relay {
    pub fn new(
        (first, rest): (Bytes, reqwest::Body),
        pipe: Box<dyn Pipe>,
        provider: Arc<Provider>,
        ticket: Ticket,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let idle = Box::pin(tokio::time::sleep(provider.config.idle_timeout));
        let (rest, first, ticket) = (Some(rest), Some(first), Some(ticket));
        Self { rest, first, pipe, provider, idle, ticket, ending: None, _permit: permit }
    }

    /// The next bytes from the provider.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ApiError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(rest) = self.rest.as_mut() else { return Poll::Ready(None) };
        loop {
            match Pin::new(&mut *rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        self.idle.as_mut().reset(Instant::now() + self.provider.config.idle_timeout);
                        return Poll::Ready(Some(Ok(data)));
                    }
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(error))) => {
                    let reason = crate::providers::innermost(&error);
                    return Poll::Ready(Some(Err(broken(502, &format!("the provider's stream broke off ({reason})")))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            ready!(self.idle.as_mut().poll(cx));
            let limit = self.provider.config.idle_timeout;
            let told = format!("the provider's stream was silent for {} s", limit.as_secs_f64());
            return Poll::Ready(Some(Err(broken(504, &told))));
        }
    }

    /// What the client gets of one step, and how the stream ends if it does.
    fn step(&mut self, read: Option<Result<Bytes, ApiError>>) -> Bytes {
        let piped = match read {
            Some(Ok(bytes)) => self.pipe.push(bytes),
            Some(Err(error)) => Err(error),
            None => {
                self.ending = Some(self.pipe.seen().error.map_or(Ending::Done, Ending::Failed));
                self.pipe.finish()
            }
        };
        piped.unwrap_or_else(|error| {
            let told = self.pipe.error(&error);
            self.ending = Some(Ending::Failed(error));
            told
        })
    }

    fn settle(&mut self, ending: Ending) {
        self.rest = None;
        if let Some(ticket) = self.ticket.take() {
            note(&self.provider, &ending);
            ticket.settle(ending, self.pipe.seen().usage);
        }
    }
}

/// Tells the breaker how a stream ended; one that the client left says nothing of its provider, nor does a refusal.
pub fn note(provider: &Provider, ending: &Ending) {
    match ending {
        Ending::Done => provider.note(true),
        Ending::Failed(error) if error.status >= 500 => provider.note(false),
        Ending::Failed(_) | Ending::ClientLeft => {}
    }
}

fn broken(status: u16, told: &str) -> ApiError {
    ApiError { status, ..ApiError::new(ErrorKind::of_status(status), told) }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            if let Some(ending) = self.ending.take() {
                self.settle(ending);
            }
            if self.ticket.is_none() {
                return Poll::Ready(None);
            }
            let read = ready!(self.poll_rest(cx));
            let bytes = self.step(read);
            if let Some(ticket) = &mut self.ticket {
                ticket.record(&bytes);
            }
            if !bytes.is_empty() {
                // What the ledger says is written before the client has the last byte.
                if let Some(ending) = self.ending.take() {
                    self.settle(ending);
                }
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.settle(Ending::ClientLeft);
    }
}
