//! A streamed answer that may take several rounds: words go to the client as they come, calls are held until it is known
//! whose they are.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::sync::mpsc;

use super::{assemble::Assembler, rounds::Rounds};
use crate::{
    protocols::{ApiError, Event, PartKind, Stop, StopReason, StreamEncoder, Usage},
    proxy::{
        Proxy,
        attempt::{Content, Reply, next},
        protocol_of,
        sending::send,
        ticket::{Ending, Ticket},
    },
};
use tollgate_config::Target;

/// Pieces that may wait for a slow client before the provider is read no further.
const CAPACITY: usize = 32;

/// What goes on while the client reads.
pub struct Work {
    pub proxy: Arc<Proxy>,
    pub headers: HeaderMap,
    pub rounds: Rounds,
    pub encoder: Box<dyn StreamEncoder + Send>,
    pub ticket: Ticket,
}

/// The body of the answer that begins with `reply`.
pub fn relay(work: Work, reply: Reply) -> Body {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    tokio::spawn(drive(work, reply, sender));
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let bytes: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), receiver))
    });
    Body::new(http_body_util::StreamBody::new(frames))
}

async fn drive(mut work: Work, reply: Reply, client: mpsc::Sender<Bytes>) {
    let gone = client.clone();
    let done = tokio::select! {
        done = rounds(&mut work, reply, &client) => Some(done),
        () = gone.closed() => None,
    };
    let ending = match done {
        Some(Ok(())) => Ending::Done,
        Some(Err(error)) => {
            let mut out = Vec::new();
            work.encoder.push(&Event::Error(error.clone()), &mut out);
            work.encoder.finish(&mut out);
            // A client that is gone needs no error.
            let _ = client.send(out.into()).await;
            Ending::Failed(error)
        }
        None => Ending::ClientLeft,
    };
    work.ticket.told.rounds = std::mem::take(&mut work.rounds.told);
    work.ticket.settle(ending, work.rounds.usage);
}

async fn rounds(work: &mut Work, mut reply: Reply, client: &mpsc::Sender<Bytes>) -> Result<(), ApiError> {
    let target = [reply.target.clone()];
    let mut is_first = true;
    loop {
        let provider = Arc::clone(&reply.provider);
        let said = listen(work, reply, client, is_first).await;
        let said = match said {
            Ok(said) => {
                provider.note(true);
                said
            }
            Err(error) => {
                // A client that is gone says nothing of the provider.
                if error.status >= 500 && !client.is_closed() {
                    provider.note(false);
                }
                return Err(error);
            }
        };
        match work.rounds.next(said.parts.into_parts(), said.usage).await? {
            Some(parts) => return finish(work, parts, said.stop, client).await,
            None => reply = again(work, &target).await?,
        }
        is_first = false;
    }
}

/// The next round goes to who answered the first.
async fn again(work: &mut Work, target: &[Target]) -> Result<Reply, ApiError> {
    let sent = send(&work.proxy, target, &work.headers, &work.rounds.request, &mut work.ticket.told).await?;
    match sent.content {
        Content::Stream { .. } => Ok(sent),
        Content::Whole(body) => Err((protocol_of(sent.format).decode_error)(sent.status.as_u16(), &body)),
    }
}

/// What one round said.
struct Said {
    parts: Assembler,
    stop: Stop,
    usage: Option<Usage>,
}

async fn listen(work: &mut Work, reply: Reply, client: &mpsc::Sender<Bytes>, is_first: bool) -> Result<Said, ApiError> {
    let Content::Stream { first, mut rest } = reply.content else {
        return Err(ApiError::bad_answer("it is no stream"));
    };
    let mut decoder = (protocol_of(reply.format).decoder)();
    let mut said = Said { parts: Assembler::default(), stop: StopReason::End.into(), usage: None };
    let mut bytes = Some(first);
    let mut events = Vec::new();
    loop {
        let read = match &bytes {
            Some(bytes) => decoder.push(bytes, &mut events),
            None => decoder.finish(&mut events),
        };
        let mut out = Vec::new();
        for event in events.drain(..) {
            take(&mut said, event, is_first, work.encoder.as_mut(), &mut out)?;
        }
        work.ticket.record(&out);
        if !out.is_empty() && client.send(out.into()).await.is_err() {
            // The other half of the select sees it too.
            return Err(ApiError::bad_answer("the client is gone"));
        }
        read?;
        if bytes.is_none() {
            return Ok(said);
        }
        let idle = reply.provider.config.idle_timeout;
        bytes =
            next(&reply.provider, &mut rest, idle).await.map_err(|error| ApiError::bad_answer(&error.to_string()))?;
    }
}

/// Passes on what is the client's for sure.
fn take(
    said: &mut Said,
    event: Event,
    is_first: bool,
    encoder: &mut (dyn StreamEncoder + Send),
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    said.parts.push(&event);
    match event {
        Event::Error(error) => return Err(error),
        Event::Stop(stop) => said.stop = stop,
        Event::Usage(usage) => said.usage = Some(usage),
        Event::Start { usage, .. } if !is_first => said.usage = usage.or(said.usage),
        Event::ToolStart { .. } | Event::ToolArguments { .. } | Event::ToolEnd { .. } => {}
        event => {
            if let Event::Start { usage: Some(usage), .. } = &event {
                said.usage = Some(*usage);
            }
            encoder.push(&event, out);
        }
    }
    Ok(())
}

/// The calls for the client, and the end.
async fn finish(
    work: &mut Work,
    parts: Vec<crate::protocols::Part>,
    stop: Stop,
    client: &mpsc::Sender<Bytes>,
) -> Result<(), ApiError> {
    let mut out = Vec::new();
    let calls = parts.into_iter().filter_map(|part| match part.kind {
        PartKind::ToolCall(call) => Some(call),
        _ => None,
    });
    let mut calls_tools = false;
    for (call, it) in (0..).zip(calls) {
        work.encoder.push(&Event::ToolStart { call, id: it.id, name: it.name }, &mut out);
        work.encoder.push(&Event::ToolArguments { call, json: it.arguments }, &mut out);
        work.encoder.push(&Event::ToolEnd { call }, &mut out);
        calls_tools = true;
    }
    if let Some(usage) = work.rounds.usage {
        work.encoder.push(&Event::Usage(usage), &mut out);
    }
    work.encoder.push(&Event::Stop(stop_of(stop, calls_tools)), &mut out);
    work.encoder.finish(&mut out);
    work.ticket.record(&out);
    let _ = client.send(out.into()).await;
    Ok(())
}

/// Why the answer ends, after calls were taken out of it.
pub fn stop_of(stop: Stop, calls_tools: bool) -> Stop {
    if stop.reason == StopReason::ToolCalls && !calls_tools { StopReason::End.into() } else { stop }
}
