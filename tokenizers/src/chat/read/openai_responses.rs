//! `POST /v1/responses`: items instead of messages, instructions in a field, tools that the provider runs itself.

use serde_json::{Map, Value};

use super::{
    at::{At, Names, ReadError, bytes},
    openai_parts as parts,
};
use crate::chat::request::{Content, Format, Message, Request, Role, Tool, ToolCall, ToolResult};

pub(super) fn read(body: &At<'_>) -> Result<Request, ReadError> {
    let mut request = Request::empty(Format::OpenaiResponses);
    request.model = body.field("model").map(|it| it.text().map(str::to_owned)).transpose()?;
    request.thinking = parts::thinks(body);
    request.parallel_calls = parts::parallel_calls(body);
    for stored in ["previous_response_id", "conversation", "prompt"] {
        if let Some(at) = body.field(stored) {
            at.uncounted(&mut request, "input that the provider keeps", None);
        }
    }
    parts::pro_mode(body, &mut request);
    instructions(body, &mut request)?;
    input(&body.required("input")?, &mut request)?;
    tools(body, &mut request)?;
    response(body, &mut request)?;
    if let Some(effort) = parts::effort(body) {
        request.template_options.insert("enable_thinking".to_owned(), (effort != "none").into());
        request.template_options.insert("reasoning_effort".to_owned(), effort.into());
    }
    Ok(request)
}

/// Empty instructions are none.
fn instructions(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    if let Some(at) = body.field("instructions").filter(|at| at.value != "") {
        let content = vec![Content::Text(at.text()?.to_owned())];
        request.messages.push(Message::new(Role::System, content));
    }
    Ok(())
}

fn input(at: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    if let Some(text) = at.value.as_str() {
        let content = vec![Content::Text(text.to_owned())];
        request.messages.push(Message::new(Role::User, content));
        return Ok(());
    }
    let mut names = Names::default();
    for item in at.items()? {
        self::item(&item, &mut names, request)?;
    }
    Ok(())
}

fn item(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<(), ReadError> {
    match at.text_or_empty("type") {
        "message" | "" => message(at, request),
        "function_call" => call(at, names, request),
        "function_call_output" => output(at, names, request),
        "reasoning" => {
            at.uncounted(request, "reasoning", None);
            Ok(())
        }
        "item_reference" => {
            at.uncounted(request, "input that the provider keeps", None);
            Ok(())
        }
        // What a provider's own tool did: its text is here, its rendering is not known.
        kind => {
            at.uncounted(request, kind, Some(bytes(at.value)));
            Ok(())
        }
    }
}

fn message(at: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let role = parts::role(&at.required("role")?)?;
    let content = parts::content(&at.required("content")?, request)?;
    request.messages.push(Message::new(role, content));
    Ok(())
}

/// Calls that follow each other were made at once.
fn call(at: &At<'_>, names: &mut Names, request: &mut Request) -> Result<(), ReadError> {
    let name = at.required_text("name")?.to_owned();
    names.add(at.text_or_empty("call_id"), &name);
    let id = at.text_or_empty("call_id").to_owned();
    let call = Content::Call(ToolCall { id, name, arguments: at.text_or_empty("arguments").to_owned() });
    let open = request.messages.last_mut().filter(|last| last.calls().next().is_some());
    match open {
        Some(message) => message.content.push(call),
        None => request.messages.push(Message::new(Role::Assistant, vec![call])),
    }
    Ok(())
}

fn output(at: &At<'_>, names: &Names, request: &mut Request) -> Result<(), ReadError> {
    let mut content = parts::content(&at.required("output")?, request)?;
    let text = Message::new(Role::Tool, content.clone()).text();
    content.retain(|content| matches!(content, Content::Image(_)));
    let id = at.text_or_empty("call_id");
    content.insert(0, Content::Result(ToolResult { id: id.to_owned(), name: names.of(id), text }));
    request.messages.push(Message::new(Role::Tool, content));
    Ok(())
}

pub(super) fn tools(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    for each in body.items_of("tools")? {
        match each.text_or_empty("type") {
            // Of such a function the model sees name and description until its search has found it
            // (developers.openai.com/api/docs/guides/tools-tool-search).
            "function" if each.field("defer_loading").is_some_and(|it| it.value == true) => {
                request.tools.push(Tool { parameters: Value::Null, rest: Map::new(), ..parts::function(&each)? });
            }
            "function" => request.tools.push(parts::function(&each)?),
            kind => each.uncounted(request, &format!("tool of the provider, {kind}"), None),
        }
    }
    if let Some(choice) = body.field("tool_choice") {
        request.tool_choice = parts::choice(&choice);
    }
    Ok(())
}

fn response(body: &At<'_>, request: &mut Request) -> Result<(), ReadError> {
    let Some(format) = body.field("text").and_then(|text| text.field("format")) else { return Ok(()) };
    if format.text_or_empty("type") == "json_schema" {
        request.response = Some(parts::schema(&format)?);
    }
    Ok(())
}
