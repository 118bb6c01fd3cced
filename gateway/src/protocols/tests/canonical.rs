//! When two requests mean the same.
//!
//! The canonical form of a request is what a model gets to see and to do, without the ways to say it. It is taken for a
//! way `via` a format: what that format cannot carry, and is therefore listed as dropped, has no part in it.
//!
//! - A conversation is a flat list of parts with a role; where a message ends does not matter, nor do empty texts.
//!   `system` and `developer` are one role, `instructions` are the first system text.
//! - Ids of calls are numbers in the order of appearance. Arguments are compared as JSON.
//! - A tool without parameters takes an empty object; not strict is not said. Auto, parallel calls and text are not said.
//! - A JSON schema without a name is called as the gateway calls it.
//! - Via Anthropic: a refusal is a text, a JSON schema has no name, verbosity and `none` effort are nothing.
//! - Via OpenAI: a failed result is a result, a budget is the effort that stands for it.
//! - Thoughts are compared where both ends are of the same vendor.

use serde_json::{Value, json};

use crate::protocols::{
    effort,
    json::Json,
    openai::SCHEMA_NAME,
    request::{Format, Output, Part, PartKind, Request, Role, ToolChoice, ToolKind, Vendor},
};

pub fn canonical(request: &Request, via: Format) -> Value {
    let mut ids = Vec::new();
    let mut parts = Vec::new();
    for message in &request.messages {
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        for part in &message.parts {
            parts.extend(self::part(part, request, via, &mut ids).map(|it| json!([role, it])));
        }
    }
    json!({
        "model": request.model,
        "stream": request.is_stream,
        "parts": parts,
        "tools": request.tools.iter().map(|it| tool(&it.kind)).collect::<Vec<_>>(),
        "choice": choice(request),
        "serial": request.parallel_tool_calls == Some(false)
            && request.tool_choice != Some(ToolChoice::None)
            && !request.tools.is_empty(),
        "max_tokens": request.max_tokens,
        "temperature": number(request.temperature.as_ref()),
        "top_p": number(request.top_p.as_ref()),
        "top_k": number(request.top_k.as_ref()),
        "stop": request.stop,
        "user": request.user,
        "verbosity": request.verbosity.clone().filter(|_| via != Format::Anthropic),
        "effort": effort(request, via),
        "output": output(request, via),
    })
}

fn number(json: Option<&Json>) -> Option<f64> {
    json.map(|it| it.text().parse().unwrap())
}

fn value(json: &Json) -> Value {
    serde_json::from_str(json.text()).unwrap()
}

fn effort(request: &Request, via: Format) -> Option<&str> {
    let crosses = request.format.vendor() != via.vendor();
    let word = if via.vendor() == Vendor::OpenAi {
        effort::of(&request.reasoning)
    } else {
        request.reasoning.effort.as_deref()
    };
    word.filter(|it| !(crosses && *it == "none")).map(|it| if crosses && it == "minimal" { "low" } else { it })
}

fn output(request: &Request, via: Format) -> Value {
    match &request.output {
        Output::Text => Value::Null,
        Output::JsonObject => json!("object"),
        Output::JsonSchema { schema, .. } if via == Format::Anthropic || request.format == Format::Anthropic => {
            json!({ "schema": value(schema) })
        }
        Output::JsonSchema { name, description, schema, is_strict } => {
            json!([name.as_deref().unwrap_or(SCHEMA_NAME), description, value(schema), is_strict.unwrap_or(false)])
        }
    }
}

fn choice(request: &Request) -> Value {
    match &request.tool_choice {
        None | Some(ToolChoice::Auto) => Value::Null,
        Some(ToolChoice::None) if request.tools.is_empty() => Value::Null,
        Some(ToolChoice::Native { json, .. }) => value(json),
        Some(other) => json!(format!("{other:?}")),
    }
}

fn tool(kind: &ToolKind) -> Value {
    match kind {
        ToolKind::Function(it) => json!([
            it.name,
            it.description,
            it.parameters.as_ref().map_or_else(|| value(&Json::empty_schema()), value),
            it.is_strict.unwrap_or(false),
        ]),
        ToolKind::Native { json, .. } => value(json),
    }
}

fn number_of(id: &str, ids: &mut Vec<String>) -> usize {
    ids.iter().position(|it| it == id).unwrap_or_else(|| {
        ids.push(id.to_owned());
        ids.len() - 1
    })
}

fn part(part: &Part, request: &Request, via: Format, ids: &mut Vec<String>) -> Option<Value> {
    Some(match &part.kind {
        PartKind::Text(text) if text.is_empty() => return None,
        PartKind::Text(text) => json!(["text", text]),
        PartKind::Refusal(text) if via == Format::Anthropic => json!(["text", text]),
        PartKind::Refusal(text) => json!(["refusal", text]),
        PartKind::Image { source, detail } => {
            let detail = detail.clone().filter(|_| via != Format::Anthropic);
            json!(["image", format!("{source:?}"), detail])
        }
        PartKind::File { source, name } => json!(["file", format!("{source:?}"), name]),
        PartKind::Reasoning(thought) => {
            let is_kept = request.format == via;
            return is_kept.then(|| json!(["thought", thought.texts, format!("{:?}", thought.seal)]));
        }
        PartKind::ToolCall(call) => {
            let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
            json!(["call", number_of(&call.id, ids), call.name, arguments])
        }
        PartKind::ToolResult(result) => {
            let id = number_of(&result.call_id, ids);
            let parts: Vec<_> = result.parts.iter().filter_map(|it| self::part(it, request, via, ids)).collect();
            let is_error = result.is_error && via == Format::Anthropic;
            json!(["result", id, parts, is_error])
        }
        PartKind::Native { json, .. } => json!(["native", value(json)]),
    })
}
