//! A responses request as it comes.

use super::response::thought;
use crate::protocols::{
    extras::Extras,
    json::{Json, Kind, Node},
    openai::{self, source_of_url},
    read,
    refusal::Refusal,
    request::{
        At, Format, Function, Message, Output, Part, PartKind, Request, Role, Source, Tool, ToolCall, ToolChoice,
        ToolKind, ToolResult, Vendor,
    },
};

const FORMAT: Format = Format::OpenAiResponses;

/// Members of a body that have a place in [`Request`]; the others are kept as they are.
const KNOWN: &[&str] = &[
    "model",
    "input",
    "instructions",
    "stream",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "reasoning",
    "text",
    "user",
];

/// What a response repeats of its request.
const ECHO: &[&str] = &[
    "background",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub fn decode(bytes: &[u8]) -> Result<Request, Refusal> {
    let tape = read::body(bytes)?;
    let body = tape.root();
    let mut request = Request::new(FORMAT, body.need_str("model")?);
    request.is_stream = body.want_bool("stream")?.unwrap_or(false);
    request.extras = Extras::of(body, FORMAT, KNOWN);
    request.echo = ECHO.iter().filter_map(|key| Some((*key, Json::of(body.get(key)?)))).collect();
    if let Some(text) = body.want_str("instructions")? {
        request.messages.push(message(Role::System, vec![text_part(text, At::whole("instructions"))]));
    }
    let input = body.need("input")?;
    match input.str() {
        Some(text) => {
            request.messages.push(message(Role::User, vec![text_part(text.into_owned(), At::whole("input"))]));
        }
        None => {
            for (idx, item) in input.need_items()?.enumerate() {
                request.messages.push(self::item(item.need_object()?, At::item("input", idx))?);
            }
        }
    }
    tools(body, &mut request)?;
    settings(body, &mut request)?;
    Ok(request)
}

fn text_part(text: String, at: At) -> Part {
    Part::new(PartKind::Text(text), at)
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    let at = parts.first().map_or(At::whole("input"), |it| it.at);
    Message { role, parts, at, extras: Extras::default() }
}

fn settings(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    request.max_tokens = body.want_u64("max_output_tokens")?;
    request.temperature = body.want_number("temperature")?;
    request.top_p = body.want_number("top_p")?;
    request.top_k = body.want_number("top_k")?;
    request.user = body.want_str("user")?;
    if let Some(reasoning) = body.want_object("reasoning")? {
        request.reasoning.effort = reasoning.want_str("effort")?;
        request.extras.add(reasoning, FORMAT, "reasoning", &["effort"]);
    }
    if let Some(text) = body.want_object("text")? {
        request.verbosity = text.want_str("verbosity")?;
        request.extras.add(text, FORMAT, "text", &["verbosity", "format"]);
        if let Some(format) = text.want_object("format")? {
            request.output = output(format)?;
        }
    }
    Ok(())
}

fn output(format: Node<'_>) -> Result<Output, Refusal> {
    match &*format.need_str("type")? {
        "text" => Ok(Output::Text),
        "json_object" => Ok(Output::JsonObject),
        "json_schema" => openai::json_schema(format),
        _ => Err(Refusal::at(format.need("type")?, "must be `text`, `json_object` or `json_schema`")),
    }
}

const TOOL: &[&str] = &["type", "name", "description", "parameters", "strict"];

fn tools(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    for (idx, tool) in body.want_items("tools")?.into_iter().enumerate() {
        let at = At::item("tools", idx);
        if tool.need_object()?.text_of("type") != "function" {
            request.tools.push(openai::native_tool(tool, FORMAT, at)?);
            continue;
        }
        let function = Function {
            name: tool.need_str("name")?,
            description: tool.want_str("description")?,
            parameters: tool.want_object("parameters")?.map(Json::of),
            is_strict: tool.want_bool("strict")?,
        };
        let extras = Extras::of(tool, FORMAT, TOOL);
        request.tools.push(Tool { kind: ToolKind::Function(function), at, extras });
    }
    request.parallel_tool_calls = body.want_bool("parallel_tool_calls")?;
    request.tool_choice = body.get("tool_choice").map(tool_choice).transpose()?;
    Ok(())
}

fn tool_choice(choice: Node<'_>) -> Result<ToolChoice, Refusal> {
    if let Some(word) = choice.str() {
        return openai::tool_choice_word(&word)
            .ok_or_else(|| Refusal::at(choice, "must be `auto`, `none`, `required` or an object"));
    }
    let is_function = |it: Node<'_>| it.text_of("type") == "function";
    match &*choice.need_object()?.need_str("type")? {
        "function" => Ok(ToolChoice::Named(choice.need_str("name")?)),
        "allowed_tools" if choice.want_items("tools")?.into_iter().all(is_function) => {
            openai::allowed_tools(choice, |tool| tool.need_str("name"))
        }
        _ => Ok(ToolChoice::Native { format: FORMAT, json: Json::of(choice) }),
    }
}

fn item(node: Node<'_>, at: At) -> Result<Message, Refusal> {
    let kind = node.text_of("type");
    let (role, part, known): (_, _, &[&str]) = match &*kind {
        "" | "message" => return self::said(node, at),
        "function_call" => (Role::Assistant, call(node)?, &["type", "call_id", "name", "arguments"]),
        "function_call_output" => (Role::User, result(node, at)?, &["type", "call_id", "output"]),
        "reasoning" => {
            let known: &[&str] = &["type", "id", "summary", "encrypted_content"];
            (Role::Assistant, PartKind::Reasoning(thought(node)), known)
        }
        _ => {
            let native = PartKind::Native { format: FORMAT, kind: kind.into_owned(), json: Json::of(node) };
            return Ok(message(Role::Assistant, vec![Part::new(native, at)]));
        }
    };
    Ok(message(role, vec![Part { kind: part, at, extras: Extras::of(node, FORMAT, known) }]))
}

fn call(node: Node<'_>) -> Result<PartKind, Refusal> {
    let (id, name) = (node.need_str("call_id")?, node.need_str("name")?);
    Ok(PartKind::ToolCall(ToolCall { id, name, arguments: node.need_str("arguments")? }))
}

fn result(node: Node<'_>, at: At) -> Result<PartKind, Refusal> {
    let parts = content(node.need("output")?, at)?;
    Ok(PartKind::ToolResult(ToolResult { call_id: node.need_str("call_id")?, parts, is_error: false }))
}

fn said(node: Node<'_>, at: At) -> Result<Message, Refusal> {
    let role = node.need("role")?;
    let role = match &*role.need_text()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return Err(Refusal::at(role, "must be `user`, `assistant`, `system` or `developer`")),
    };
    let parts = content(node.need("content")?, at)?;
    Ok(Message { role, parts, at, extras: Extras::of(node, FORMAT, &["type", "role", "content"]) })
}

fn content(node: Node<'_>, at: At) -> Result<Vec<Part>, Refusal> {
    if let Some(text) = node.str() {
        return Ok(vec![text_part(text.into_owned(), at)]);
    }
    if node.kind() != Kind::Array {
        return Err(Refusal::at(node, "must be a string or an array of parts"));
    }
    node.items().enumerate().map(|(idx, part)| self::part(part.need_object()?, at.part(idx))).collect()
}

fn part(node: Node<'_>, at: At) -> Result<Part, Refusal> {
    let kind = node.need_str("type")?;
    let (part, known): (_, &[&str]) = match &*kind {
        // Compatible servers also take the name that chat completions give it.
        "input_text" | "output_text" | "text" => (PartKind::Text(node.need_str("text")?), &["type", "text"]),
        "refusal" => (PartKind::Refusal(node.need_str("refusal")?), &["type", "refusal"]),
        "input_image" => (image(node)?, &["type", "image_url", "file_id", "detail"]),
        "input_file" => (file(node)?, &["type", "file_data", "file_id", "file_url", "filename"]),
        _ => return Ok(Part::new(PartKind::Native { format: FORMAT, kind, json: Json::of(node) }, at)),
    };
    Ok(Part { kind: part, at, extras: Extras::of(node, FORMAT, known) })
}

fn image(node: Node<'_>) -> Result<PartKind, Refusal> {
    let source = match (node.want_str("image_url")?, node.want_str("file_id")?) {
        (Some(url), _) => source_of_url(&url),
        (None, Some(id)) => Source::Id { vendor: Vendor::OpenAi, id },
        (None, None) => return Err(Refusal::at(node, "must have `image_url` or `file_id`")),
    };
    Ok(PartKind::Image { source, detail: node.want_str("detail")? })
}

fn file(node: Node<'_>) -> Result<PartKind, Refusal> {
    let source = match (node.want_str("file_data")?, node.want_str("file_url")?, node.want_str("file_id")?) {
        (Some(data), _, _) => source_of_url(&data),
        (None, Some(url), _) => Source::Url(url),
        (None, None, Some(id)) => Source::Id { vendor: Vendor::OpenAi, id },
        (None, None, None) => return Err(Refusal::at(node, "must have `file_data`, `file_url` or `file_id`")),
    };
    Ok(PartKind::File { source, name: node.want_str("filename")? })
}
