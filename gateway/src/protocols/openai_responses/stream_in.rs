//! Events of a responses stream (platform.openai.com/docs/api-reference/responses-streaming) to shared ones.

use super::response::{stop, thought, usage};
use crate::protocols::{
    json::{Entry, Node, Tape},
    openai,
    refusal::ApiError,
    sse::SseReader,
    stream::{Event, StreamDecoder},
};

#[derive(Debug, Default)]
pub struct Decoder {
    reader: SseReader,
    items: Items,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), ApiError> {
        let items = &mut self.items;
        self.reader.push(bytes, |data| items.event(data, out))
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), ApiError> {
        let items = &mut self.items;
        self.reader.finish(|data| items.event(data, out))?;
        let is_whole = self.items.has_stopped;
        if is_whole { Ok(()) } else { Err(ApiError::bad_answer("the stream ended before the response did")) }
    }
}

#[derive(Debug, Default)]
struct Items {
    entries: Vec<Entry>,
    has_started: bool,
    has_stopped: bool,
    /// The calls so far: place in the output, whether arguments came.
    calls: Vec<(u64, bool)>,
    /// Whether the thought that is open has been told of.
    has_thought: bool,
}

impl Items {
    fn event(&mut self, data: &str, out: &mut Vec<Event>) -> Result<(), ApiError> {
        if data == "[DONE]" {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let tape = Tape::parse_into(data, entries).map_err(|error| ApiError::bad_answer(error.what))?;
        self.read(tape.root(), out)?;
        self.entries = tape.into_entries();
        Ok(())
    }

    fn read(&mut self, event: Node<'_>, out: &mut Vec<Event>) -> Result<(), ApiError> {
        let delta = || event.get("delta").and_then(Node::str).filter(|it| !it.is_empty()).map(String::from);
        let response = event.get("response");
        match &*event.text_of("type") {
            "response.output_text.delta" => out.extend(delta().map(Event::Text)),
            "response.refusal.delta" => out.extend(delta().map(Event::Refusal)),
            "response.function_call_arguments.delta" => self.arguments(event, delta(), out),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.has_thought = true;
                out.extend(delta().map(Event::Reasoning));
            }
            "response.reasoning_summary_part.added" if event.count_of("summary_index") > 0 => {
                out.push(Event::ReasoningBreak);
            }
            "response.output_item.added" => self.added(event, out),
            "response.content_part.done" => out.push(Event::PartEnd),
            "response.output_item.done" => self.done(event, out),
            "response.created" | "response.in_progress" => self.start(response, out),
            "response.completed" | "response.incomplete" => self.stop(response, out),
            "response.failed" => {
                let error = response.and_then(|it| openai::error_in(it, 200));
                return Err(error.unwrap_or_else(|| ApiError::bad_answer("it failed without a reason")));
            }
            "error" => {
                let error = openai::error_in(event, 200);
                return Err(error.unwrap_or_else(|| ApiError::bad_answer("an error without a message")));
            }
            "" if event.get("error").is_some() => return Err(openai::decode_error(200, event.raw().as_bytes())),
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, response: Option<Node<'_>>, out: &mut Vec<Event>) {
        let Some(response) = response.filter(|_| !self.has_started) else { return };
        self.has_started = true;
        let (id, model) = (response.text_of("id").into_owned(), response.text_of("model").into_owned());
        out.push(Event::Start { id, model, usage: None });
    }

    fn stop(&mut self, response: Option<Node<'_>>, out: &mut Vec<Event>) {
        let Some(response) = response else { return };
        self.start(Some(response), out);
        self.has_stopped = true;
        out.push(Event::Stop(stop(response, !self.calls.is_empty())));
        out.extend(response.get("usage").map(|it| Event::Usage(usage(it))));
    }

    fn added(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        let Some(item) = event.get("item").filter(|it| it.text_of("type") == "function_call") else { return };
        let call = self.calls.len() as u32;
        self.calls.push((event.count_of("output_index"), false));
        let (id, name) = (item.text_of("call_id").into_owned(), item.text_of("name").into_owned());
        out.push(Event::ToolStart { call, id, name });
        self.arguments(event, Some(item.text_of("arguments").into_owned()), out);
    }

    fn arguments(&mut self, event: Node<'_>, json: Option<String>, out: &mut Vec<Event>) {
        let index = event.count_of("output_index");
        let Some(at) = self.calls.iter().rposition(|it| it.0 == index) else { return };
        if let Some(json) = json.filter(|it| !it.is_empty()) {
            self.calls[at].1 = true;
            out.push(Event::ToolArguments { call: at as u32, json });
        }
    }

    fn done(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        let Some(item) = event.get("item") else { return };
        match &*item.text_of("type") {
            "function_call" => {
                let index = event.count_of("output_index");
                let Some(at) = self.calls.iter().rposition(|it| it.0 == index) else { return };
                // Some servers send no deltas of arguments.
                if !self.calls[at].1 {
                    self.arguments(event, Some(item.text_of("arguments").into_owned()), out);
                }
                out.push(Event::ToolEnd { call: at as u32 });
            }
            "reasoning" => self.thought_done(item, out),
            _ => {}
        }
    }

    fn thought_done(&mut self, item: Node<'_>, out: &mut Vec<Event>) {
        let mut thought = thought(item);
        if !std::mem::take(&mut self.has_thought) {
            for (idx, text) in thought.texts.drain(..).enumerate() {
                out.extend((idx > 0).then_some(Event::ReasoningBreak));
                out.push(Event::Reasoning(text));
            }
        }
        out.extend(thought.seal.map(|seal| Event::Sealed { seal, id: thought.id }));
        out.push(Event::PartEnd);
    }
}
