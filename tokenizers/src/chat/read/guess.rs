//! Which wire format a body is in, told from fields that only one of them has.

use serde_json::Value;

use crate::chat::request::Format;

/// The formats that a body can be in: one where that is certain, several where nothing tells them apart or where it has
/// marks of more than one, and none where it has messages of no kind.
#[must_use]
pub fn guess(body: &Value) -> Vec<Format> {
    if body.get("contents").is_some() || body.get("generateContentRequest").is_some() {
        return vec![Format::Gemini];
    }
    if body.get("messages").is_none() {
        return body.get("input").map(|_| Format::OpenaiResponses).into_iter().collect();
    }
    let marked: Vec<Format> = MARKS.iter().filter(|marks| marks.are_in(body)).map(|marks| marks.format).collect();
    match (marked.is_empty(), by_model(body)) {
        (false, _) => marked,
        (true, Some(format)) => vec![format],
        (true, None) => MARKS.iter().map(|marks| marks.format).collect(),
    }
}

/// What only one of the formats with a list of messages has.
struct Marks {
    format: Format,
    /// Fields of the body, of a message, of a block of content, of a tool.
    body: &'static [&'static str],
    message: &'static [&'static str],
    block: &'static [&'static str],
    tool: &'static [&'static str],
    /// Kinds of blocks and roles of messages.
    kinds: &'static [&'static str],
    roles: &'static [&'static str],
}

const MARKS: [Marks; 3] = [
    Marks {
        format: Format::OpenaiChat,
        body: &[
            "frequency_penalty",
            "function_call",
            "functions",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "modalities",
            "n",
            "parallel_tool_calls",
            "presence_penalty",
            "reasoning_effort",
            "response_format",
            "seed",
            "stop",
            "stream_options",
            "web_search_options",
        ],
        message: &["tool_calls", "tool_call_id", "function_call", "refusal"],
        block: &["image_url", "input_audio", "file"],
        tool: &["function"],
        kinds: &[],
        roles: &["developer", "tool", "function"],
    },
    Marks {
        format: Format::Anthropic,
        body: &["anthropic_version", "container", "mcp_servers", "output_config", "output_format", "stop_sequences"],
        message: &[],
        block: &["tool_use_id", "source"],
        tool: &["input_schema"],
        kinds: &["tool_use", "tool_result", "thinking", "redacted_thinking", "document"],
        roles: &[],
    },
    Marks {
        format: Format::BedrockConverse,
        body: &[
            "additionalModelRequestFields",
            "guardrailConfig",
            "inferenceConfig",
            "modelId",
            "outputConfig",
            "performanceConfig",
            "toolConfig",
        ],
        message: &[],
        block: &["cachePoint", "guardContent", "reasoningContent", "toolResult", "toolUse"],
        tool: &[],
        kinds: &[],
        roles: &[],
    },
];

impl Marks {
    fn are_in(&self, body: &Value) -> bool {
        let tools = items(body.get("tools"));
        has(body, self.body)
            || items(body.get("messages")).iter().any(|message| self.are_in_message(message))
            || tools.iter().any(|tool| has(tool, self.tool))
            || self.is_system(body.get("system"))
    }

    fn are_in_message(&self, message: &Value) -> bool {
        let is_word = |value: Option<&Value>, words: &[&str]| {
            value.and_then(Value::as_str).is_some_and(|word| words.contains(&word))
        };
        let blocks = items(message.get("content"));
        has(message, self.message)
            || is_word(message.get("role"), self.roles)
            || blocks.iter().any(|block| has(block, self.block) || is_word(block.get("type"), self.kinds))
            || (self.format == Format::BedrockConverse && blocks.iter().any(is_bare))
    }

    /// Instructions in a field are text or blocks with a type at Anthropic, and bare blocks at Bedrock.
    fn is_system(&self, system: Option<&Value>) -> bool {
        let blocks = items(system);
        match self.format {
            Format::Anthropic => system.is_some_and(Value::is_string) || blocks.iter().any(|block| !is_bare(block)),
            Format::BedrockConverse => blocks.iter().any(is_bare),
            _ => false,
        }
    }
}

/// A block without a type, as Bedrock writes text and marks of the prompt cache.
fn is_bare(block: &Value) -> bool {
    block.get("type").is_none() && has(block, &["text", "cachePoint"])
}

fn has(value: &Value, fields: &[&str]) -> bool {
    fields.iter().any(|field| value.get(field).is_some())
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Plain messages read alike in both formats, so the model's name decides. A path before it is that of a reseller, and
/// those speak OpenAI's format.
fn by_model(body: &Value) -> Option<Format> {
    let model = body.get("model")?.as_str()?;
    Some(if model.contains("claude") && !model.contains('/') { Format::Anthropic } else { Format::OpenaiChat })
}
