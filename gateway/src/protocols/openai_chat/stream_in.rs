//! Chunks of a chat completion to events.

use super::response::{reasoning_key, seal, stop_reason, usage};
use crate::protocols::{
    json::{Entry, JsonProgress, Node, Tape},
    openai,
    refusal::ApiError,
    response::{Stop, StopReason},
    sse::SseReader,
    stream::{Event, StreamDecoder},
};

#[derive(Debug, Default)]
pub struct Decoder {
    reader: SseReader,
    chunks: Chunks,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), ApiError> {
        let chunks = &mut self.chunks;
        self.reader.push(bytes, |data| chunks.chunk(data, out))
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), ApiError> {
        let chunks = &mut self.chunks;
        self.reader.finish(|data| chunks.chunk(data, out))?;
        self.chunks.end(out)
    }
}

#[derive(Debug, Default)]
struct Chunks {
    entries: Vec<Entry>,
    has_started: bool,
    has_stopped: bool,
    is_done: bool,
    calls: Vec<Call>,
}

/// A call that has begun.
#[derive(Debug)]
struct Call {
    /// The server's number of it; some servers give all calls the same.
    index: u64,
    id: String,
    progress: JsonProgress,
    has_ended: bool,
}

impl Chunks {
    fn chunk(&mut self, data: &str, out: &mut Vec<Event>) -> Result<(), ApiError> {
        if self.is_done || data == "[DONE]" {
            self.is_done = true;
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let tape = Tape::parse_into(data, entries).map_err(|error| ApiError::bad_answer(error.what))?;
        self.read(tape.root(), out)?;
        self.entries = tape.into_entries();
        Ok(())
    }

    fn read(&mut self, chunk: Node<'_>, out: &mut Vec<Event>) -> Result<(), ApiError> {
        if let Some(error) = chunk.get("error").and_then(|_| openai::error_in(chunk, 200)) {
            return Err(error);
        }
        if !std::mem::replace(&mut self.has_started, true) {
            let (id, model) = (chunk.text_of("id").into_owned(), chunk.text_of("model").into_owned());
            out.push(Event::Start { id, model, usage: None });
        }
        for choice in chunk.get("choices").iter().flat_map(|it| it.items()) {
            if choice.count_of("index") > 0 {
                return Err(ApiError::bad_answer("it has more than one choice"));
            }
            if let Some(delta) = choice.get("delta") {
                self.delta(delta, out);
            }
            if let Some(reason) = stop_reason(&choice.text_of("finish_reason")) {
                self.stop(reason, out);
            }
        }
        out.extend(chunk.get("usage").map(|it| Event::Usage(usage(it))));
        Ok(())
    }

    fn delta(&mut self, delta: Node<'_>, out: &mut Vec<Event>) {
        let string = |key| delta.get(key).and_then(Node::str).filter(|it| !it.is_empty()).map(String::from);
        out.extend(reasoning_key(delta).and_then(string).map(Event::Reasoning));
        if let (Some(seal), id) = seal(delta) {
            out.push(Event::Sealed { seal, id });
        }
        out.extend(string("content").map(Event::Text));
        out.extend(string("refusal").map(Event::Refusal));
        for call in delta.get("tool_calls").iter().flat_map(|it| it.items()) {
            self.call(call, out);
        }
    }

    fn call(&mut self, node: Node<'_>, out: &mut Vec<Event>) {
        let function = node.get("function");
        let text = |key| function.map(|it| it.text_of(key)).unwrap_or_default();
        let at = self.find(node).unwrap_or_else(|| {
            self.end_whole_calls(out);
            self.begin(node, &text("name"), out)
        });
        let (call, json) = (&mut self.calls[at], text("arguments"));
        if !json.is_empty() && !call.has_ended {
            call.progress.push(&json);
            out.push(Event::ToolArguments { call: at as u32, json: json.into_owned() });
        }
    }

    /// The call that a delta goes on with.
    fn find(&self, node: Node<'_>) -> Option<usize> {
        let id = node.text_of("id");
        let Some(index) = node.get("index").and_then(Node::u64) else {
            return if id.is_empty() { self.calls.len().checked_sub(1) } else { None };
        };
        let at = self.calls.iter().rposition(|it| it.index == index)?;
        (id.is_empty() || self.calls[at].id == *id).then_some(at)
    }

    fn begin(&mut self, node: Node<'_>, name: &str, out: &mut Vec<Event>) -> usize {
        let at = self.calls.len();
        let id =
            Some(node.text_of("id")).filter(|it| !it.is_empty()).map_or_else(|| format!("call_{at}"), String::from);
        let index = node.get("index").and_then(Node::u64).unwrap_or(at as u64);
        out.push(Event::ToolStart { call: at as u32, id: id.clone(), name: name.to_owned() });
        self.calls.push(Call { index, id, progress: JsonProgress::default(), has_ended: false });
        at
    }

    /// When the next call begins, those whose arguments are whole are over; the others may go on beside it.
    fn end_whole_calls(&mut self, out: &mut Vec<Event>) {
        for (at, call) in self.calls.iter_mut().enumerate() {
            if !call.has_ended && call.progress.is_whole() {
                call.has_ended = true;
                out.push(Event::ToolEnd { call: at as u32 });
            }
        }
    }

    fn stop(&mut self, reason: StopReason, out: &mut Vec<Event>) {
        for (at, call) in self.calls.iter_mut().enumerate() {
            if !std::mem::replace(&mut call.has_ended, true) {
                out.push(Event::ToolEnd { call: at as u32 });
            }
        }
        let is_call = reason == StopReason::End && !self.calls.is_empty();
        if !std::mem::replace(&mut self.has_stopped, true) {
            out.push(Event::Stop(Stop::from(if is_call { StopReason::ToolCalls } else { reason })));
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), ApiError> {
        // Some servers leave the reason out, but say that they are done.
        match (self.has_stopped, self.is_done) {
            (true, _) => Ok(()),
            (false, true) => {
                self.stop(StopReason::End, out);
                Ok(())
            }
            (false, false) => Err(ApiError::bad_answer("the stream ended before the response did")),
        }
    }
}
