//! A responses request for a provider.

use super::items;
use crate::protocols::{
    Encoded, Target, effort,
    extras::Dropped,
    foreign::{self, Wish},
    json::{Array, Object},
    openai::write_json_schema,
    refusal::Refusal,
    request::{Format, Function, Message, Output, Request, Role, Tool, ToolChoice, ToolKind},
};

const FORMAT: Format = Format::OpenAiResponses;

pub fn encode(request: &Request, target: &Target) -> Result<Encoded, Refusal> {
    let (mut body, mut dropped) = (Vec::new(), Vec::new());
    let mut out = Object::new(&mut body);
    out.str("model", target.model.as_deref().unwrap_or(&request.model));
    let instructions = instructions(&request.messages);
    out.opt_str("instructions", instructions);
    let from = usize::from(instructions.is_some());
    if let (1, Some(message)) = (from, request.messages.first()) {
        message.extras.note(FORMAT, &message.at, &mut dropped);
        message.parts.iter().for_each(|it| it.extras.note(FORMAT, &it.at, &mut dropped));
    }
    foreign::check_last(request, FORMAT)?;
    let mut input = out.array("input");
    for message in &request.messages[from..] {
        items::write(&mut input, message, &mut dropped)?;
    }
    drop(input);
    tools(&mut out, request, &mut dropped)?;
    settings(&mut out, request)?;
    effort::note(&request.reasoning, &mut dropped);
    request.extras.check(FORMAT, &mut dropped)?;
    request.extras.write(&mut out, FORMAT, "");
    drop(out);
    Ok(Encoded { body, dropped })
}

/// A first system message of one text.
fn instructions(messages: &[Message]) -> Option<&str> {
    let first = messages.first().filter(|it| it.role == Role::System)?;
    let [part] = &first.parts[..] else { return None };
    part.text().filter(|it| !it.is_empty())
}

fn settings(out: &mut Object<'_>, request: &Request) -> Result<(), Refusal> {
    if !request.stop.is_empty() {
        return Err(Refusal::new(
            foreign::field(request, Wish::Stop),
            "cannot be said in OpenAI's responses; leave it out",
        ));
    }
    if request.top_k.is_some() && request.format != FORMAT {
        return Err(Refusal::new("top_k", "cannot be said in OpenAI's responses; leave it out"));
    }
    out.opt_num("max_output_tokens", request.max_tokens);
    out.opt_json("temperature", request.temperature.as_ref()).opt_json("top_p", request.top_p.as_ref());
    out.opt_json("top_k", request.top_k.as_ref()).opt_str("user", request.user.as_deref());
    let effort = effort::of(&request.reasoning);
    if effort.is_some() || request.extras.has_under(FORMAT, "reasoning") {
        let mut reasoning = out.object("reasoning");
        reasoning.opt_str("effort", effort);
        request.extras.write(&mut reasoning, FORMAT, "reasoning");
    }
    text(out, request);
    if request.is_stream {
        out.bool("stream", true);
    }
    if request.format == FORMAT {
        return Ok(());
    }
    // The other formats keep nothing at the vendor's; thoughts then come back encrypted or not at all.
    if request.extras.get("store").is_none() {
        out.bool("store", false);
    }
    if effort.is_some_and(|it| it != "none") {
        out.array("include").str("reasoning.encrypted_content");
    }
    Ok(())
}

fn text(out: &mut Object<'_>, request: &Request) {
    let is_plain = matches!(request.output, Output::Text);
    if is_plain && request.verbosity.is_none() && !request.extras.has_under(FORMAT, "text") {
        return;
    }
    let mut text = out.object("text");
    text.opt_str("verbosity", request.verbosity.as_deref());
    match &request.output {
        Output::Text => {}
        Output::JsonObject => {
            text.object("format").str("type", "json_object");
        }
        Output::JsonSchema { .. } => {
            let mut format = text.object("format");
            format.str("type", "json_schema");
            write_json_schema(&mut format, &request.output);
        }
    }
    request.extras.write(&mut text, FORMAT, "text");
}

fn tools(out: &mut Object<'_>, request: &Request, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if !request.tools.is_empty() {
        let mut tools = out.array("tools");
        for tool in &request.tools {
            match &tool.kind {
                ToolKind::Function(function) => self::function(&mut tools, request, function, tool, dropped),
                ToolKind::Native { format: FORMAT, json, .. } => tools.raw(json.text()),
                ToolKind::Native { kind, .. } => return Err(foreign::tool(tool.at, kind, FORMAT)),
            }
        }
        drop(tools);
        out.opt_bool("parallel_tool_calls", request.parallel_tool_calls);
    }
    match &request.tool_choice {
        Some(choice) => tool_choice(out, choice),
        None => Ok(()),
    }
}

fn function(tools: &mut Array<'_>, request: &Request, function: &Function, tool: &Tool, dropped: &mut Vec<Dropped>) {
    let mut out = tools.object();
    out.str("type", "function").str("name", &function.name).opt_str("description", function.description.as_deref());
    match &function.parameters {
        Some(parameters) => out.json("parameters", parameters),
        None => out.raw("parameters", "null"),
    };
    // Left out, it means yes here and no elsewhere.
    let is_strict = function.is_strict.or((request.format != FORMAT).then_some(false));
    out.opt_bool("strict", is_strict);
    tool.extras.write(&mut out, FORMAT, "");
    tool.extras.note(FORMAT, &tool.at, dropped);
}

fn tool_choice(out: &mut Object<'_>, choice: &ToolChoice) -> Result<(), Refusal> {
    match choice {
        ToolChoice::Auto => out.str("tool_choice", "auto"),
        ToolChoice::None => out.str("tool_choice", "none"),
        ToolChoice::Required => out.str("tool_choice", "required"),
        ToolChoice::Named(name) => {
            out.object("tool_choice").str("type", "function").str("name", name);
            out
        }
        ToolChoice::Allowed { names, is_required } => {
            let mut allowed = out.object("tool_choice");
            allowed.str("type", "allowed_tools").str("mode", if *is_required { "required" } else { "auto" });
            let mut tools = allowed.array("tools");
            names.iter().for_each(|name| {
                tools.object().str("type", "function").str("name", name);
            });
            return Ok(());
        }
        ToolChoice::Native { format: FORMAT, json } => out.json("tool_choice", json),
        ToolChoice::Native { .. } => return Err(foreign::choice(FORMAT)),
    };
    Ok(())
}
