//! `POST /v1/messages` and `/v1/messages/count_tokens`.

use serde_json::{Map, Value};

use super::{
    at::{At, Names, ReadError, bytes},
    image,
};
use crate::chat::request::{
    Content, Detail, Format, Image, Message, Request, ResponseSchema, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

pub(super) fn read(body: &At<'_>) -> Result<Request, ReadError> {
    let mut request = Request::empty(Format::Anthropic);
    request.model = body.field("model").map(|it| it.text().map(str::to_owned)).transpose()?;
    request.thinking = body.field("thinking").is_some_and(|at| at.text_or_empty("type") == "enabled");
    let mut names = Names::default();
    if let Some(system) = body.field("system") {
        let content = content(&system, &mut names, &mut request)?;
        request.messages.push(Message::new(Role::System, content));
    }
    for at in body.required("messages")?.items()? {
        let role = role(&at.required("role")?)?;
        let content = content(&at.required("content")?, &mut names, &mut request)?;
        request.messages.push(Message::new(role, content));
    }
    tools(body, &names, &mut request)?;
    response(body, &mut request)?;
    if let Some(budget) = body.field("output_config").and_then(|at| at.field("task_budget")) {
        budget.uncounted(&mut request, "what the model is told of its budget", Some(64));
    }
    for kept in ["container", "mcp_servers"] {
        if let Some(at) = body.field(kept) {
            at.uncounted(&mut request, "what the provider fetches", None);
        }
    }
    Ok(request)
}

fn role(at: &At<'_>) -> Result<Role, ReadError> {
    match at.text()? {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        _ => Err(at.error("must be user or assistant")),
    }
}

fn content(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<Vec<Content>, ReadError> {
    if let Some(text) = at.value.as_str() {
        return Ok(vec![Content::Text(text.to_owned())]);
    }
    let mut contents = Vec::new();
    for block in at.items()? {
        self::block(&block, names, request, &mut contents)?;
    }
    Ok(contents)
}

fn block(at: &At<'_>, names: &mut Names, request: &mut Request, out: &mut Vec<Content>) -> Result<(), ReadError> {
    match at.text_or_empty("type") {
        "text" => out.push(Content::Text(at.required_text("text")?.to_owned())),
        "tool_use" => out.push(Content::Call(call(at, names)?)),
        "tool_result" => result(at, names, request, out)?,
        "image" => {
            let size = at.field("source").and_then(|source| image::size(source.text_or_empty("data")));
            out.push(Content::Image(Image { size, detail: Detail::High }));
        }
        "tool_reference" => names.find(at.text_or_empty("tool_name")),
        "tool_search_tool_result" => search_result(at, names, request)?,
        "tool_addition" => names.find(at.field("tool").map_or("", |tool| tool.text_or_empty("name"))),
        // Thoughts of earlier turns are dropped by the provider, those of the running turn are charged.
        "thinking" => at.uncounted(request, "thinking", Some(at.text_or_empty("thinking").len())),
        "redacted_thinking" | "document" | "container_upload" => at.uncounted(request, at.text_or_empty("type"), None),
        kind => at.uncounted(request, kind, Some(bytes(at.value))),
    }
    Ok(())
}

/// What the provider's own search found; how it is written is not known.
fn search_result(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<(), ReadError> {
    let found = at.field("content").map(|it| it.items_of("tool_references")).transpose()?.unwrap_or_default();
    found.iter().for_each(|it| names.find(it.text_or_empty("tool_name")));
    at.uncounted(request, "tool_search_tool_result", Some(bytes(at.value)));
    Ok(())
}

fn call(at: &At<'_>, names: &mut Names) -> Result<ToolCall, ReadError> {
    let name = at.required_text("name")?.to_owned();
    names.add(at.text_or_empty("id"), &name);
    let arguments = at.field("input").map_or_else(|| "{}".to_owned(), |input| input.value.to_string());
    Ok(ToolCall { id: at.text_or_empty("id").to_owned(), name, arguments })
}

fn result(at: &At<'_>, names: &mut Names, request: &mut Request, out: &mut Vec<Content>) -> Result<(), ReadError> {
    let inner = match at.field("content") {
        Some(inner) => content(&inner, names, request)?,
        None => Vec::new(),
    };
    let images: Vec<Content> = inner.iter().filter(|it| matches!(it, Content::Image(_))).cloned().collect();
    let text = Message::new(Role::Tool, inner).text();
    let id = at.text_or_empty("tool_use_id");
    out.push(Content::Result(ToolResult { id: id.to_owned(), name: names.of(id), text }));
    out.extend(images);
    Ok(())
}

pub(super) fn tools(body: &At<'_>, names: &Names, request: &mut Request) -> Result<(), ReadError> {
    for each in body.items_of("tools")? {
        let is_deferred = each.field("defer_loading").is_some_and(|it| it.value == true);
        match each.field("input_schema") {
            // Such a tool is not in the prompt until a search has found it.
            Some(_) if is_deferred && !names.is_found(each.text_or_empty("name")) => {}
            Some(schema) => request.tools.push(Tool {
                name: each.required_text("name")?.to_owned(),
                description: each.text_or_empty("description").to_owned(),
                parameters: schema.value.clone(),
                rest: Map::new(),
            }),
            None => {
                let what = format!("tool of the provider, {}", each.text_or_empty("type"));
                each.uncounted(request, &what, None);
            }
        }
    }
    if let Some(choice) = body.field("tool_choice") {
        let disabled = choice.field("disable_parallel_tool_use");
        request.parallel_calls = disabled.is_none_or(|it| it.value != true);
        request.tool_choice = match choice.text_or_empty("type") {
            "none" => ToolChoice::None,
            "any" => ToolChoice::Required,
            "tool" => ToolChoice::Named(choice.required_text("name")?.to_owned()),
            _ => ToolChoice::Auto,
        };
    }
    Ok(())
}

/// `output_config.format`, or `output_format` of the beta.
fn response(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let format = body.field("output_config").and_then(|at| at.field("format")).or_else(|| body.field("output_format"));
    let Some(format) = format.filter(|at| at.text_or_empty("type") == "json_schema") else { return Ok(()) };
    let schema: Value = format.required("schema")?.value.clone();
    request.response = Some(ResponseSchema { name: String::new(), description: String::new(), schema, strict: true });
    Ok(())
}
