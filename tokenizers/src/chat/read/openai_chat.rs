//! `POST /v1/chat/completions`, with the functions of before November 2023.

use serde_json::{Map, Value};

use super::{
    at::{At, Names, ReadError},
    openai_parts as parts,
};
use crate::chat::request::{Content, Format, Message, Request, Role, ToolCall, ToolResult};

pub(super) fn read(body: &At<'_>) -> Result<Request, ReadError> {
    let mut request = Request::empty(Format::OpenaiChat);
    request.model = body.field("model").map(|it| it.text().map(str::to_owned)).transpose()?;
    request.thinking = parts::thinks(body);
    request.parallel_calls = parts::parallel_calls(body);
    let mut names = Names::default();
    for at in body.required("messages")?.items()? {
        let message = message(&at, &mut names, &mut request)?;
        request.messages.push(message);
    }
    tools(body, &mut request)?;
    response(body, &mut request)?;
    request.template_options = template_options(body);
    if let Some(search) = body.field("web_search_options") {
        search.uncounted(&mut request, "web search", None);
    }
    Ok(request)
}

fn message(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<Message, ReadError> {
    let role = parts::role(&at.required("role")?)?;
    let mut content = match at.field("content") {
        Some(field) => parts::content(&field, request)?,
        None => Vec::new(),
    };
    if role == Role::Tool {
        content = vec![result(at, names, content)];
    }
    content.extend(calls(at, names)?);
    let name = at.field("name").filter(|_| role != Role::Tool);
    let name = name.map(|it| it.text().map(str::to_owned)).transpose()?;
    let reasoning = at.either(["reasoning_content", "reasoning"]).and_then(|it| it.value.as_str().map(str::to_owned));
    Ok(Message { role, name, content, reasoning: reasoning.unwrap_or_default() })
}

fn result(at: &At<'_>, names: &Names, content: Vec<Content>) -> Content {
    let named = at.text_or_empty("name");
    let name = if named.is_empty() { names.of(at.text_or_empty("tool_call_id")) } else { named.to_owned() };
    let text = Message::new(Role::Tool, content).text();
    Content::Result(ToolResult { id: at.text_or_empty("tool_call_id").to_owned(), name, text })
}

fn calls(at: &At<'_>, names: &mut Names) -> Result<Vec<Content>, ReadError> {
    let mut calls = Vec::new();
    for each in at.items_of("tool_calls")? {
        let Some(function) = each.field("function") else { continue };
        let call = call(each.text_or_empty("id"), &function)?;
        names.add(each.text_or_empty("id"), &call.name);
        calls.push(Content::Call(call));
    }
    if let Some(function) = at.field("function_call") {
        calls.push(Content::Call(call("", &function)?));
    }
    Ok(calls)
}

fn call(id: &str, at: &At<'_>) -> Result<ToolCall, ReadError> {
    let arguments = at.text_or_empty("arguments").to_owned();
    Ok(ToolCall { id: id.to_owned(), name: at.required_text("name")?.to_owned(), arguments })
}

pub(super) fn tools(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    for each in body.items_of("tools")? {
        match each.field("function") {
            Some(function) => request.tools.push(parts::function(&function)?),
            None => each.uncounted(request, "tool", None),
        }
    }
    for each in body.items_of("functions")? {
        request.tools.push(parts::function(&each)?);
    }
    if let Some(choice) = body.either(["tool_choice", "function_call"]) {
        request.tool_choice = parts::choice(&choice);
    }
    Ok(())
}

fn response(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let Some(format) = body.field("response_format") else { return Ok(()) };
    if format.text_or_empty("type") == "json_schema" {
        request.response = Some(parts::schema(&format.required("json_schema")?)?);
    }
    Ok(())
}

/// What vLLM, SGLang and llama.cpp hand to the chat template, and the switches that hosts have for the same.
fn template_options(body: &At<'_>) -> Map<String, Value> {
    let mut options = Map::new();
    let effort = parts::effort(body);
    if let Some(effort) = effort {
        options.insert("enable_thinking".to_owned(), (effort != "none").into());
        options.insert("reasoning_effort".to_owned(), effort.into());
    }
    let thinking = body.field("thinking");
    for place in [Some(body), thinking.as_ref()].into_iter().flatten() {
        for name in ["enable_thinking", "clear_thinking"] {
            options.extend(place.field(name).map(|it| (name.to_owned(), it.value.clone())));
        }
    }
    let given = body.field("chat_template_kwargs");
    options.extend(given.and_then(|it| it.value.as_object().cloned()).unwrap_or_default());
    options
}
