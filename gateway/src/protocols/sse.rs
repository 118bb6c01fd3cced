//! Server-sent events as all formats use them (html.spec.whatwg.org, section 9.2.6): bytes cut anywhere to events, and
//! frames out.

use super::refusal::ApiError;

/// Bytes of one event; a stream of larger ones is broken off.
const MAX_EVENT: usize = 64 << 20;

/// Splits a stream into its events. Line ends may be LF, CRLF or CR.
#[derive(Debug, Default)]
pub struct SseReader {
    /// A line that has not ended yet.
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last line ended in CR: an LF right after it belongs to it.
    after_cr: bool,
    /// A byte order mark may come before the first line only.
    started: bool,
}

impl SseReader {
    /// Calls `each` with the data of every event that is whole. Names of events are not used: every format repeats them
    /// in its data.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str) -> Result<(), ApiError>) -> Result<(), ApiError> {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if self.after_cr && first == b'\n' {
                rest = &rest[1..];
            }
            self.after_cr = false;
            let Some(end) = rest.iter().position(|it| matches!(it, b'\n' | b'\r')) else {
                self.line.extend_from_slice(rest);
                return self.check_size();
            };
            self.after_cr = rest[end] == b'\r';
            if self.line.is_empty() {
                self.end_line(&rest[..end], &mut each)?;
            } else {
                self.line.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.line);
                self.end_line(&line, &mut each)?;
                self.line = line;
                self.line.clear();
            }
            rest = &rest[end + 1..];
        }
        Ok(())
    }

    /// What came after the last blank line; some servers leave that out at the end.
    pub fn finish(&mut self, mut each: impl FnMut(&str) -> Result<(), ApiError>) -> Result<(), ApiError> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.end_line(&line, &mut each)?;
        }
        self.end_line(b"", &mut each)
    }

    fn check_size(&self) -> Result<(), ApiError> {
        let is_over = self.line.len() + self.data.len() > MAX_EVENT;
        if is_over { Err(ApiError::bad_answer("an event of more than 64 MiB")) } else { Ok(()) }
    }

    fn end_line(&mut self, line: &[u8], each: &mut impl FnMut(&str) -> Result<(), ApiError>) -> Result<(), ApiError> {
        let line = if self.started { line } else { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) };
        self.started = true;
        if line.is_empty() {
            return self.dispatch(each);
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        self.check_size()
    }

    fn dispatch(&mut self, each: &mut impl FnMut(&str) -> Result<(), ApiError>) -> Result<(), ApiError> {
        if !std::mem::take(&mut self.has_data) || self.data.is_empty() {
            self.data.clear();
            return Ok(());
        }
        let text = std::str::from_utf8(&self.data).map_err(|_| ApiError::bad_answer("an event that is not UTF-8"))?;
        let done = each(text);
        self.data.clear();
        done
    }
}

/// One event out. `write` adds its data, which must be one JSON value; line ends between its tokens become spaces.
pub fn frame(out: &mut Vec<u8>, name: Option<&str>, write: impl FnOnce(&mut Vec<u8>)) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    let from = out.len();
    write(out);
    for byte in out[from..].iter_mut().filter(|it| matches!(it, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
}
