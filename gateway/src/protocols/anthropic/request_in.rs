//! A messages request as it comes.

use super::response::thought;
use crate::protocols::{
    extras::Extras,
    json::{Json, Kind, Node},
    openai, read,
    refusal::Refusal,
    request::{
        At, Format, Function, Message, Output, Part, PartKind, Request, Role, Source, Tool, ToolCall, ToolChoice,
        ToolKind, ToolResult, Vendor,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};

const FORMAT: Format = Format::Anthropic;

/// Members of a body that have a place in [`Request`]; the others are kept as they are.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "system",
    "max_tokens",
    "stream",
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "thinking",
    "output_config",
    "output_format",
    "metadata",
];

pub fn decode(bytes: &[u8]) -> Result<Request, Refusal> {
    let tape = read::body(bytes)?;
    let body = tape.root();
    let mut request = Request::new(FORMAT, body.need_str("model")?);
    request.is_stream = body.want_bool("stream")?.unwrap_or(false);
    request.extras = Extras::of(body, FORMAT, KNOWN);
    if let Some(system) = body.get("system") {
        let at = At::whole("system");
        request.messages.push(Message {
            role: Role::System,
            parts: content(system, at)?,
            at,
            extras: Extras::default(),
        });
    }
    for (idx, message) in body.need("messages")?.need_items()?.enumerate() {
        request.messages.push(self::message(message.need_object()?, At::item("messages", idx))?);
    }
    tools(body, &mut request)?;
    settings(body, &mut request)?;
    reasoning(body, &mut request)?;
    Ok(request)
}

fn settings(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    request.max_tokens = body.want_u64("max_tokens")?;
    request.temperature = body.want_number("temperature")?;
    request.top_p = body.want_number("top_p")?;
    request.top_k = body.want_number("top_k")?;
    request.stop = body.want_items("stop_sequences")?.into_iter().map(Node::need_text).collect::<Result<_, _>>()?;
    if let Some(metadata) = body.want_object("metadata")? {
        request.user = metadata.want_str("user_id")?;
        request.extras.add(metadata, FORMAT, "metadata", &["user_id"]);
    }
    Ok(())
}

fn reasoning(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    if let Some(thinking) = body.want_object("thinking")? {
        request.reasoning.mode = Some(thinking.need_str("type")?);
        request.reasoning.budget_tokens = thinking.want_u64("budget_tokens")?;
        request.extras.add(thinking, FORMAT, "thinking", &["type", "budget_tokens"]);
    }
    let config = body.want_object("output_config")?;
    if let Some(config) = config {
        request.reasoning.effort = config.want_str("effort")?;
        request.extras.add(config, FORMAT, "output_config", &["effort", "format"]);
    }
    // `output_format` is the name that the beta gave it.
    let format = config
        .map_or(Ok(None), |it| it.want_object("format"))?
        .map_or_else(|| body.want_object("output_format"), |it| Ok(Some(it)))?;
    if let Some(format) = format {
        request.output = output(format)?;
    }
    Ok(())
}

fn output(format: Node<'_>) -> Result<Output, Refusal> {
    let kind = format.need("type")?;
    if kind.need_text()? != "json_schema" {
        return Err(Refusal::at(kind, "must be `json_schema`"));
    }
    let schema = Json::of(format.need("schema")?.need_object()?);
    Ok(Output::JsonSchema { name: None, description: None, schema, is_strict: Some(true) })
}

const TOOL: &[&str] = &["type", "name", "description", "input_schema", "strict"];

fn tools(body: Node<'_>, request: &mut Request) -> Result<(), Refusal> {
    for (idx, tool) in body.want_items("tools")?.into_iter().enumerate() {
        let (at, kind) = (At::item("tools", idx), tool.need_object()?.text_of("type"));
        if !matches!(&*kind, "" | "custom") {
            request.tools.push(openai::native_tool(tool, FORMAT, at)?);
            continue;
        }
        let function = Function {
            name: tool.need_str("name")?,
            description: tool.want_str("description")?,
            parameters: Some(Json::of(tool.need("input_schema")?.need_object()?)),
            is_strict: tool.want_bool("strict")?,
        };
        let extras = Extras::of(tool, FORMAT, TOOL);
        request.tools.push(Tool { kind: ToolKind::Function(function), at, extras });
    }
    let Some(choice) = body.want_object("tool_choice")? else { return Ok(()) };
    request.parallel_tool_calls = choice.want_bool("disable_parallel_tool_use")?.map(|it| !it);
    let kind = choice.need("type")?;
    request.tool_choice = Some(match &*kind.need_text()? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.need_str("name")?),
        _ => return Err(Refusal::at(kind, "must be `auto`, `any`, `tool` or `none`")),
    });
    Ok(())
}

fn message(node: Node<'_>, at: At) -> Result<Message, Refusal> {
    let role = node.need("role")?;
    let role = match &*role.need_text()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(Refusal::at(role, "must be `user`, `assistant` or `system`")),
    };
    let parts = content(node.need("content")?, at)?;
    Ok(Message { role, parts, at, extras: Extras::of(node, FORMAT, &["role", "content"]) })
}

fn content(node: Node<'_>, at: At) -> Result<Vec<Part>, Refusal> {
    if let Some(text) = node.str() {
        return Ok(vec![Part::new(PartKind::Text(text.into_owned()), at)]);
    }
    if node.kind() != Kind::Array {
        return Err(Refusal::at(node, "must be a string or an array of blocks"));
    }
    node.items().enumerate().map(|(idx, block)| self::block(block.need_object()?, at.part(idx))).collect()
}

fn block(node: Node<'_>, at: At) -> Result<Part, Refusal> {
    let kind = node.need_str("type")?;
    let native = |kind: String| PartKind::Native { format: FORMAT, kind, json: Json::of(node) };
    let (part, known): (_, &[&str]) = match &*kind {
        "text" => (PartKind::Text(node.need_str("text")?), &["text"]),
        "image" => (PartKind::Image { source: source(node.need("source")?)?, detail: None }, &["source"]),
        "document" => match &*node.need("source")?.text_of("type") {
            "content" => return Ok(Part::new(native(kind), at)),
            _ => (document(node)?, &["source", "title"]),
        },
        "thinking" => (PartKind::Reasoning(thought(node)), &["thinking", "signature"]),
        "redacted_thinking" => (PartKind::Reasoning(thought(node)), &["data"]),
        "tool_use" => (PartKind::ToolCall(tool_use(node)?), &["id", "name", "input"]),
        "tool_result" => (PartKind::ToolResult(tool_result(node, at)?), &["tool_use_id", "content", "is_error"]),
        _ => return Ok(Part::new(native(kind), at)),
    };
    let mut extras = Extras::of(node, FORMAT, known);
    extras.remove("type");
    Ok(Part { kind: part, at, extras })
}

fn document(node: Node<'_>) -> Result<PartKind, Refusal> {
    Ok(PartKind::File { source: source(node.need("source")?)?, name: node.want_str("title")? })
}

/// Plain text is kept in base64, as other formats have it.
fn source(node: Node<'_>) -> Result<Source, Refusal> {
    let kind = node.need_object()?.need("type")?;
    match &*kind.need_text()? {
        "base64" => Ok(Source::Data { media_type: node.need_str("media_type")?, data: node.need_str("data")? }),
        "text" => Ok(Source::Data {
            media_type: "text/plain".to_owned(),
            data: STANDARD.encode(node.need_str("data")?.as_bytes()),
        }),
        "url" => Ok(Source::Url(node.need_str("url")?)),
        "file" => Ok(Source::Id { vendor: Vendor::Anthropic, id: node.need_str("file_id")? }),
        _ => Err(Refusal::at(kind, "must be `base64`, `url`, `file` or `text`")),
    }
}

fn tool_use(node: Node<'_>) -> Result<ToolCall, Refusal> {
    let arguments = node.need("input")?.need_object()?.raw().to_owned();
    Ok(ToolCall { id: node.need_str("id")?, name: node.need_str("name")?, arguments })
}

fn tool_result(node: Node<'_>, at: At) -> Result<ToolResult, Refusal> {
    let parts = node.get("content").map_or_else(|| Ok(Vec::new()), |it| content(it, at))?;
    let is_error = node.want_bool("is_error")?.unwrap_or(false);
    Ok(ToolResult { call_id: node.need_str("tool_use_id")?, parts, is_error })
}
