//! `models/*:generateContent` and `:countTokens`, in both spellings that the API takes.

use serde_json::{Map, Value};

use super::{
    at::{At, ReadError, bytes},
    image,
};
use crate::chat::request::{
    Content, Detail, Format, Image, Message, Request, ResponseSchema, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

/// What a seal stands for. Providers charge a token for four of its characters at most, and often nothing.
const THOUGHT: &str = "thought";
const SEAL_CHARS: usize = 4;

pub(super) fn read(body: &At<'_>) -> Result<Request, ReadError> {
    let nested = body.field("generateContentRequest");
    let body = nested.as_ref().unwrap_or(body);
    let mut request = Request::empty(Format::Gemini);
    request.model = body.field("model").map(|it| it.text().map(str::to_owned)).transpose()?;
    if let Some(cached) = body.field("cachedContent") {
        cached.uncounted(&mut request, "input that the provider keeps", None);
    }
    if let Some(system) = body.either(["systemInstruction", "system_instruction"]) {
        turn(&system, Role::System, &mut request)?;
    }
    for at in body.required("contents")?.items()? {
        let role = if at.text_or_empty("role") == "model" { Role::Assistant } else { Role::User };
        turn(&at, role, &mut request)?;
    }
    tools(body, &mut request)?;
    config(body, &mut request);
    Ok(request)
}

fn turn(at: &At<'_>, role: Role, request: &mut Request) -> Result<(), ReadError> {
    let parts = at.items_of("parts")?;
    // Thoughts about an earlier question are dropped by the provider.
    if role == Role::User && parts.iter().any(|part| part.field("text").is_some()) {
        request.uncounted.retain(|it| it.what != THOUGHT);
    }
    let mut content = Vec::new();
    for part in parts {
        content.extend(self::part(&part, request)?);
        if let Some(seal) = part.either(["thoughtSignature", "thought_signature"]) {
            let n_chars = seal.value.as_str().map_or(0, str::len);
            seal.uncounted(request, THOUGHT, Some(n_chars.div_ceil(SEAL_CHARS)));
        }
    }
    request.messages.push(Message::new(role, content));
    Ok(())
}

fn part(at: &At<'_>, request: &mut Request) -> Result<Option<Content>, ReadError> {
    if let Some(text) = at.field("text") {
        return Ok(Some(Content::Text(text.text()?.to_owned())));
    }
    if let Some(call) = at.either(["functionCall", "function_call"]) {
        let arguments = call.field("args").map_or_else(|| "{}".to_owned(), |args| args.value.to_string());
        return Ok(Some(Content::Call(ToolCall {
            id: String::new(),
            name: call.required_text("name")?.to_owned(),
            arguments,
        })));
    }
    if let Some(answer) = at.either(["functionResponse", "function_response"]) {
        let text = answer.field("response").map(|it| it.value.to_string()).unwrap_or_default();
        return Ok(Some(Content::Result(ToolResult {
            id: String::new(),
            name: answer.required_text("name")?.to_owned(),
            text,
        })));
    }
    Ok(media(at, request))
}

fn media(at: &At<'_>, request: &mut Request) -> Option<Content> {
    let Some(data) = at.either(["inlineData", "inline_data"]) else {
        let is_file = at.either(["fileData", "file_data"]).is_some();
        at.uncounted(request, "part", if is_file { None } else { Some(bytes(at.value)) });
        return None;
    };
    let kind = data.either(["mimeType", "mime_type"]);
    if kind.is_some_and(|it| it.value.as_str().is_some_and(|it| it.starts_with("image/"))) {
        return Some(Content::Image(Image { size: image::size(data.text_or_empty("data")), detail: Detail::High }));
    }
    data.uncounted(request, "media", None);
    None
}

pub(super) fn tools(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let list = body.field("tools").filter(|at| at.value.is_array());
    for group in list.map_or_else(|| Ok(Vec::new()), |at| at.items())? {
        match group.either(["functionDeclarations", "function_declarations"]) {
            Some(functions) => declarations(&functions, request)?,
            None => group.uncounted(request, "tool of the provider", None),
        }
    }
    let config = body.either(["toolConfig", "tool_config"]);
    let calling = config.and_then(|at| at.either(["functionCallingConfig", "function_calling_config"]));
    if let Some(calling) = calling {
        request.tool_choice = match calling.text_or_empty("mode") {
            "ANY" => ToolChoice::Required,
            "NONE" => ToolChoice::None,
            _ => ToolChoice::Auto,
        };
    }
    Ok(())
}

fn declarations(at: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    for each in at.items()? {
        let schema = ["parameters", "parametersJsonSchema", "parameters_json_schema"];
        request.tools.push(Tool {
            name: each.required_text("name")?.to_owned(),
            description: each.text_or_empty("description").to_owned(),
            parameters: schema.iter().find_map(|it| each.field(it)).map_or(Value::Null, |it| it.value.clone()),
            rest: Map::new(),
        });
    }
    Ok(())
}

fn config(body: &At<'_>, request: &mut Request) {
    let Some(config) = body.either(["generationConfig", "generation_config"]) else { return };
    let thinking = config.either(["thinkingConfig", "thinking_config"]);
    let budget = thinking.as_ref().and_then(|it| it.either(["thinkingBudget", "thinking_budget"]));
    request.thinking = thinking.is_some() && budget.is_none_or(|it| it.value != 0);
    let names = ["responseSchema", "responseJsonSchema", "response_schema", "response_json_schema"];
    if let Some(schema) = names.iter().find_map(|name| config.field(name)) {
        let schema = schema.value.clone();
        request.response =
            Some(ResponseSchema { name: String::new(), description: String::new(), schema, strict: true });
    }
}
