//! A chat completion, in and out, and its usage.

use crate::protocols::{
    extras::Extras,
    json::{Node, Object, Tape},
    openai,
    refusal::ApiError,
    request::{At, Format, Part, PartKind, Seal, Thought, ToolCall},
    response::{Asked, Response, StopReason, Usage},
};

const FORMAT: Format = Format::OpenAiChat;

pub fn decode(bytes: &[u8]) -> Result<Response, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad_answer("it is not UTF-8"))?;
    let tape = Tape::parse(text).map_err(|error| ApiError::bad_answer(error.what))?;
    let body = tape.root();
    if let Some(error) = body.get("error").and_then(|_| openai::error_in(body, 200)) {
        return Err(error);
    }
    let choices: Vec<_> = body.get("choices").map(|it| it.items().collect()).unwrap_or_default();
    let [choice] = choices[..] else {
        return Err(ApiError::bad_answer(&format!("it has {} choices instead of one", choices.len())));
    };
    let message = choice.get("message").ok_or_else(|| ApiError::bad_answer("its choice has no message"))?;
    let mut extras = Extras::default();
    extras.add(body, FORMAT, "", &["id", "object", "created", "model", "choices", "usage"]);
    Ok(Response {
        id: body.text_of("id").into_owned(),
        model: body.text_of("model").into_owned(),
        parts: parts(message)?,
        stop: stop_reason(&choice.text_of("finish_reason")).unwrap_or(StopReason::End).into(),
        usage: body.get("usage").map(usage),
        extras,
    })
}

fn parts(message: Node<'_>) -> Result<Vec<Part>, ApiError> {
    let at = At::whole("choices");
    let mut parts = Vec::new();
    let string = |key| message.get(key).and_then(Node::str).filter(|it| !it.is_empty()).map(String::from);
    let (seal, id) = seal(message);
    let text = reasoning_key(message).and_then(string);
    if text.is_some() || seal.is_some() {
        let thought = Thought { texts: text.into_iter().collect(), seal, id };
        parts.push(Part::new(PartKind::Reasoning(thought), at));
    }
    parts.extend(string("content").map(|it| Part::new(PartKind::Text(it), at)));
    parts.extend(string("refusal").map(|it| Part::new(PartKind::Refusal(it), at)));
    for call in message.get("tool_calls").iter().flat_map(|it| it.items()) {
        let Some(function) = call.get("function") else {
            return Err(ApiError::bad_answer("it calls a tool that is no function"));
        };
        let (id, name) = (call.text_of("id").into_owned(), function.text_of("name").into_owned());
        let arguments = function.text_of("arguments").into_owned();
        parts.push(Part::new(PartKind::ToolCall(ToolCall { id, name, arguments }), at));
    }
    Ok(parts)
}

/// Under which key a server tells the model's thoughts: `reasoning_content` (DeepSeek, vLLM, SGLang) or `reasoning`
/// (OpenRouter, newer vLLM); OpenAI itself does not.
pub fn reasoning_key(message: Node<'_>) -> Option<&'static str> {
    ["reasoning_content", "reasoning"].into_iter().find(|key| message.get(key).is_some())
}

/// The signature in `reasoning_details`.
pub fn seal(message: Node<'_>) -> (Option<Seal>, Option<String>) {
    for detail in message.get("reasoning_details").iter().flat_map(|it| it.items()) {
        let string = |key| detail.get(key).and_then(Node::str).map(String::from);
        let is_anthropic = detail.text_of("format").starts_with("anthropic-");
        let seal = match (is_anthropic, string("signature"), string("data")) {
            (true, Some(signature), _) => Some(Seal::Signature(signature)),
            (true, None, Some(data)) => Some(Seal::Redacted(data)),
            (false, _, Some(data)) => Some(Seal::Encrypted(data)),
            _ => None,
        };
        if seal.is_some() {
            return (seal, string("id"));
        }
    }
    (None, None)
}

pub fn encode(response: &Response, asked: &Asked) -> Vec<u8> {
    let mut body = Vec::new();
    let mut out = Object::new(&mut body);
    out.str("id", &format!("chatcmpl-{}", asked.id)).str("object", "chat.completion").num("created", asked.created);
    out.str("model", asked.model(&response.model));
    let mut choices = out.array("choices");
    let mut choice = choices.object();
    choice.num("index", 0);
    message(&mut choice.object("message"), &response.parts);
    choice.raw("logprobs", "null").str("finish_reason", finish_reason(response.stop.reason, response.calls_tools()));
    drop(choice);
    drop(choices);
    if let Some(usage) = &response.usage {
        write_usage(&mut out.object("usage"), usage);
    }
    response.extras.write(&mut out, FORMAT, "");
    drop(out);
    body
}

fn message(out: &mut Object<'_>, parts: &[Part]) {
    let join = |texts: Vec<&str>| Some(texts.concat()).filter(|it| !it.is_empty());
    let pick = |of: fn(&PartKind) -> Option<&str>| join(parts.iter().filter_map(|it| of(&it.kind)).collect());
    let text = pick(|it| if let PartKind::Text(text) = it { Some(text) } else { None });
    let refusal = pick(|it| if let PartKind::Refusal(text) = it { Some(text) } else { None });
    out.str("role", "assistant").str_or_null("content", text.as_deref()).str_or_null("refusal", refusal.as_deref());
    thoughts(out, parts);
    let calls: Vec<_> = parts.iter().filter_map(|it| as_call(&it.kind)).collect();
    if calls.is_empty() {
        return;
    }
    let mut list = out.array("tool_calls");
    for call in calls {
        let mut out = list.object();
        out.str("id", &call.id).str("type", "function");
        out.object("function").str("name", &call.name).str("arguments", &call.arguments);
    }
}

fn as_call(kind: &PartKind) -> Option<&ToolCall> {
    if let PartKind::ToolCall(call) = kind { Some(call) } else { None }
}

fn thoughts(out: &mut Object<'_>, parts: &[Part]) {
    let thoughts = parts.iter().filter_map(|it| if let PartKind::Reasoning(it) = &it.kind { Some(it) } else { None });
    let thoughts: Vec<&Thought> = thoughts.collect();
    let text = thoughts.iter().flat_map(|it| &it.texts).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    if !text.is_empty() {
        out.str("reasoning_content", &text);
    }
    let sealed: Vec<_> = thoughts.iter().filter(|it| it.seal.is_some()).collect();
    if sealed.is_empty() {
        return;
    }
    let mut details = out.array("reasoning_details");
    for (idx, thought) in sealed.into_iter().enumerate() {
        let text = thought.texts.join("\n\n");
        let text = Some(text.as_str()).filter(|it| !it.is_empty());
        thought.seal.iter().for_each(|it| write_detail(&mut details.object(), it, text, thought.id.as_deref(), idx));
    }
}

/// One of `reasoning_details`, as OpenRouter writes them, so that a client hands them back.
pub fn write_detail(out: &mut Object<'_>, seal: &Seal, text: Option<&str>, id: Option<&str>, idx: usize) {
    let format = if matches!(seal, Seal::Encrypted(_)) { "openai-responses-v1" } else { "anthropic-claude-v1" };
    match seal {
        Seal::Signature(signature) => {
            out.str("type", "reasoning.text").opt_str("text", text).str("signature", signature)
        }
        Seal::Redacted(data) | Seal::Encrypted(data) => out.str("type", "reasoning.encrypted").str("data", data),
    };
    // Only OpenAI's own thoughts are found again by their id.
    let id = id.filter(|_| matches!(seal, Seal::Encrypted(_)));
    out.opt_str("id", id).str("format", format).num("index", idx as u64);
}

pub fn stop_reason(word: &str) -> Option<StopReason> {
    match word {
        "" => None,
        "length" => Some(StopReason::MaxTokens),
        "tool_calls" | "function_call" => Some(StopReason::ToolCalls),
        "content_filter" => Some(StopReason::Filter),
        // Every server has words of its own for an ordinary end (`eos`, `stop_sequence`, ...).
        _ => Some(StopReason::End),
    }
}

pub fn finish_reason(reason: StopReason, calls_tools: bool) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::Window => "length",
        StopReason::ToolCalls => "tool_calls",
        StopReason::Filter => "content_filter",
        StopReason::End | StopReason::StopSequence | StopReason::Pause if calls_tools => "tool_calls",
        StopReason::End | StopReason::StopSequence | StopReason::Pause => "stop",
    }
}

pub fn usage(node: Node<'_>) -> Usage {
    let count = |under, key| node.get(under).map_or(0, |it| it.count_of(key));
    Usage {
        input: node.count_of("prompt_tokens"),
        // DeepSeek counts the cached ones beside the details.
        cached: count("prompt_tokens_details", "cached_tokens").max(node.count_of("prompt_cache_hit_tokens")),
        cache_written: count("prompt_tokens_details", "cache_write_tokens"),
        cache_written_1h: 0,
        output: node.count_of("completion_tokens"),
        reasoning: count("completion_tokens_details", "reasoning_tokens"),
    }
}

pub fn write_usage(out: &mut Object<'_>, usage: &Usage) {
    out.num("prompt_tokens", usage.input).num("completion_tokens", usage.output);
    out.num("total_tokens", usage.input + usage.output);
    let mut prompt = out.object("prompt_tokens_details");
    prompt.num("cached_tokens", usage.cached).num("cache_write_tokens", usage.cache_written);
    drop(prompt);
    out.object("completion_tokens_details").num("reasoning_tokens", usage.reasoning);
}

pub fn usage_of(bytes: &[u8]) -> Option<Usage> {
    let tape = Tape::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    tape.root().get("usage").map(usage)
}

/// The usage in one chunk of a stream.
pub fn usage_in(chunk: Node<'_>, _: Option<Usage>) -> Option<Usage> {
    chunk.get("usage").map(usage)
}
