//! A message that the model wrote, in and out, and its usage.

use crate::protocols::{
    extras::Extras,
    json::{Json, Node, Object, Tape},
    openai,
    refusal::ApiError,
    request::{At, Format, Part, PartKind, Seal, Thought, ToolCall},
    response::{Asked, Response, Stop, StopReason, Usage},
    seal,
};

const FORMAT: Format = Format::Anthropic;

/// Every reason to stop and Anthropic's word for it.
const STOPS: &[(StopReason, &str)] = &[
    (StopReason::End, "end_turn"),
    (StopReason::MaxTokens, "max_tokens"),
    (StopReason::StopSequence, "stop_sequence"),
    (StopReason::ToolCalls, "tool_use"),
    (StopReason::Filter, "refusal"),
    (StopReason::Pause, "pause_turn"),
    (StopReason::Window, "model_context_window_exceeded"),
];

pub fn stop_reason(word: &str) -> StopReason {
    STOPS.iter().find(|it| it.1 == word).map_or(StopReason::End, |it| it.0)
}

/// What an answer holds that its reason to stop has to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holds {
    pub calls: bool,
    /// OpenAI's models refuse in a part of their own and end as if they had answered.
    pub refusal: bool,
}

pub fn stop_word(reason: StopReason, holds: Holds) -> &'static str {
    let reason = match reason {
        StopReason::End if holds.refusal => StopReason::Filter,
        StopReason::End if holds.calls => StopReason::ToolCalls,
        reason => reason,
    };
    STOPS.iter().find(|it| it.0 == reason).map_or("end_turn", |it| it.1)
}

/// A `thinking` or `redacted_thinking` block.
pub fn thought(node: Node<'_>) -> Thought {
    let string = |key| node.get(key).and_then(Node::str).map(String::from);
    let texts: Vec<_> = string("thinking").into_iter().filter(|it| !it.is_empty()).collect();
    match (string("data"), string("signature").filter(|it| !it.is_empty())) {
        (Some(data), _) => Thought { texts, seal: Some(Seal::Redacted(data)), id: None },
        (None, Some(signature)) => seal::from_anthropic(texts, signature),
        (None, None) => Thought { texts, seal: None, id: None },
    }
}

pub fn write_thought(out: &mut Object<'_>, thought: &Thought) {
    let text = thought.texts.join("\n\n");
    if let Some(Seal::Redacted(data)) = &thought.seal {
        out.str("type", "redacted_thinking").str("data", data);
        return;
    }
    let signature = match &thought.seal {
        Some(Seal::Signature(signature)) => Some(signature.clone()),
        Some(seal) => seal::for_anthropic(seal, thought.id.as_deref()),
        None => None,
    };
    out.str("type", "thinking").str("thinking", &text).str("signature", &signature.unwrap_or_default());
}

pub fn decode(bytes: &[u8]) -> Result<Response, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad_answer("it is not UTF-8"))?;
    let tape = Tape::parse(text).map_err(|error| ApiError::bad_answer(error.what))?;
    let body = tape.root();
    if let Some(error) = body.get("error").and_then(|_| openai::error_in(body, 200)) {
        return Err(error);
    }
    let content = body.get("content").ok_or_else(|| ApiError::bad_answer("it has no content"))?;
    let sequence = body.get("stop_sequence").and_then(Node::str).map(String::from);
    Ok(Response {
        id: body.text_of("id").into_owned(),
        model: body.text_of("model").into_owned(),
        parts: content.items().enumerate().map(|(idx, it)| part(it, At::item("content", idx))).collect(),
        stop: Stop { reason: stop_reason(&body.text_of("stop_reason")), sequence },
        usage: body.get("usage").map(|it| usage(it, Usage::default())),
        extras: Extras::of(body, FORMAT, ENVELOPE),
    })
}

const ENVELOPE: &[&str] = &["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"];

fn part(node: Node<'_>, at: At) -> Part {
    let kind = node.text_of("type");
    let (part, known): (_, &[&str]) = match &*kind {
        "text" => (PartKind::Text(node.text_of("text").into_owned()), &["type", "text"]),
        "thinking" | "redacted_thinking" => {
            (PartKind::Reasoning(thought(node)), &["type", "thinking", "signature", "data"])
        }
        "tool_use" => {
            let arguments = node.get("input").map_or("{}", Node::raw).to_owned();
            let (id, name) = (node.text_of("id").into_owned(), node.text_of("name").into_owned());
            (PartKind::ToolCall(ToolCall { id, name, arguments }), &["type", "id", "name", "input"])
        }
        _ => {
            let native = PartKind::Native { format: FORMAT, kind: kind.into_owned(), json: Json::of(node) };
            return Part::new(native, at);
        }
    };
    Part { kind: part, at, extras: Extras::of(node, FORMAT, known) }
}

pub fn encode(response: &Response, asked: &Asked) -> Vec<u8> {
    let mut body = Vec::new();
    let mut out = Object::new(&mut body);
    out.prefixed("id", "msg_", &asked.id).str("type", "message").str("role", "assistant");
    out.str("model", asked.model(&response.model));
    let mut content = out.array("content");
    for part in &response.parts {
        match &part.kind {
            PartKind::Native { format: FORMAT, json, .. } => content.raw(json.text()),
            PartKind::Native { .. } => {}
            _ => self::block(&mut content.object(), part),
        }
    }
    drop(content);
    let refusal = response.parts.iter().any(|it| matches!(it.kind, PartKind::Refusal(_)));
    let holds = Holds { calls: response.calls_tools(), refusal };
    out.str("stop_reason", stop_word(response.stop.reason, holds));
    out.str_or_null("stop_sequence", response.stop.sequence.as_deref());
    write_usage(&mut out.object("usage"), &response.usage.unwrap_or_default());
    response.extras.write(&mut out, FORMAT, "");
    drop(out);
    body
}

fn block(out: &mut Object<'_>, part: &Part) {
    match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => {
            out.str("type", "text").str("text", text);
        }
        PartKind::Reasoning(thought) => write_thought(out, thought),
        PartKind::ToolCall(call) => {
            out.str("type", "tool_use").str("id", &call.id).str("name", &call.name);
            out.raw("input", &input(&call.arguments));
        }
        _ => {}
    }
    part.extras.write(out, FORMAT, "");
}

/// Arguments as the object that `input` must be. What a model wrote that is no object is kept under one name, so that
/// the caller sees it.
pub fn input(arguments: &str) -> String {
    if arguments.trim().is_empty() {
        return "{}".to_owned();
    }
    if arguments.trim_start().starts_with('{') && Tape::parse(arguments).is_ok() {
        return arguments.to_owned();
    }
    format!("{{\"invalid_json\":{}}}", Json::string(arguments).text())
}

/// Counts of `node` over those of `earlier`: a later event of a stream states only some.
pub fn usage(node: Node<'_>, earlier: Usage) -> Usage {
    let count = |key, earlier| node.get(key).and_then(Node::u64).unwrap_or(earlier);
    let cached = count("cache_read_input_tokens", earlier.cached);
    let cache_written = count("cache_creation_input_tokens", earlier.cache_written);
    let for_an_hour = node.get("cache_creation").and_then(|it| it.get("ephemeral_1h_input_tokens")?.u64());
    let thinking = node.get("output_tokens_details").and_then(|it| it.get("thinking_tokens")?.u64());
    Usage {
        input: count("input_tokens", earlier.uncached()) + cached + cache_written,
        cached,
        cache_written,
        cache_written_1h: for_an_hour.unwrap_or(earlier.cache_written_1h),
        output: count("output_tokens", earlier.output),
        reasoning: thinking.unwrap_or(earlier.reasoning),
    }
}

pub fn write_usage(out: &mut Object<'_>, usage: &Usage) {
    out.num("input_tokens", usage.uncached()).num("cache_creation_input_tokens", usage.cache_written);
    out.num("cache_read_input_tokens", usage.cached).num("output_tokens", usage.output);
    if usage.cache_written_1h > 0 {
        let for_minutes = usage.cache_written.saturating_sub(usage.cache_written_1h);
        let mut kinds = out.object("cache_creation");
        kinds.num("ephemeral_5m_input_tokens", for_minutes).num("ephemeral_1h_input_tokens", usage.cache_written_1h);
    }
    if usage.reasoning > 0 {
        out.object("output_tokens_details").num("thinking_tokens", usage.reasoning);
    }
}

pub fn usage_of(bytes: &[u8]) -> Option<Usage> {
    let tape = Tape::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    tape.root().get("usage").map(|it| usage(it, Usage::default()))
}

/// The usage in one event of a stream: that of `message_start` and, over it, that of `message_delta`.
pub fn usage_in(event: Node<'_>, before: Option<Usage>) -> Option<Usage> {
    let node = event.get("message").unwrap_or(event).get("usage");
    node.map(|it| usage(it, before.unwrap_or_default()))
}
