//! What OpenAI's two formats share: errors, data URLs, words for tool choice, JSON schemas.

use super::{
    extras::Extras,
    json::{Json, Node, Object, Tape},
    refusal::{ApiError, ErrorKind, Refusal},
    request::{At, Format, Output, Source, Tool, ToolChoice, ToolKind},
};

/// `data:image/png;base64,...` as its parts; anything else is a URL.
pub fn source_of_url(url: &str) -> Source {
    let data = url.strip_prefix("data:").and_then(|it| it.split_once(";base64,"));
    match data {
        Some((media_type, data)) => Source::Data { media_type: media_type.to_owned(), data: data.to_owned() },
        None => Source::Url(url.to_owned()),
    }
}

/// The reverse of [`source_of_url`]; an id has no URL.
pub fn url_of_source(source: &Source) -> Option<String> {
    match source {
        Source::Url(url) => Some(url.clone()),
        Source::Data { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
        Source::Id { .. } => None,
    }
}

/// `any` is what Mistral calls `required`.
pub fn tool_choice_word(word: &str) -> Option<ToolChoice> {
    match word {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" | "any" => Some(ToolChoice::Required),
        _ => None,
    }
}

/// `{"mode": .., "tools": [..]}`; where the tools are not all functions the choice stays as it is.
pub fn allowed_tools(
    node: Node<'_>,
    name: impl Fn(Node<'_>) -> Result<String, Refusal>,
) -> Result<ToolChoice, Refusal> {
    let names = node.need("tools")?.need_items()?.map(name).collect::<Result<_, _>>()?;
    Ok(ToolChoice::Allowed { names, is_required: node.text_of("mode") == "required" })
}

/// A tool of the vendor's own.
pub fn native_tool(tool: Node<'_>, format: Format, at: At) -> Result<Tool, Refusal> {
    let kind = tool.need_str("type")?;
    let name = tool.get("name").or_else(|| tool.get("custom")?.get("name")).and_then(Node::str).map(String::from);
    let kind = ToolKind::Native { format, kind, name, json: Json::of(tool) };
    Ok(Tool { kind, at, extras: Extras::default() })
}

/// The members of a JSON schema format, which lie one level deeper in chat completions.
pub fn json_schema(node: Node<'_>) -> Result<Output, Refusal> {
    let schema = node.want_object("schema")?.map_or_else(Json::empty_schema, Json::of);
    let (name, description) = (node.want_str("name")?, node.want_str("description")?);
    Ok(Output::JsonSchema { name, description, schema, is_strict: node.want_bool("strict")? })
}

/// The name of a format that came without one.
pub const SCHEMA_NAME: &str = "response";

/// Writes what [`json_schema`] reads. A schema that came from Anthropic is always enforced.
pub fn write_json_schema(out: &mut Object<'_>, output: &Output) {
    let Output::JsonSchema { name, description, schema, is_strict } = output else { return };
    out.str("name", name.as_deref().unwrap_or(SCHEMA_NAME)).opt_str("description", description.as_deref());
    out.json("schema", schema).opt_bool("strict", *is_strict);
}

/// Both vendors' bodies are understood: gateways in between do not always translate.
pub fn decode_error(status: u16, body: &[u8]) -> ApiError {
    let tape = std::str::from_utf8(body).ok().and_then(|text| Tape::parse(text).ok());
    tape.and_then(|tape| error_in(tape.root(), status)).unwrap_or_else(|| ApiError::opaque(status, body))
}

/// The error under `error`, or one that is spread over the top as in an event of the responses API. A status of 200
/// means that only the body tells.
pub fn error_in(root: Node<'_>, status: u16) -> Option<ApiError> {
    let inner = root.get("error").unwrap_or(root);
    let string = |key| inner.get(key).and_then(Node::str).map(String::from);
    let message = inner.str().map(String::from).or_else(|| string("message"))?;
    let code = string("code").or_else(|| inner.get("code").map(|it| it.raw().to_owned()));
    let named = ErrorKind::of_name(&inner.text_of("type"));
    let by_code = code.as_deref().and_then(kind_of_code);
    let is_error_status = status >= 400;
    let kind = match (by_code.or(named), is_error_status) {
        (Some(kind), _) => kind,
        (None, true) => ErrorKind::of_status(status),
        (None, false) => ErrorKind::Server,
    };
    let status = if is_error_status { status } else { kind.status() };
    let request_id = root.get("request_id").and_then(Node::str).map(String::from);
    Some(ApiError {
        status,
        kind,
        message,
        code,
        field: string("param"),
        request_id,
        is_quoted: true,
        retry_after: None,
    })
}

/// The error that an event of any format's stream tells of.
pub fn error_event(event: Node<'_>) -> Option<ApiError> {
    match &*event.text_of("type") {
        "error" => error_in(event, 200).or_else(|| Some(ApiError::bad_answer("an error without a message"))),
        "response.failed" => event.get("response").and_then(|it| error_in(it, 200)),
        _ => event.get("error").and_then(|_| error_in(event, 200)),
    }
}

fn kind_of_code(code: &str) -> Option<ErrorKind> {
    match code {
        "rate_limit_exceeded" => Some(ErrorKind::RateLimit),
        "insufficient_quota" => Some(ErrorKind::Billing),
        "server_error" => Some(ErrorKind::Server),
        "invalid_api_key" => Some(ErrorKind::Authentication),
        "model_not_found" => Some(ErrorKind::NotFound),
        // An event of the responses API has no other place for the kind.
        _ => ErrorKind::of_name(code),
    }
}

/// `{"error": {"message", "type", "param", "code"}}`. Anthropic's 529 is no status that OpenAI's clients know.
pub fn encode_error(error: &ApiError) -> (u16, Vec<u8>) {
    let mut out = Vec::new();
    {
        let mut body = Object::new(&mut out);
        write_error(&mut body.object("error"), error);
    }
    (if error.status == 529 { 503 } else { error.status }, out)
}

pub fn write_error(out: &mut Object<'_>, error: &ApiError) {
    out.str("message", &error.message).str("type", error.kind.openai());
    out.str_or_null("param", error.field.as_deref()).str_or_null("code", error.code.as_deref());
}

/// The members of the responses API's `error` event, whose `type` is taken.
pub fn write_error_event(out: &mut Object<'_>, error: &ApiError) {
    let code = error.code.as_deref().unwrap_or(error.kind.openai());
    out.str("code", code).str("message", &error.message).str_or_null("param", error.field.as_deref());
}
