//! Events to a messages stream.

use super::{
    error,
    response::{Holds, stop_word, write_usage},
};
use crate::protocols::{
    json::Object,
    request::Seal,
    response::{Asked, Stop, StopReason, Usage},
    seal,
    sse::frame,
    stream::{Event, StreamEncoder},
};

/// The block that text goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

pub struct Encoder {
    asked: Asked,
    usage: Usage,
    stop: Option<Stop>,
    has_failed: bool,
    n_blocks: u64,
    open: Option<(Open, u64)>,
    /// The open calls: number and block.
    calls: Vec<(u32, u64)>,
    holds: Holds,
}

impl Encoder {
    pub fn new(asked: &Asked) -> Self {
        Self {
            asked: asked.clone(),
            usage: Usage::default(),
            stop: None,
            has_failed: false,
            n_blocks: 0,
            open: None,
            calls: Vec::new(),
            holds: Holds::default(),
        }
    }

    fn message_start(&self, model: &str, out: &mut Vec<u8>) {
        event(out, "message_start", |it| {
            let mut message = it.object("message");
            message.prefixed("id", "msg_", &self.asked.id).str("type", "message").str("role", "assistant");
            message.str("model", self.asked.model(model)).raw("content", "[]");
            message.raw("stop_reason", "null").raw("stop_sequence", "null");
            write_usage(&mut message.object("usage"), &self.usage);
        });
    }

    fn start_block(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) -> u64 {
        let index = self.n_blocks;
        self.n_blocks += 1;
        event(out, "content_block_start", |it| {
            it.num("index", index);
            write(&mut it.object("content_block"));
        });
        index
    }

    /// The block of that kind, begun if another one is open.
    fn block(&mut self, wanted: Open, out: &mut Vec<u8>) -> u64 {
        if let Some((open, index)) = self.open
            && open == wanted
        {
            return index;
        }
        self.end_part(out);
        let index = self.start_block(out, |block| {
            match wanted {
                Open::Text => block.str("type", "text").str("text", ""),
                Open::Thinking => block.str("type", "thinking").str("thinking", "").str("signature", ""),
            };
        });
        self.open = Some((wanted, index));
        index
    }

    fn end_part(&mut self, out: &mut Vec<u8>) {
        if let Some((_, index)) = self.open.take() {
            block_stop(index, out);
        }
    }

    fn end_calls(&mut self, out: &mut Vec<u8>) {
        for (_, index) in std::mem::take(&mut self.calls) {
            block_stop(index, out);
        }
    }

    fn sealed(&mut self, seal: &Seal, id: Option<&str>, out: &mut Vec<u8>) {
        match seal {
            Seal::Signature(signature) => {
                let index = self.block(Open::Thinking, out);
                delta(index, "signature_delta", "signature", signature, out);
            }
            Seal::Redacted(data) => {
                self.end_part(out);
                let index = self.start_block(out, |block| {
                    block.str("type", "redacted_thinking").str("data", data);
                });
                block_stop(index, out);
            }
            Seal::Encrypted(_) => {
                let index = self.block(Open::Thinking, out);
                let signature = seal::for_anthropic(seal, id).unwrap_or_default();
                delta(index, "signature_delta", "signature", &signature, out);
            }
        }
    }

    fn tool_start(&mut self, call: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.end_part(out);
        self.holds.calls = true;
        let index = self.start_block(out, |block| {
            block.str("type", "tool_use").str("id", id).str("name", name).raw("input", "{}");
        });
        self.calls.push((call, index));
    }

    fn tool_end(&mut self, call: u32, out: &mut Vec<u8>) {
        if let Some(at) = self.calls.iter().position(|it| it.0 == call) {
            block_stop(self.calls.remove(at).1, out);
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { model, usage, .. } => {
                self.usage = usage.unwrap_or_default();
                self.message_start(model, out);
            }
            Event::Text(text) | Event::Refusal(text) => {
                self.holds.refusal |= matches!(event, Event::Refusal(_));
                let index = self.block(Open::Text, out);
                delta(index, "text_delta", "text", text, out);
            }
            Event::Reasoning(text) => {
                let index = self.block(Open::Thinking, out);
                delta(index, "thinking_delta", "thinking", text, out);
            }
            Event::ReasoningBreak => {
                let index = self.block(Open::Thinking, out);
                delta(index, "thinking_delta", "thinking", "\n\n", out);
            }
            Event::Sealed { seal, id } => self.sealed(seal, id.as_deref(), out),
            Event::PartEnd => self.end_part(out),
            Event::ToolStart { call, id, name } => self.tool_start(*call, id, name, out),
            Event::ToolArguments { call, json } => {
                if let Some((_, index)) = self.calls.iter().find(|it| it.0 == *call) {
                    delta(*index, "input_json_delta", "partial_json", json, out);
                }
            }
            Event::ToolEnd { call } => self.tool_end(*call, out),
            Event::Stop(stop) => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = *usage,
            Event::Error(error) => {
                self.has_failed = true;
                frame(out, Some("error"), |out| error::write(&mut Object::new(out), error));
            }
            Event::Ping => frame(out, Some("ping"), |out| out.extend_from_slice(br#"{"type":"ping"}"#)),
        }
    }

    /// The reason to stop and the usage share one event, and the usage may come last.
    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.has_failed {
            return;
        }
        self.end_part(out);
        self.end_calls(out);
        let stop = self.stop.take().unwrap_or_else(|| StopReason::End.into());
        event(out, "message_delta", |it| {
            let mut delta = it.object("delta");
            delta.str("stop_reason", stop_word(stop.reason, self.holds));
            delta.str_or_null("stop_sequence", stop.sequence.as_deref());
            drop(delta);
            write_usage(&mut it.object("usage"), &self.usage);
        });
        event(out, "message_stop", |_| {});
    }
}

fn event(out: &mut Vec<u8>, kind: &str, write: impl FnOnce(&mut Object<'_>)) {
    frame(out, Some(kind), |out| write(Object::new(out).str("type", kind)));
}

fn block_stop(index: u64, out: &mut Vec<u8>) {
    event(out, "content_block_stop", |it| {
        it.num("index", index);
    });
}

fn delta(index: u64, kind: &str, key: &str, text: &str, out: &mut Vec<u8>) {
    event(out, "content_block_delta", |it| {
        it.num("index", index).object("delta").str("type", kind).str(key, text);
    });
}
