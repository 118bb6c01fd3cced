//! What was said, for the log, where `[log] contents` is switched on: texts, thoughts and calls of tools, under OpenTelemetry's
//! names (semantic conventions for generative AI, `gen_ai.input.messages`). Never what may hold secrets or is no text: headers,
//! definitions of tools, what a vendor's own tools are configured with, pictures and files.

use serde_json::{Value, json};

use super::{explain::Explanation, protocol_of, tools::Assembler};
use crate::protocols::{Message, Part, PartKind, Role};
use tollgate_config::WireFormat;

/// Bytes of one text that are shown, and of one answer that are kept to be read at its end.
const MAX_TEXT_BYTES: usize = 16 << 10;
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// One request's contents: as they came, and as much of the answer as the client has.
pub struct Contents {
    format: WireFormat,
    asked: String,
    answered: Vec<u8>,
}

impl Contents {
    /// Of a body that was not refused.
    pub fn new(format: WireFormat, body: &[u8]) -> Self {
        let asked = (protocol_of(format).decode_request)(body).map(|it| messages(&it.messages).to_string());
        Self { format, asked: asked.unwrap_or_default(), answered: Vec::new() }
    }

    /// Takes bytes that the client gets.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = MAX_ANSWER_BYTES.saturating_sub(self.answered.len());
        self.answered.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub fn log(&self, told: &Explanation) {
        let parts = if told.is_stream { self.streamed() } else { self.whole() };
        tracing::info!(
            target: "tollgate::contents",
            id = told.id,
            gen_ai.input.messages = self.asked,
            gen_ai.output.messages = json!([message("assistant", &parts)]).to_string(),
        );
    }

    fn whole(&self) -> Vec<Part> {
        (protocol_of(self.format).decode_response)(&self.answered).map(|it| it.parts).unwrap_or_default()
    }

    /// Of a stream that was cut, what came.
    fn streamed(&self) -> Vec<Part> {
        let mut events = Vec::new();
        // What cannot be read ends it, and what came before counts.
        let _ = (protocol_of(self.format).decoder)().push(&self.answered, &mut events);
        let mut assembler = Assembler::default();
        events.iter().for_each(|event| assembler.push(event));
        assembler.into_parts()
    }
}

fn messages(messages: &[Message]) -> Value {
    let role = |role| match role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    messages.iter().map(|it| message(role(it.role), &it.parts)).collect()
}

fn message(role: &str, parts: &[Part]) -> Value {
    json!({"role": role, "parts": parts.iter().map(part).collect::<Vec<_>>()})
}

fn part(part: &Part) -> Value {
    match &part.kind {
        PartKind::Text(text) => json!({"type": "text", "content": shown(text)}),
        PartKind::Refusal(text) => json!({"type": "refusal", "content": shown(text)}),
        PartKind::Reasoning(thought) => json!({"type": "reasoning", "content": shown(&thought.texts.join("\n"))}),
        PartKind::ToolCall(it) => {
            json!({"type": "tool_call", "id": it.id, "name": it.name, "arguments": shown(&it.arguments)})
        }
        PartKind::ToolResult(it) => {
            let response: Vec<Value> = it.parts.iter().map(self::part).collect();
            json!({"type": "tool_call_response", "id": it.call_id, "response": response})
        }
        PartKind::Image { .. } => json!({"type": "image"}),
        PartKind::File { .. } => json!({"type": "file"}),
        PartKind::Native { kind, .. } => json!({"type": kind}),
    }
}

fn shown(text: &str) -> String {
    let cut = text.floor_char_boundary(MAX_TEXT_BYTES);
    match text.len() > cut {
        true => format!("{} (and {} bytes more)", &text[..cut], text.len() - cut),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shown_and_secrets_and_pictures_are_not() {
        let long = "x".repeat(MAX_TEXT_BYTES + 7);
        let body = json!({
            "model": "m", "max_tokens": 9, "system": "Be kind.",
            "mcp_servers": [{"type": "url", "name": "a", "url": "http://a", "authorization_token": "SECRET"}],
            "tools": [{"name": "t", "description": "SECRET", "input_schema": {}}],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Hello"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "U0VDUkVU"}},
                    {"type": "mcp_thing", "token": "SECRET"},
                    {"type": "text", "text": long},
                ]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "t", "input": {"a": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "done"}]},
            ],
        });
        let contents = Contents::new(WireFormat::Anthropic, body.to_string().as_bytes());
        for told in ["Be kind.", "Hello", "(and 7 bytes more)", "{\\\"a\\\":1}", "done", "\"image\"", "mcp_thing"] {
            assert!(contents.asked.contains(told), "{told} in {}", contents.asked);
        }
        assert!(!contents.asked.contains("SECRET") && !contents.asked.contains("U0VDUkVU"), "{}", contents.asked);
    }

    #[test]
    fn answers_are_read_whole_and_as_far_as_they_came() {
        let mut whole = Contents::new(WireFormat::OpenaiChat, b"{}");
        whole.push(br#"{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}"#);
        assert_eq!(whole.whole().first().and_then(Part::text), Some("Hi"));
        let mut cut = Contents::new(WireFormat::OpenaiChat, b"{}");
        cut.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"cho");
        assert_eq!(cut.streamed().first().and_then(Part::text), Some("Hi"));
        cut.push(&vec![b'x'; 2 * MAX_ANSWER_BYTES]);
        assert_eq!(cut.answered.len(), MAX_ANSWER_BYTES);
    }
}
