//! The front over stdin and stdout, for clients that start a command: one message a line, both eras on one pipe.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufRead, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    caller::{Caller, Client, OUTBOX_CAPACITY, Outbox, RequestMeta},
    era,
    gate::Gate,
    jsonrpc::{Fault, INVALID_REQUEST, Id, Message, Notification, Outcome, Request, Response},
    methods,
    object::RawObject,
    session::Session,
};
use crate::{
    sync::lock,
    upstream::{Line, read_line},
};

struct Pipe {
    gate: Arc<Gate>,
    out: mpsc::Sender<Message>,
    /// The session, once a legacy client has said `initialize`.
    session: Mutex<Option<Arc<Session>>>,
    running: Mutex<HashMap<Id, Running>>,
    tasks: TaskTracker,
}

struct Running {
    cancel: CancellationToken,
    /// Standing subscriptions never end by themselves.
    stands: bool,
}

/// Serves one client until its end of input; running calls are finished before it returns.
///
/// # Errors
/// That stdin or stdout broke.
pub async fn serve<R, W>(gate: Arc<Gate>, mut reader: R, writer: W, max_line_bytes: usize) -> std::io::Result<()>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (out, messages) = mpsc::channel(OUTBOX_CAPACITY);
    let writing = tokio::spawn(write(messages, writer));
    let pipe =
        Arc::new(Pipe { gate, out, session: Mutex::default(), running: Mutex::default(), tasks: TaskTracker::new() });
    let mut line = Vec::new();
    loop {
        line.clear();
        match read_line(&mut reader, &mut line, max_line_bytes).await? {
            Line::End => break,
            Line::Whole => take(&pipe, &line).await,
            Line::TooLong(length) => {
                let told = format!("a message of {length} bytes is over the limit of {max_line_bytes}");
                refuse(&pipe, Fault::new(INVALID_REQUEST, told)).await;
            }
        }
    }
    finish(pipe).await;
    writing.await.map_err(std::io::Error::other)?
}

async fn finish(pipe: Arc<Pipe>) {
    pipe.tasks.close();
    lock(&pipe.running).values().filter(|it| it.stands).for_each(|it| it.cancel.cancel());
    pipe.tasks.wait().await;
    if let Some(session) = lock(&pipe.session).take() {
        session.closed.cancel();
    }
}

async fn write<W: AsyncWrite + Unpin>(mut messages: mpsc::Receiver<Message>, mut writer: W) -> std::io::Result<()> {
    while let Some(message) = messages.recv().await {
        let mut line = message.to_bytes();
        line.push(b'\n');
        writer.write_all(&line).await?;
        writer.flush().await?;
    }
    Ok(())
}

async fn refuse(pipe: &Pipe, fault: Fault) {
    // The client may be gone.
    let _ = pipe.out.send(Message::Response(Response { id: None, outcome: Err(fault) })).await;
}

async fn take(pipe: &Arc<Pipe>, line: &[u8]) {
    if line.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    match Message::parse(line) {
        Err(fault) => refuse(pipe, fault).await,
        Ok(Message::Request(request)) if request.method == "initialize" => {
            // Not in a task: what the client sends next already belongs to the session.
            let outcome = initialize(pipe, &request);
            // The client may be gone.
            let _ = pipe.out.send(Message::response(request.id, outcome)).await;
        }
        Ok(Message::Request(request)) => start(pipe, request),
        Ok(Message::Notification(note)) => notice(pipe, &note),
        Ok(Message::Response(response)) => {
            if let Some(session) = &*lock(&pipe.session) {
                session.answer(response);
            }
        }
    }
}

fn notice(pipe: &Pipe, note: &Notification) {
    if note.method != "notifications/cancelled" {
        return;
    }
    let params = note.params.as_deref().and_then(RawObject::parse).unwrap_or_default();
    let id = params.get("requestId").and_then(Id::from_raw);
    if let Some(running) = id.and_then(|id| lock(&pipe.running).remove(&id)) {
        running.cancel.cancel();
    }
}

fn start(pipe: &Arc<Pipe>, request: Request) {
    let cancel = CancellationToken::new();
    let stands = request.method == "subscriptions/listen";
    lock(&pipe.running).insert(request.id.clone(), Running { cancel: cancel.clone(), stands });
    let running = Arc::clone(pipe);
    pipe.tasks.spawn(async move {
        let outcome = answer(&running, &request, cancel.clone()).await;
        lock(&running.running).remove(&request.id);
        // A cancelled request has no answer, but a subscription says that it ended.
        if !cancel.is_cancelled() || stands {
            // The client may be gone.
            let _ = running.out.send(Message::response(request.id, outcome)).await;
        }
    });
}

async fn answer(pipe: &Arc<Pipe>, request: &Request, cancel: CancellationToken) -> Outcome {
    let client = client_of(pipe, request)?;
    let caller =
        Caller { request_id: request.id.clone(), client, outbox: Outbox::from_sender(pipe.out.clone()), cancel };
    pipe.gate.handle(&caller, request).await
}

/// A request that carries its version is modern; any other belongs to the session.
fn client_of(pipe: &Pipe, request: &Request) -> Result<Client, Fault> {
    let session = lock(&pipe.session).clone();
    match (RequestMeta::read(request), session) {
        (Ok(meta), _) if era::MODERN_VERSIONS.contains(&meta.version.as_str()) => Ok(Client::Stateless(Box::new(meta))),
        (Ok(meta), None) => Err(era::unsupported_version(&meta.version)),
        (_, Some(session)) => Ok(Client::Session(session)),
        (Err(fault), None) => Err(fault),
    }
}

fn initialize(pipe: &Arc<Pipe>, request: &Request) -> Outcome {
    let params = RawObject::parse_or_empty(request.params.as_deref()).unwrap_or_default();
    let (session, mut standalone) = Session::new(&params);
    let result = methods::initialize_result(&pipe.gate, &session);
    let out = pipe.out.clone();
    let closed = session.closed.clone();
    tokio::spawn(async move {
        while let Some(Some(message)) = closed.run_until_cancelled(standalone.recv()).await {
            // The client may be gone.
            let _ = out.send(message).await;
        }
    });
    tokio::spawn(methods::forward_to_session(Arc::clone(&pipe.gate), Arc::clone(&session)));
    if let Some(earlier) = lock(&pipe.session).replace(session) {
        earlier.closed.cancel();
    }
    Ok(result)
}
