//! Events to a responses stream. The last event repeats the whole response, so its texts are kept as they go out.

use super::response::{Envelope, Item, Status, write_content};
use crate::protocols::{
    json::Object,
    openai,
    request::{Seal, Thought, ToolCall},
    response::{Asked, Stop, Usage},
    sse::frame,
    stream::{Event, StreamEncoder},
};

pub struct Encoder {
    asked: Asked,
    model: String,
    sequence: u64,
    items: Vec<Item>,
    /// Ids of the items.
    ids: Vec<String>,
    /// The message or thought that is open.
    open: Option<usize>,
    /// Whether its last part is.
    is_part_open: bool,
    /// The open calls: number and item.
    calls: Vec<(u32, usize)>,
    stop: Option<Stop>,
    usage: Option<Usage>,
    has_failed: bool,
}

impl Encoder {
    pub fn new(asked: &Asked) -> Self {
        Self {
            asked: asked.clone(),
            model: String::new(),
            sequence: 0,
            items: Vec::new(),
            ids: Vec::new(),
            open: None,
            is_part_open: false,
            calls: Vec::new(),
            stop: None,
            usage: None,
            has_failed: false,
        }
    }

    fn event(&mut self, kind: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>, &Self)) {
        frame(out, Some(kind), |out| {
            let mut event = Object::new(out);
            event.str("type", kind).num("sequence_number", self.sequence);
            write(&mut event, self);
        });
        self.sequence += 1;
    }

    /// An event with the response as it is.
    fn response(&mut self, kind: &str, status: Status, out: &mut Vec<u8>) {
        self.event(kind, out, |event, it| {
            let usage = if status == Status::InProgress { None } else { it.usage };
            let envelope = Envelope { asked: &it.asked, model: &it.model, status, usage };
            envelope.write(&mut event.object("response"), &it.items);
        });
    }

    /// An event of the item `idx`.
    fn item_event(&mut self, kind: &str, idx: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>, &Item)) {
        self.event(kind, out, |event, it| {
            event.str("item_id", it.ids.get(idx).map_or("", String::as_str)).num("output_index", idx as u64);
            if let Some(item) = it.items.get(idx) {
                write(event, item);
            }
        });
    }

    fn add(&mut self, item: Item, out: &mut Vec<u8>) -> usize {
        let idx = self.items.len();
        self.ids.push(item.id(&self.asked, idx));
        self.items.push(item);
        self.whole_item("response.output_item.added", idx, Status::InProgress, out);
        idx
    }

    fn whole_item(&mut self, kind: &str, idx: usize, status: Status, out: &mut Vec<u8>) {
        self.event(kind, out, |event, it| {
            event.num("output_index", idx as u64);
            if let (Some(item), Some(id)) = (it.items.get(idx), it.ids.get(idx)) {
                item.write(&mut event.object("item"), id, status);
            }
        });
    }

    fn text(&mut self, text: &str, is_refusal: bool, out: &mut Vec<u8>) {
        let is_same =
            |it: &Item| matches!(it, Item::Message(texts) if texts.last().is_some_and(|it| it.1 == is_refusal));
        let idx = match self.open {
            Some(idx) if self.is_part_open && is_same(&self.items[idx]) => idx,
            _ => self.begin_text(is_refusal, out),
        };
        let Some(Item::Message(texts)) = self.items.get_mut(idx) else { return };
        let part = texts.len() - 1;
        texts[part].0.push_str(text);
        let kind = if is_refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        self.item_event(kind, idx, out, |event, _| {
            event.num("content_index", part as u64).str("delta", text);
            if !is_refusal {
                event.raw("logprobs", "[]");
            }
        });
    }

    /// A new part, in the open message or in a new one.
    fn begin_text(&mut self, is_refusal: bool, out: &mut Vec<u8>) -> usize {
        self.end_part(out);
        let idx = match self.open {
            Some(idx) if matches!(self.items[idx], Item::Message(_)) => idx,
            _ => {
                self.end_item(out);
                self.add(Item::Message(Vec::new()), out)
            }
        };
        self.open = Some(idx);
        self.is_part_open = true;
        let Some(Item::Message(texts)) = self.items.get_mut(idx) else { return idx };
        texts.push((String::new(), is_refusal));
        let part = texts.len() - 1;
        self.item_event("response.content_part.added", idx, out, |event, _| {
            event.num("content_index", part as u64);
            write_content(&mut event.object("part"), "", is_refusal);
        });
        idx
    }

    fn reasoning(&mut self, text: &str, out: &mut Vec<u8>) {
        let idx = self.thought(out);
        if !self.is_part_open {
            self.begin_paragraph(idx, out);
        }
        let Some(Item::Reasoning(thought)) = self.items.get_mut(idx) else { return };
        let Some(last) = thought.texts.last_mut() else { return };
        last.push_str(text);
        let part = thought.texts.len() - 1;
        self.item_event("response.reasoning_summary_text.delta", idx, out, |event, _| {
            event.num("summary_index", part as u64).str("delta", text);
        });
    }

    /// The open thought, begun if there is none.
    fn thought(&mut self, out: &mut Vec<u8>) -> usize {
        match self.open {
            Some(idx) if matches!(self.items[idx], Item::Reasoning(_)) => idx,
            _ => {
                self.end_part(out);
                self.end_item(out);
                let idx = self.add(Item::Reasoning(Thought::default()), out);
                self.open = Some(idx);
                idx
            }
        }
    }

    fn begin_paragraph(&mut self, idx: usize, out: &mut Vec<u8>) {
        self.is_part_open = true;
        let Some(Item::Reasoning(thought)) = self.items.get_mut(idx) else { return };
        thought.texts.push(String::new());
        let part = thought.texts.len() - 1;
        self.item_event("response.reasoning_summary_part.added", idx, out, |event, _| {
            event.num("summary_index", part as u64).object("part").str("type", "summary_text").str("text", "");
        });
    }

    fn sealed(&mut self, seal: &Seal, out: &mut Vec<u8>) {
        let idx = self.thought(out);
        if let Some(Item::Reasoning(thought)) = self.items.get_mut(idx) {
            thought.seal = Some(seal.clone());
        }
        self.end_part(out);
        self.end_item(out);
    }

    /// Ends the open part of the open item.
    fn end_part(&mut self, out: &mut Vec<u8>) {
        let Some(idx) = self.open.filter(|_| std::mem::take(&mut self.is_part_open)) else { return };
        match self.items.get(idx).cloned() {
            Some(Item::Message(texts)) => {
                let Some((text, is_refusal)) = texts.last() else { return };
                self.end_text(idx, texts.len() - 1, text, *is_refusal, out);
            }
            Some(Item::Reasoning(thought)) => {
                let Some(text) = thought.texts.last() else { return };
                self.end_paragraph(idx, thought.texts.len() - 1, text, out);
            }
            _ => {}
        }
    }

    fn end_text(&mut self, idx: usize, part: usize, text: &str, is_refusal: bool, out: &mut Vec<u8>) {
        let (kind, key) =
            if is_refusal { ("response.refusal.done", "refusal") } else { ("response.output_text.done", "text") };
        self.item_event(kind, idx, out, |event, _| {
            event.num("content_index", part as u64).str(key, text);
            if !is_refusal {
                event.raw("logprobs", "[]");
            }
        });
        self.item_event("response.content_part.done", idx, out, |event, _| {
            event.num("content_index", part as u64);
            write_content(&mut event.object("part"), text, is_refusal);
        });
    }

    fn end_paragraph(&mut self, idx: usize, part: usize, text: &str, out: &mut Vec<u8>) {
        self.item_event("response.reasoning_summary_text.done", idx, out, |event, _| {
            event.num("summary_index", part as u64).str("text", text);
        });
        self.item_event("response.reasoning_summary_part.done", idx, out, |event, _| {
            event.num("summary_index", part as u64).object("part").str("type", "summary_text").str("text", text);
        });
    }

    fn end_item(&mut self, out: &mut Vec<u8>) {
        if let Some(idx) = self.open.take() {
            self.whole_item("response.output_item.done", idx, Status::of(self.stop.as_ref()), out);
        }
    }

    fn tool_start(&mut self, call: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.end_part(out);
        self.end_item(out);
        let item = ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: String::new() };
        let idx = self.add(Item::Call(item), out);
        self.calls.push((call, idx));
    }

    fn tool_arguments(&mut self, call: u32, json: &str, out: &mut Vec<u8>) {
        let Some((_, idx)) = self.calls.iter().find(|it| it.0 == call).copied() else { return };
        if let Some(Item::Call(call)) = self.items.get_mut(idx) {
            call.arguments.push_str(json);
        }
        self.item_event("response.function_call_arguments.delta", idx, out, |event, _| {
            event.str("delta", json);
        });
    }

    fn tool_end(&mut self, call: u32, out: &mut Vec<u8>) {
        let Some(at) = self.calls.iter().position(|it| it.0 == call) else { return };
        let (_, idx) = self.calls.remove(at);
        self.item_event("response.function_call_arguments.done", idx, out, |event, item| {
            if let Item::Call(call) = item {
                event.str("name", &call.name).str("arguments", &call.arguments);
            }
        });
        self.whole_item("response.output_item.done", idx, Status::of(self.stop.as_ref()), out);
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { model, usage, .. } => {
                model.clone_into(&mut self.model);
                self.usage = *usage;
                self.response("response.created", Status::InProgress, out);
                self.response("response.in_progress", Status::InProgress, out);
            }
            Event::Text(text) => self.text(text, false, out),
            Event::Refusal(text) => self.text(text, true, out),
            Event::Reasoning(text) => self.reasoning(text, out),
            Event::ReasoningBreak => {
                self.thought(out);
                self.end_part(out);
            }
            Event::Sealed { seal, .. } => self.sealed(seal, out),
            Event::PartEnd => {
                self.end_part(out);
                if self.open.is_some_and(|idx| matches!(self.items[idx], Item::Reasoning(_))) {
                    self.end_item(out);
                }
            }
            Event::ToolStart { call, id, name } => self.tool_start(*call, id, name, out),
            Event::ToolArguments { call, json } => self.tool_arguments(*call, json, out),
            Event::ToolEnd { call } => self.tool_end(*call, out),
            Event::Stop(stop) => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(error) => {
                self.has_failed = true;
                self.event("error", out, |event, _| openai::write_error_event(event, error));
            }
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.has_failed {
            return;
        }
        self.end_part(out);
        self.end_item(out);
        for (call, _) in self.calls.clone() {
            self.tool_end(call, out);
        }
        let status = Status::of(self.stop.as_ref());
        let is_whole = status == Status::Completed;
        self.response(if is_whole { "response.completed" } else { "response.incomplete" }, status, out);
    }
}
