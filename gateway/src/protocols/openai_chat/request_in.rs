//! A chat completion request as it comes.

use crate::protocols::{
    extras::Extras,
    json::{Json, Kind, Node},
    openai::{self, source_of_url},
    read,
    refusal::Refusal,
    request::{
        At, Format, Function, Message, Output, Part, PartKind, Request, Role, Seal, Source, Thought, Tool, ToolCall,
        ToolChoice, ToolKind, ToolResult, Vendor,
    },
};

const FORMAT: Format = Format::OpenAiChat;

/// Members of a body that have a place in [`Request`]; the others are kept as they are.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "response_format",
    "reasoning_effort",
    "verbosity",
    "user",
];

pub fn decode(bytes: &[u8]) -> Result<Request, Refusal> {
    let tape = read::body(bytes)?;
    let body = tape.root();
    let mut request = Request::new(FORMAT, body.need_str("model")?);
    request.is_stream = body.want_bool("stream")?.unwrap_or(false);
    request.extras = Extras::of(body, FORMAT, KNOWN);
    request.has_usage = !request.is_stream;
    if let Some(options) = body.want_object("stream_options")? {
        request.has_usage |= options.want_bool("include_usage")?.unwrap_or(false);
        request.extras.add(options, FORMAT, "stream_options", &["include_usage"]);
    }
    for (idx, message) in body.need("messages")?.need_items()?.enumerate() {
        request.messages.push(self::message(message.need_object()?, At::item("messages", idx))?);
    }
    tools(body, &mut request)?;
    settings(body, &mut request)?;
    Ok(request)
}

fn settings(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    let old_max = body.want_u64("max_tokens")?;
    request.max_tokens = body.want_u64("max_completion_tokens")?.or(old_max);
    request.temperature = body.want_number("temperature")?;
    request.top_p = body.want_number("top_p")?;
    request.top_k = body.want_number("top_k")?;
    request.stop = match body.get("stop") {
        Some(one) if one.kind() == Kind::String => vec![one.need_text()?],
        Some(many) => many.need_items()?.map(Node::need_text).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    request.reasoning.effort = body.want_str("reasoning_effort")?;
    request.verbosity = body.want_str("verbosity")?;
    request.user = body.want_str("user")?;
    if let Some(format) = body.want_object("response_format")? {
        request.output = output(format)?;
    }
    Ok(())
}

fn output(format: Node<'_>) -> Result<Output, Refusal> {
    match &*format.need_str("type")? {
        "text" => Ok(Output::Text),
        "json_object" => Ok(Output::JsonObject),
        "json_schema" => openai::json_schema(format.need("json_schema")?.need_object()?),
        _ => Err(Refusal::at(format.need("type")?, "must be `text`, `json_object` or `json_schema`")),
    }
}

fn tools(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    for (idx, tool) in body.want_items("tools")?.into_iter().enumerate() {
        let (at, kind) = (At::item("tools", idx), tool.need_object()?.text_of("type"));
        request.tools.push(match tool.get("function") {
            Some(function) if matches!(&*kind, "function" | "") => Tool {
                kind: ToolKind::Function(self::function(function.need_object()?)?),
                at,
                extras: tool_extras(tool, function),
            },
            _ => openai::native_tool(tool, FORMAT, at)?,
        });
    }
    for (idx, function) in body.want_items("functions")?.into_iter().enumerate() {
        let kind = ToolKind::Function(self::function(function.need_object()?)?);
        request.tools.push(Tool { kind, at: At::item("functions", idx), extras: Extras::default() });
    }
    request.parallel_tool_calls = body.want_bool("parallel_tool_calls")?;
    if let Some(choice) = body.get("tool_choice").or_else(|| body.get("function_call")) {
        request.tool_choice = Some(tool_choice(choice)?);
    }
    Ok(())
}

fn tool_extras(tool: Node<'_>, function: Node<'_>) -> Extras {
    let mut extras = Extras::of(tool, FORMAT, &["type", "function"]);
    extras.add(function, FORMAT, "function", &["name", "description", "parameters", "strict"]);
    extras
}

fn function(node: Node<'_>) -> Result<Function, Refusal> {
    Ok(Function {
        name: node.need_str("name")?,
        description: node.want_str("description")?,
        parameters: node.want_object("parameters")?.map(Json::of),
        is_strict: node.want_bool("strict")?,
    })
}

fn tool_choice(choice: Node<'_>) -> Result<ToolChoice, Refusal> {
    if let Some(word) = choice.str() {
        return openai::tool_choice_word(&word)
            .ok_or_else(|| Refusal::at(choice, "must be `auto`, `none`, `required` or an object"));
    }
    choice.need_object()?;
    if let Some(allowed) = choice.want_object("allowed_tools")? {
        return openai::allowed_tools(allowed, |tool| tool.need("function")?.need_str("name"));
    }
    match (choice.want_object("function")?, &*choice.text_of("type")) {
        (Some(function), _) => Ok(ToolChoice::Named(function.need_str("name")?)),
        // The choice of the old `functions`.
        (None, "") => Ok(ToolChoice::Named(choice.need_str("name")?)),
        (None, _) => Ok(ToolChoice::Native { format: FORMAT, json: Json::of(choice) }),
    }
}

fn message(node: Node<'_>, at: At) -> Result<Message, Refusal> {
    let role = node.need("role")?;
    let name = role.need_text()?;
    match &*name {
        "system" => plain(node, Role::System, at),
        "developer" => plain(node, Role::Developer, at),
        "user" => plain(node, Role::User, at),
        "assistant" => assistant(node, at),
        "tool" => result(node, "tool_call_id", at),
        "function" => result(node, "name", at),
        _ => Err(Refusal::at(role, "must be `system`, `developer`, `user`, `assistant` or `tool`")),
    }
}

fn plain(node: Node<'_>, role: Role, at: At) -> Result<Message, Refusal> {
    let parts = content(node.need("content")?, at)?;
    Ok(Message { role, parts, at, extras: Extras::of(node, FORMAT, &["role", "content"]) })
}

fn result(node: Node<'_>, id_key: &str, at: At) -> Result<Message, Refusal> {
    let parts = node.get("content").map_or_else(|| Ok(Vec::new()), |it| content(it, at))?;
    let result = ToolResult { call_id: node.need_str(id_key)?, parts, is_error: false };
    let extras = Extras::of(node, FORMAT, &["role", "content", id_key]);
    let parts = vec![Part::new(PartKind::ToolResult(result), at)];
    Ok(Message { role: Role::User, parts, at, extras })
}

const ASSISTANT: &[&str] = &["role", "content", "refusal", "tool_calls", "function_call"];

fn assistant(node: Node<'_>, at: At) -> Result<Message, Refusal> {
    let mut parts = thoughts(node, at);
    if let Some(content) = node.get("content") {
        parts.append(&mut self::content(content, at)?);
    }
    if let Some(refusal) = node.want_str("refusal")? {
        parts.push(Part::new(PartKind::Refusal(refusal), at));
    }
    for call in node.want_items("tool_calls")? {
        parts.push(tool_call(call, at)?);
    }
    if let Some(call) = node.want_object("function_call")? {
        let name = call.need_str("name")?;
        let call = ToolCall { id: name.clone(), name, arguments: call.need_str("arguments")? };
        parts.push(Part::new(PartKind::ToolCall(call), at));
    }
    Ok(Message { role: Role::Assistant, parts, at, extras: Extras::of(node, FORMAT, ASSISTANT) })
}

/// Thoughts that Anthropic signed, as OpenRouter and our own responses carry them
/// (openrouter.ai/docs/use-cases/reasoning-tokens).
fn thoughts(node: Node<'_>, at: At) -> Vec<Part> {
    let details = node.get("reasoning_details");
    let thought = |detail: Node<'_>| {
        let string = |key| detail.get(key).and_then(Node::str).map(String::from);
        let is_anthropic = detail.text_of("format").starts_with("anthropic-");
        let seal = match (is_anthropic, string("signature"), string("data")) {
            (true, Some(signature), _) => Seal::Signature(signature),
            (true, None, Some(data)) => Seal::Redacted(data),
            (false, _, Some(data)) => Seal::Encrypted(data),
            _ => return None,
        };
        let thought = Thought { texts: string("text").into_iter().collect(), seal: Some(seal), id: string("id") };
        Some(Part::new(PartKind::Reasoning(thought), at))
    };
    details.iter().flat_map(|it| it.items()).filter_map(thought).collect()
}

fn tool_call(node: Node<'_>, at: At) -> Result<Part, Refusal> {
    let Some(function) = node.need_object()?.want_object("function")? else {
        let kind = node.text_of("type").into_owned();
        return Ok(Part::new(PartKind::Native { format: FORMAT, kind, json: Json::of(node) }, at));
    };
    let call = ToolCall {
        id: node.need_str("id")?,
        name: function.need_str("name")?,
        arguments: function.want_str("arguments")?.unwrap_or_default(),
    };
    let extras = Extras::of(node, FORMAT, &["id", "type", "function", "index"]);
    Ok(Part { kind: PartKind::ToolCall(call), at, extras })
}

fn content(node: Node<'_>, at: At) -> Result<Vec<Part>, Refusal> {
    if let Some(text) = node.str() {
        return Ok(vec![Part::new(PartKind::Text(text.into_owned()), at)]);
    }
    if node.kind() != Kind::Array {
        return Err(Refusal::at(node, "must be a string or an array of parts"));
    }
    node.items().enumerate().map(|(idx, part)| self::part(part.need_object()?, at.part(idx))).collect()
}

fn part(node: Node<'_>, at: At) -> Result<Part, Refusal> {
    let kind = node.need_str("type")?;
    let (part, known) = match &*kind {
        "text" => (PartKind::Text(node.need_str("text")?), "text"),
        "refusal" => (PartKind::Refusal(node.need_str("refusal")?), "refusal"),
        "image_url" => (image(node.need("image_url")?)?, "image_url"),
        "file" => (file(node.need("file")?.need_object()?)?, "file"),
        _ => return Ok(Part::new(PartKind::Native { format: FORMAT, kind, json: Json::of(node) }, at)),
    };
    Ok(Part { kind: part, at, extras: Extras::of(node, FORMAT, &["type", known]) })
}

fn image(node: Node<'_>) -> Result<PartKind, Refusal> {
    if let Some(url) = node.str() {
        return Ok(PartKind::Image { source: source_of_url(&url), detail: None });
    }
    let source = source_of_url(&node.need_object()?.need_str("url")?);
    Ok(PartKind::Image { source, detail: node.want_str("detail")? })
}

fn file(node: Node<'_>) -> Result<PartKind, Refusal> {
    let source = match (node.want_str("file_data")?, node.want_str("file_id")?) {
        (Some(data), _) => source_of_url(&data),
        (None, Some(id)) => Source::Id { vendor: Vendor::OpenAi, id },
        (None, None) => return Err(Refusal::at(node, "must have `file_data` or `file_id`")),
    };
    Ok(PartKind::File { source, name: node.want_str("filename")? })
}
