//! Events of a messages stream (platform.claude.com/docs/en/build-with-claude/streaming) to shared ones.

use super::response::{stop_reason, usage};
use crate::protocols::{
    json::{Entry, Node, Tape},
    openai,
    refusal::ApiError,
    request::Seal,
    response::{Stop, Usage},
    seal,
    sse::SseReader,
    stream::{Event, StreamDecoder},
};

#[derive(Debug, Default)]
pub struct Decoder {
    reader: SseReader,
    blocks: Blocks,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), ApiError> {
        let blocks = &mut self.blocks;
        self.reader.push(bytes, |data| blocks.event(data, out))
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), ApiError> {
        let blocks = &mut self.blocks;
        self.reader.finish(|data| blocks.event(data, out))?;
        let is_whole = self.blocks.has_stopped;
        if is_whole { Ok(()) } else { Err(ApiError::bad_answer("the stream ended before the response did")) }
    }
}

#[derive(Debug, Default)]
struct Blocks {
    entries: Vec<Entry>,
    usage: Usage,
    n_calls: u32,
    /// The calls that are open: block, number of the call, whether arguments came.
    calls: Vec<(u64, u32, bool)>,
    has_stopped: bool,
}

impl Blocks {
    fn event(&mut self, data: &str, out: &mut Vec<Event>) -> Result<(), ApiError> {
        let entries = std::mem::take(&mut self.entries);
        let tape = Tape::parse_into(data, entries).map_err(|error| ApiError::bad_answer(error.what))?;
        let event = tape.root();
        match &*event.text_of("type") {
            "content_block_delta" => self.delta(event, out),
            "content_block_start" => self.start(event, out),
            "content_block_stop" => self.block_end(event.count_of("index"), out),
            "message_start" => self.message_start(event, out),
            "message_delta" => self.message_delta(event, out),
            "message_stop" => self.has_stopped = true,
            "ping" => out.push(Event::Ping),
            // "New event types may be added" (the guide's section on versioning); an error may come without its type.
            _ => {
                if let Some(error) = event.get("error").and_then(|_| openai::error_in(event, 200)) {
                    return Err(error);
                }
            }
        }
        self.entries = tape.into_entries();
        Ok(())
    }

    fn message_start(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        let Some(message) = event.get("message") else { return };
        self.usage = message.get("usage").map(|it| usage(it, self.usage)).unwrap_or_default();
        let (id, model) = (message.text_of("id").into_owned(), message.text_of("model").into_owned());
        out.push(Event::Start { id, model, usage: Some(self.usage) });
    }

    fn message_delta(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        if let Some(delta) = event.get("delta").filter(|it| it.get("stop_reason").is_some()) {
            let sequence = delta.get("stop_sequence").and_then(Node::str).map(String::from);
            out.push(Event::Stop(Stop { reason: stop_reason(&delta.text_of("stop_reason")), sequence }));
        }
        if let Some(node) = event.get("usage") {
            self.usage = usage(node, self.usage);
            out.push(Event::Usage(self.usage));
        }
    }

    fn start(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        let Some(block) = event.get("content_block") else { return };
        let string = |key| block.get(key).and_then(Node::str).filter(|it| !it.is_empty()).map(String::from);
        match &*block.text_of("type") {
            "text" => out.extend(string("text").map(Event::Text)),
            "thinking" => out.extend(string("thinking").map(Event::Reasoning)),
            "redacted_thinking" => {
                let seal = Seal::Redacted(string("data").unwrap_or_default());
                out.push(Event::Sealed { seal, id: None });
            }
            "tool_use" => {
                let (call, id) = (self.n_calls, string("id").unwrap_or_default());
                self.n_calls += 1;
                self.calls.push((event.count_of("index"), call, false));
                out.push(Event::ToolStart { call, id, name: string("name").unwrap_or_default() });
                self.whole_input(block, call, out);
            }
            _ => {}
        }
    }

    /// Some servers send the whole input at once.
    fn whole_input(&mut self, block: Node<'_>, call: u32, out: &mut Vec<Event>) {
        let Some(input) = block.get("input").filter(|it| it.members().next().is_some()) else { return };
        self.calls.iter_mut().filter(|it| it.1 == call).for_each(|it| it.2 = true);
        out.push(Event::ToolArguments { call, json: input.raw().to_owned() });
    }

    fn delta(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        let Some(delta) = event.get("delta") else { return };
        let string = |key| delta.get(key).and_then(Node::str).filter(|it| !it.is_empty()).map(String::from);
        match &*delta.text_of("type") {
            "text_delta" => out.extend(string("text").map(Event::Text)),
            "thinking_delta" => out.extend(string("thinking").map(Event::Reasoning)),
            "signature_delta" => {
                let thought = string("signature").map(|it| seal::from_anthropic(Vec::new(), it));
                out.extend(thought.and_then(|it| Some(Event::Sealed { seal: it.seal?, id: it.id })));
            }
            "input_json_delta" => {
                let index = event.count_of("index");
                let call = self.calls.iter_mut().find(|it| it.0 == index);
                if let (Some(call), Some(json)) = (call, string("partial_json")) {
                    call.2 = true;
                    out.push(Event::ToolArguments { call: call.1, json });
                }
            }
            _ => {}
        }
    }

    fn block_end(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.calls.iter().position(|it| it.0 == index) else {
            out.push(Event::PartEnd);
            return;
        };
        let (_, call, has_arguments) = self.calls.swap_remove(at);
        // A call without arguments has no deltas, and elsewhere its arguments must be JSON.
        if !has_arguments {
            out.push(Event::ToolArguments { call, json: "{}".to_owned() });
        }
        out.push(Event::ToolEnd { call });
    }
}
