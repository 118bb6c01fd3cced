//! Newline-delimited JSON-RPC over any pair of byte streams: a child's stdin and stdout, or a pipe in this process.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::mpsc,
};

use super::mux::{About, Link, LinkError, Mux};
use crate::{mcp::jsonrpc::Message, sync::lock};

/// Messages that may wait to be written; senders wait beyond that.
const QUEUE: usize = 256;
/// Of a line that is no message, this much is logged.
const SHOWN_CHARS: usize = 200;
const READ_BUFFER: usize = 64 << 10;

pub struct LineLink {
    queue: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    mux: Arc<Mux>,
}

impl LineLink {
    /// Starts the reader and the writer. When either side ends, the receiver hears why; whoever holds it ends the
    /// multiplexer, since the owner of a process knows a better reason than its pipe.
    pub fn start<R, W>(reader: R, writer: W, mux: &Arc<Mux>, max_line_bytes: usize) -> (Self, mpsc::Receiver<String>)
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (queue, messages) = mpsc::channel(QUEUE);
        let (end, ends) = mpsc::channel(2);
        tokio::spawn(write_lines(writer, messages, end.clone()));
        let reader = BufReader::with_capacity(READ_BUFFER, reader);
        tokio::spawn(read_messages(reader, Arc::clone(mux), max_line_bytes, end));
        (Self { queue: Mutex::new(Some(queue)), mux: Arc::clone(mux) }, ends)
    }

    /// A link over a pipe in this process, whose own end is all there is to tell.
    pub fn start_pipe<R, W>(reader: R, writer: W, mux: &Arc<Mux>, max_line_bytes: usize) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (link, mut ends) = Self::start(reader, writer, mux, max_line_bytes);
        let mux = Arc::clone(mux);
        tokio::spawn(async move { mux.end(&ends.recv().await.unwrap_or_default()) });
        link
    }

    /// Closes the write side: the reader on the other end sees the end of input.
    pub fn shut(&self) {
        lock(&self.queue).take();
    }
}

impl Link for LineLink {
    fn send(&self, message: Message, _about: About) -> BoxFuture<'_, Result<(), LinkError>> {
        let queue = lock(&self.queue).clone();
        Box::pin(async move {
            let mut line = message.to_bytes();
            line.push(b'\n');
            if let Some(queue) = queue
                && queue.send(line).await.is_ok()
            {
                return Ok(());
            }
            // The end is near, and its reason is the answer.
            self.mux.ended().cancelled().await;
            Err(LinkError { reason: self.mux.end_reason(), not_run: true })
        })
    }

    fn announces_cancel(&self) -> bool {
        true
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.shut();
        Box::pin(async {})
    }
}

async fn write_lines<W>(mut writer: W, mut messages: mpsc::Receiver<Vec<u8>>, end: mpsc::Sender<String>)
where
    W: AsyncWrite + Unpin,
{
    while let Some(line) = messages.recv().await {
        let written = async {
            writer.write_all(&line).await?;
            writer.flush().await
        };
        if let Err(error) = written.await {
            tell(&end, format!("stopped reading ({error})"));
            return;
        }
    }
    // The queue closed in good order; a peer that is already gone does not mind.
    let _ = writer.shutdown().await;
}

fn tell(end: &mpsc::Sender<String>, reason: String) {
    // Nobody waits for the end any more, or the other side came first.
    let _ = end.try_send(reason);
}

async fn read_messages<R>(mut reader: R, mux: Arc<Mux>, max_line_bytes: usize, end: mpsc::Sender<String>)
where
    R: AsyncBufRead + Unpin,
{
    let mut line = Vec::new();
    let reason = loop {
        line.clear();
        match read_line(&mut reader, &mut line, max_line_bytes).await {
            Ok(Line::End) => break "closed its output".to_owned(),
            Ok(Line::Whole) => take_line(&mux, &line),
            Ok(Line::TooLong(length)) => refuse_long(&mux, &line, length, max_line_bytes),
            Err(error) => break format!("could not be read ({error})"),
        }
        // One huge answer must not pin its buffer for good.
        if line.capacity() > 1 << 20 {
            line = Vec::new();
        }
    };
    tell(&end, reason);
}

/// What one line turned out to be; its bytes, or their beginning, are in the caller's buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole,
    TooLong(usize),
    End,
}

/// Reads up to a line end, keeping at most `limit` bytes.
///
/// # Errors
/// The reader's own.
pub async fn read_line<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    line: &mut Vec<u8>,
    limit: usize,
) -> std::io::Result<Line> {
    let mut length = 0_usize;
    loop {
        let buffer = reader.fill_buf().await?;
        if buffer.is_empty() {
            let whole = length > 0 && length <= limit;
            return Ok(if whole { Line::Whole } else { Line::End });
        }
        let end = buffer.iter().position(|it| *it == b'\n');
        let taken = end.map_or(buffer.len(), |it| it + 1);
        let content = end.unwrap_or(buffer.len());
        let room = limit.saturating_sub(line.len());
        line.extend_from_slice(&buffer[..content.min(room)]);
        length += content;
        reader.consume(taken);
        if end.is_some() {
            return Ok(if length > limit { Line::TooLong(length) } else { Line::Whole });
        }
    }
}

fn take_line(mux: &Arc<Mux>, line: &[u8]) {
    if line.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    match Message::parse(line) {
        Ok(message) => mux.dispatch(message, None),
        Err(fault) => {
            let shown: String = String::from_utf8_lossy(line).chars().take(SHOWN_CHARS).collect();
            let reason = fault.message();
            tracing::warn!(upstream = %mux.upstream(), line = %shown, reason, "a line that is no message was ignored");
            mux.note_garbage(shown);
        }
    }
}

/// An answer over the limit fails its request at once; which one it is stands at the line's beginning.
fn refuse_long(mux: &Arc<Mux>, start: &[u8], length: usize, limit: usize) {
    let reason =
        format!("answered with {length} bytes, over the limit of {limit}; raise `max_message_bytes` of this upstream");
    tracing::warn!(upstream = %mux.upstream(), reason);
    if let Some(id) = id_near_start(&start[..start.len().min(4096)]) {
        mux.fail(id, &reason);
    }
}

/// The numeric `"id"` member among a message's first bytes.
fn id_near_start(start: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(start);
    let after = text.split_once("\"id\"")?.1.trim_start().strip_prefix(':')?.trim_start();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(input: &[u8], limit: usize) -> Vec<(Line, Vec<u8>)> {
        let mut reader = BufReader::with_capacity(4, input);
        let mut out = Vec::new();
        loop {
            let mut line = Vec::new();
            match read_line(&mut reader, &mut line, limit).await.unwrap() {
                Line::End => return out,
                kind => out.push((kind, line)),
            }
        }
    }

    #[tokio::test]
    async fn long_lines_are_cut_and_the_next_one_is_whole() {
        let lines = lines_of(b"abc\n0123456789abcdef\n\nxyz", 8).await;
        assert_eq!(
            lines,
            [
                (Line::Whole, b"abc".to_vec()),
                (Line::TooLong(16), b"01234567".to_vec()),
                (Line::Whole, b"".to_vec()),
                (Line::Whole, b"xyz".to_vec()),
            ]
        );
    }

    #[test]
    fn the_id_of_a_cut_answer_is_found() {
        assert_eq!(id_near_start(br#"{"jsonrpc":"2.0","id": 42,"result":{"#), Some(42));
        assert_eq!(id_near_start(br#"{"jsonrpc":"2.0","id":"a","#), None);
        assert_eq!(id_near_start(br#"{"result":{"#), None);
    }
}
