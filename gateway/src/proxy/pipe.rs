//! What is done with the bytes of a stream: passed as they are, passed without an event that the client did not ask for, or
//! translated.

use bytes::Bytes;
use memchr::memmem::Finder;

use super::relay::{Pipe, Seen};
use crate::protocols::{ApiError, Event, Protocol, StreamDecoder, StreamEncoder, Usage, Watch};
use tollgate_config::WireFormat;

/// Passes bytes as they are, and reads in passing what must be known of them.
pub struct Pass {
    protocol: &'static Protocol,
    watch: Watch,
    end: EndMark,
    cut: Option<UsageCut>,
}

impl Pass {
    /// `cuts_usage` takes out the event that says nothing but the usage, which the gateway asked for and not the client.
    pub fn new(protocol: &'static Protocol, format: WireFormat, cuts_usage: bool) -> Self {
        Self {
            watch: Watch::new(protocol.usage_in),
            end: EndMark::new(format),
            cut: cuts_usage.then(UsageCut::default),
            protocol,
        }
    }
}

impl Pipe for Pass {
    fn push(&mut self, bytes: Bytes) -> Result<Bytes, ApiError> {
        self.watch.push(&bytes)?;
        self.end.look(&bytes);
        Ok(match &mut self.cut {
            Some(cut) => cut.push(bytes),
            None => bytes,
        })
    }

    fn finish(&mut self) -> Result<Bytes, ApiError> {
        if !self.end.is_seen {
            return Err(ApiError::bad_answer("the stream ended before the answer did"));
        }
        Ok(self.cut.as_mut().map(UsageCut::rest).unwrap_or_default())
    }

    fn error(&mut self, error: &ApiError) -> Bytes {
        let mut told = self.cut.as_mut().map(UsageCut::rest).unwrap_or_default().to_vec();
        if !told.is_empty() || !self.end.is_between_events {
            // Ends the event that broke off, so that the error is one of its own.
            told.extend_from_slice(b"\n\n");
        }
        told.extend(error_event(self.protocol, error));
        told.into()
    }

    fn seen(&self) -> Seen {
        Seen { usage: self.watch.usage(), error: self.watch.error().cloned() }
    }
}

/// Every format's clients raise an error event.
fn error_event(protocol: &Protocol, error: &ApiError) -> Vec<u8> {
    let mut encoder = (protocol.encoder)(&Default::default());
    let mut out = Vec::new();
    encoder.push(&Event::Error(error.clone()), &mut out);
    encoder.finish(&mut out);
    out
}

/// Looks for what says that an answer is whole.
struct EndMark {
    marks: Vec<Finder<'static>>,
    /// The last bytes, since a mark may be cut.
    tail: Vec<u8>,
    is_seen: bool,
    is_between_events: bool,
}

/// At least the longest mark.
const TAIL: usize = 32;

impl EndMark {
    fn new(format: WireFormat) -> Self {
        let marks: &[&'static str] = match format {
            // Some compatible servers leave out the last line.
            WireFormat::OpenaiChat => &["[DONE]", "\"finish_reason\":\"", "\"finish_reason\": \"", "\"error\""],
            WireFormat::OpenaiResponses => {
                &["response.completed", "response.incomplete", "response.failed", "\"error\""]
            }
            WireFormat::Anthropic => &["message_stop", "\"error\""],
        };
        let marks = marks.iter().map(|mark| Finder::new(*mark)).collect();
        Self { marks, tail: Vec::new(), is_seen: false, is_between_events: true }
    }

    fn look(&mut self, bytes: &[u8]) {
        self.is_between_events = bytes.ends_with(b"\n\n") || bytes.ends_with(b"\r\n\r\n");
        if self.is_seen {
            return;
        }
        let is_in = |text: &[u8]| self.marks.iter().any(|mark| mark.find(text).is_some());
        let keep = bytes.len().min(TAIL);
        self.tail.extend_from_slice(&bytes[..keep]);
        self.is_seen = is_in(&self.tail) || is_in(bytes);
        self.tail.extend_from_slice(&bytes[keep..][bytes.len().saturating_sub(keep + TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }
}

/// Takes out the event of chat completions that carries the usage and no choice.
#[derive(Default)]
struct UsageCut {
    /// An event that has not ended yet.
    partial: Vec<u8>,
}

impl UsageCut {
    fn push(&mut self, bytes: Bytes) -> Bytes {
        if self.partial.is_empty() && bytes.ends_with(b"\n\n") && memchr::memmem::find(&bytes, b"\"usage\":{").is_none()
        {
            return bytes;
        }
        self.partial.extend_from_slice(&bytes);
        let Some(end) = memchr::memmem::rfind(&self.partial, b"\n\n").map(|at| at + 2) else { return Bytes::new() };
        let rest = self.partial.split_off(end);
        let whole = std::mem::replace(&mut self.partial, rest);
        let mut kept = Vec::with_capacity(whole.len());
        let mut from = 0;
        for end in memchr::memmem::find_iter(&whole, b"\n\n").map(|at| at + 2) {
            if !is_usage_alone(&whole[from..end]) {
                kept.extend_from_slice(&whole[from..end]);
            }
            from = end;
        }
        kept.into()
    }

    fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.partial).into()
    }
}

fn is_usage_alone(event: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        usage: Option<&'a serde_json::value::RawValue>,
        choices: Vec<serde::de::IgnoredAny>,
    }
    let Some(data) = event.strip_prefix(b"data:") else { return false };
    // Most events are not even asked; one with a choice that quotes the words is, and answers.
    if memchr::memmem::find(data, b"\"prompt_tokens\"").is_none() {
        return false;
    }
    let chunk = serde_json::from_slice::<Chunk<'_>>(data);
    chunk.is_ok_and(|it| it.choices.is_empty() && it.usage.is_some_and(|usage| usage.get() != "null"))
}

/// One format to another.
pub struct Translate {
    decoder: Box<dyn StreamDecoder + Send>,
    encoder: Box<dyn StreamEncoder + Send>,
    events: Vec<Event>,
    usage: Option<Usage>,
}

impl Translate {
    pub fn new(decoder: Box<dyn StreamDecoder + Send>, encoder: Box<dyn StreamEncoder + Send>) -> Self {
        Self { decoder, encoder, events: Vec::new(), usage: None }
    }

    fn flush(&mut self) -> Result<Vec<u8>, ApiError> {
        let mut out = Vec::new();
        for event in self.events.drain(..) {
            match &event {
                Event::Usage(usage) => self.usage = Some(*usage),
                Event::Start { usage: Some(usage), .. } => self.usage = Some(*usage),
                Event::Error(error) => return Err(error.clone()),
                _ => {}
            }
            self.encoder.push(&event, &mut out);
        }
        Ok(out)
    }
}

impl Pipe for Translate {
    fn push(&mut self, bytes: Bytes) -> Result<Bytes, ApiError> {
        let read = self.decoder.push(&bytes, &mut self.events);
        let out = self.flush()?;
        read.map(|()| out.into())
    }

    fn finish(&mut self) -> Result<Bytes, ApiError> {
        let read = self.decoder.finish(&mut self.events);
        let mut out = self.flush()?;
        read?;
        self.encoder.finish(&mut out);
        Ok(out.into())
    }

    fn error(&mut self, error: &ApiError) -> Bytes {
        let mut out = Vec::new();
        self.encoder.push(&Event::Error(error.clone()), &mut out);
        self.encoder.finish(&mut out);
        out.into()
    }

    fn seen(&self) -> Seen {
        Seen { usage: self.usage, error: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_is_seen_wherever_it_is_cut() {
        let stream = b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n";
        for size in 1..stream.len() {
            let mut end = EndMark::new(WireFormat::OpenaiChat);
            stream.chunks(size).for_each(|part| end.look(part));
            assert!(end.is_seen, "{size}");
            let mut cut = EndMark::new(WireFormat::OpenaiChat);
            stream[..stream.len() - 4].chunks(size).for_each(|part| cut.look(part));
            assert!(!cut.is_seen, "{size}");
        }
    }

    #[test]
    fn the_usage_that_nobody_asked_for_is_cut_out_and_nothing_else() {
        let one = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\"}}],\"usage\":null}\n\n";
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
        let done = "data: [DONE]\n\n";
        let stream = [one, usage, done].concat();
        for size in 1..=stream.len() {
            let mut cut = UsageCut::default();
            let mut kept: Vec<u8> = Vec::new();
            for part in stream.as_bytes().chunks(size) {
                kept.extend(cut.push(Bytes::copy_from_slice(part)));
            }
            kept.extend(cut.rest());
            assert_eq!(String::from_utf8(kept).unwrap(), [one, done].concat(), "{size}");
        }
    }
}
