//! Amazon Bedrock's `Converse`: blocks are named by their only key, tools and settings have fields of their own
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).

use serde_json::{Map, Value};

use super::{
    at::{At, Names, ReadError, bytes},
    image,
};
use crate::chat::request::{
    Content, Detail, Format, Image, Message, Request, ResponseSchema, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

/// The model stands in the URL; SDKs put it into the body as `modelId`.
pub(super) fn read(body: &At<'_>) -> Result<Request, ReadError> {
    let mut request = Request::empty(Format::BedrockConverse);
    request.model = body.field("modelId").map(|it| it.text().map(str::to_owned)).transpose()?;
    request.thinking = body.field("additionalModelRequestFields").is_some_and(|at| thinks(&at));
    let mut names = Names::default();
    if let Some(system) = body.field("system") {
        let content = blocks(&system, &mut names, &mut request)?;
        request.messages.push(Message::new(Role::System, content));
    }
    for at in body.required("messages")?.items()? {
        let role = role(&at.required("role")?)?;
        let content = blocks(&at.required("content")?, &mut names, &mut request)?;
        request.messages.push(Message::new(role, content));
    }
    if let Some(config) = body.field("toolConfig") {
        tools(&config, &mut request)?;
    }
    response(body, &mut request)?;
    if let Some(stored) = body.field("promptVariables") {
        stored.uncounted(&mut request, "input that the provider keeps", None);
    }
    Ok(request)
}

/// Each maker has a spelling of its own for the same wish.
fn thinks(at: &At<'_>) -> bool {
    let wish = ["thinking", "reasoning_config", "reasoningConfig"].iter().find_map(|name| at.field(name));
    wish.is_some_and(|it| it.text_or_empty("type") == "enabled")
        || at.field("reasoning_effort").is_some_and(|it| it.value != "none")
}

fn role(at: &At<'_>) -> Result<Role, ReadError> {
    match at.text()? {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        _ => Err(at.error("must be user or assistant")),
    }
}

fn blocks(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<Vec<Content>, ReadError> {
    let mut contents = Vec::new();
    for each in at.items()? {
        block(&each, names, request, &mut contents)?;
    }
    Ok(contents)
}

fn block(at: &At<'_>, names: &mut Names, request: &mut Request, out: &mut Vec<Content>) -> Result<(), ReadError> {
    let Some((kind, inner)) = only(at) else { return Err(at.error("must be an object that names a kind of block")) };
    match kind {
        // Guarded text is an object around its text.
        "text" if inner.value.is_object() => out.push(Content::Text(inner.required_text("text")?.to_owned())),
        "text" => out.push(Content::Text(inner.text()?.to_owned())),
        "json" => out.push(Content::Text(inner.value.to_string())),
        "toolUse" => out.push(Content::Call(call(&inner, names)?)),
        "toolResult" => result(&inner, names, request, out)?,
        "image" => out.push(Content::Image(picture(&inner))),
        "guardContent" => block(&inner, names, request, out)?,
        "citationsContent" => {
            let cited = inner.field("content").map(|content| blocks(&content, names, request)).transpose()?;
            out.extend(cited.unwrap_or_default());
        }
        // Marks of the prompt cache are no part of the prompt.
        "cachePoint" => {}
        // Thoughts of earlier turns are dropped, those of the running turn are charged.
        "reasoningContent" => inner.uncounted(request, "thinking", thoughts(&inner)),
        "document" | "video" | "audio" => inner.uncounted(request, kind, None),
        kind => inner.uncounted(request, kind, Some(bytes(inner.value))),
    }
    Ok(())
}

/// The one key of a block; of several the first that is not null.
fn only<'a>(at: &At<'a>) -> Option<(&'a str, At<'a>)> {
    let named = at.value.as_object()?;
    named.keys().find_map(|key| Some((key.as_str(), at.field(key)?)))
}

fn thoughts(at: &At<'_>) -> Option<usize> {
    at.field("reasoningText").map(|thought| thought.text_or_empty("text").len())
}

fn picture(at: &At<'_>) -> Image {
    let size = at.field("source").and_then(|source| image::size(source.text_or_empty("bytes")));
    Image { size, detail: Detail::High }
}

fn call(at: &At<'_>, names: &mut Names) -> Result<ToolCall, ReadError> {
    let name = at.required_text("name")?.to_owned();
    names.add(at.text_or_empty("toolUseId"), &name);
    let arguments = at.field("input").map_or_else(|| "{}".to_owned(), |input| input.value.to_string());
    Ok(ToolCall { id: at.text_or_empty("toolUseId").to_owned(), name, arguments })
}

/// Pictures in a result stand behind it.
fn result(at: &At<'_>, names: &mut Names, request: &mut Request, out: &mut Vec<Content>) -> Result<(), ReadError> {
    let inner = match at.field("content") {
        Some(inner) => blocks(&inner, names, request)?,
        None => Vec::new(),
    };
    let images: Vec<Content> = inner.iter().filter(|it| matches!(it, Content::Image(_))).cloned().collect();
    let text = Message::new(Role::Tool, inner).text();
    let id = at.text_or_empty("toolUseId");
    out.push(Content::Result(ToolResult { id: id.to_owned(), name: names.of(id), text }));
    out.extend(images);
    Ok(())
}

pub(super) fn tools(config: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    for each in config.items_of("tools")? {
        match only(&each) {
            Some(("toolSpec", spec)) => request.tools.push(tool(&spec)?),
            Some(("cachePoint", _)) => {}
            _ => each.uncounted(request, "tool of the provider", None),
        }
    }
    request.tool_choice = match config.field("toolChoice").as_ref().and_then(only) {
        Some(("any", _)) => ToolChoice::Required,
        Some(("tool", tool)) => ToolChoice::Named(tool.required_text("name")?.to_owned()),
        _ => ToolChoice::Auto,
    };
    Ok(())
}

fn tool(at: &At<'_>) -> Result<Tool, ReadError> {
    let schema = at.field("inputSchema").and_then(|schema| schema.field("json"));
    Ok(Tool {
        name: at.required_text("name")?.to_owned(),
        description: at.text_or_empty("description").to_owned(),
        parameters: schema.map_or(Value::Null, |it| it.value.clone()),
        rest: Map::new(),
    })
}

/// The schema of the answer is JSON in a string.
fn response(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let format = body.field("outputConfig").and_then(|at| at.field("textFormat"));
    let Some(format) = format.filter(|at| at.text_or_empty("type") == "json_schema") else { return Ok(()) };
    let at = format.required("structure")?.required("jsonSchema")?;
    let schema = at.required("schema")?;
    let parsed = serde_json::from_str(schema.text()?).map_err(|_| schema.error("must be JSON in a string"))?;
    request.response = Some(ResponseSchema {
        name: at.text_or_empty("name").to_owned(),
        description: at.text_or_empty("description").to_owned(),
        schema: parsed,
        strict: true,
    });
    Ok(())
}
