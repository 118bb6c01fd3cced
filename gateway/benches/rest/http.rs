//! A client that costs little: requests are bytes made before, and of an answer only its end is looked for.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const READ_BYTES: usize = 16 << 10;

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    /// All bytes, framing included.
    pub bytes: Vec<u8>,
}

/// How the end of a body is told.
enum Framing {
    Length(usize),
    Chunks,
}

impl Connection {
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request and reads the whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let (status, body_at, framing) = self.read_head().await?;
        match framing {
            Framing::Length(len) => {
                while self.buffer.len() < body_at + len {
                    self.read().await?;
                }
            }
            Framing::Chunks => self.read_chunks(body_at).await?,
        }
        Ok(Answer { status, bytes: std::mem::take(&mut self.buffer) })
    }

    /// Sends a request and reads until the first event has come; the stream stays open.
    pub async fn begin_stream(&mut self, request: &[u8]) -> io::Result<u16> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let (status, body_at, _) = self.read_head().await?;
        while status == 200 && find(&self.buffer[body_at..], b"data:").is_none() {
            self.read().await?;
        }
        self.buffer = Vec::new();
        Ok(status)
    }

    async fn read_head(&mut self) -> io::Result<(u16, usize, Framing)> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            self.read().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(|| invalid("no status"))?;
        let length = head.lines().find_map(|it| it.strip_prefix("content-length:"));
        let framing = match length {
            Some(length) => Framing::Length(length.trim().parse().map_err(|_| invalid("no length"))?),
            None if head.contains("transfer-encoding: chunked") => Framing::Chunks,
            None => return Err(invalid("neither a length nor chunks")),
        };
        Ok((status, end + 4, framing))
    }

    async fn read_chunks(&mut self, mut at: usize) -> io::Result<()> {
        loop {
            let Some(line_len) = find(&self.buffer[at..], b"\r\n") else {
                self.read().await?;
                continue;
            };
            let line = std::str::from_utf8(&self.buffer[at..at + line_len]).map_err(|_| invalid("no chunk"))?;
            let len = usize::from_str_radix(line.trim(), 16).map_err(|_| invalid("no length of a chunk"))?;
            at += line_len + 2 + len + 2;
            while self.buffer.len() < at {
                self.read().await?;
            }
            if len == 0 {
                return Ok(());
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
