//! Events to chunks of a chat completion.

use super::response::{finish_reason, write_detail, write_usage};
use crate::protocols::{
    json::Object,
    openai,
    request::Seal,
    response::{Asked, Stop, Usage},
    sse::frame,
    stream::{Event, StreamEncoder},
};

pub struct Encoder {
    asked: Asked,
    model: String,
    usage: Option<Usage>,
    has_calls: bool,
    has_failed: bool,
    /// The thought that is being told, for the client to hand back with its signature.
    thought: String,
    n_thoughts: usize,
}

impl Encoder {
    pub fn new(asked: &Asked) -> Self {
        Self {
            asked: asked.clone(),
            model: String::new(),
            usage: None,
            has_calls: false,
            has_failed: false,
            thought: String::new(),
            n_thoughts: 0,
        }
    }

    /// The members that all chunks have.
    fn head<'o>(&self, out: &'o mut Vec<u8>) -> Object<'o> {
        let mut chunk = Object::new(out);
        chunk.prefixed("id", "chatcmpl-", &self.asked.id);
        chunk.str("object", "chat.completion.chunk").num("created", self.asked.created).str("model", &self.model);
        chunk
    }

    fn chunk(&self, out: &mut Vec<u8>, finish: Option<&str>, delta: impl FnOnce(&mut Object<'_>)) {
        frame(out, None, |out| {
            let mut chunk = self.head(out);
            let mut choices = chunk.array("choices");
            let mut choice = choices.object();
            choice.num("index", 0);
            delta(&mut choice.object("delta"));
            choice.raw("logprobs", "null").str_or_null("finish_reason", finish);
            drop(choice);
            drop(choices);
            if self.asked.has_usage {
                chunk.raw("usage", "null");
            }
        });
    }

    fn tool_start(&mut self, call: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.has_calls = true;
        self.chunk(out, None, |delta| {
            let mut calls = delta.array("tool_calls");
            let mut it = calls.object();
            it.num("index", u64::from(call)).str("id", id).str("type", "function");
            it.object("function").str("name", name).str("arguments", "");
        });
    }

    fn tool_arguments(&self, call: u32, json: &str, out: &mut Vec<u8>) {
        self.chunk(out, None, |delta| {
            let mut calls = delta.array("tool_calls");
            let mut it = calls.object();
            it.num("index", u64::from(call));
            it.object("function").str("arguments", json);
        });
    }

    fn reasoning(&mut self, text: &str, out: &mut Vec<u8>) {
        self.thought.push_str(text);
        self.chunk(out, None, |delta| {
            delta.str("reasoning_content", text);
        });
    }

    fn sealed(&mut self, seal: &Seal, id: Option<&str>, out: &mut Vec<u8>) {
        let (thought, idx) = (std::mem::take(&mut self.thought), self.n_thoughts);
        self.n_thoughts += 1;
        let text = Some(thought.as_str()).filter(|it| !it.is_empty());
        self.chunk(out, None, |delta| {
            let mut details = delta.array("reasoning_details");
            write_detail(&mut details.object(), seal, text, id, idx);
        });
    }

    fn stop(&self, stop: &Stop, out: &mut Vec<u8>) {
        self.chunk(out, Some(finish_reason(stop.reason, self.has_calls)), |_| {});
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { model, usage, .. } => {
                self.model = self.asked.model(model).to_owned();
                self.usage = *usage;
                self.chunk(out, None, |delta| {
                    delta.str("role", "assistant").raw("content", "null");
                });
            }
            Event::Text(text) => self.chunk(out, None, |delta| {
                delta.str("content", text);
            }),
            Event::Refusal(text) => self.chunk(out, None, |delta| {
                delta.str("refusal", text);
            }),
            Event::Reasoning(text) => self.reasoning(text, out),
            Event::ReasoningBreak => self.reasoning("\n\n", out),
            Event::Sealed { seal, id } => self.sealed(seal, id.as_deref(), out),
            Event::ToolStart { call, id, name } => self.tool_start(*call, id, name, out),
            Event::ToolArguments { call, json } => self.tool_arguments(*call, json, out),
            Event::PartEnd | Event::ToolEnd { .. } => {}
            Event::Stop(stop) => self.stop(stop, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(error) => {
                self.has_failed = true;
                frame(out, None, |out| openai::write_error(&mut Object::new(out).object("error"), error));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.has_failed {
            return;
        }
        if let Some(usage) = self.usage.filter(|_| self.asked.has_usage) {
            frame(out, None, |out| {
                let mut chunk = self.head(out);
                drop(chunk.array("choices"));
                write_usage(&mut chunk.object("usage"), &usage);
            });
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
