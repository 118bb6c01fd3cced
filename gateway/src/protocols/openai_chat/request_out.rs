//! A chat completion request for a provider.

use crate::protocols::{
    Encoded, Target, effort,
    extras::{Dropped, Extras},
    foreign::{self, Wish},
    json::{Array, Object},
    openai::{url_of_source, write_json_schema},
    refusal::Refusal,
    request::{
        At, Format, Function, Message, Output, Part, PartKind, Request, Role, Source, Tool, ToolChoice, ToolKind,
        ToolResult, Vendor,
    },
};

const FORMAT: Format = Format::OpenAiChat;

/// The most stop sequences (API reference, `stop`).
const MAX_STOPS: usize = 4;

pub fn encode(request: &Request, target: &Target) -> Result<Encoded, Refusal> {
    let (mut body, mut dropped) = (Vec::new(), Vec::new());
    let mut out = Object::new(&mut body);
    out.str("model", target.model.as_deref().unwrap_or(&request.model));
    let mut messages = out.array("messages");
    foreign::check_last(request, FORMAT)?;
    for run in request.messages.chunk_by(|left, right| is_one_turn(request, left, right)) {
        match run {
            [message] => self::message(&mut messages, message, &mut dropped)?,
            several => self::message(&mut messages, &joined(several, &mut dropped), &mut dropped)?,
        }
    }
    drop(messages);
    tools(&mut out, request, &mut dropped)?;
    settings(&mut out, request, target)?;
    effort::note(&request.reasoning, &mut dropped);
    request.extras.check(FORMAT, &mut dropped)?;
    request.extras.write(&mut out, FORMAT, "");
    drop(out);
    Ok(Encoded { body, dropped })
}

/// Thoughts, texts and calls of one turn are messages of their own elsewhere; here the results must follow one message
/// with all calls.
fn is_one_turn(request: &Request, left: &Message, right: &Message) -> bool {
    request.format != FORMAT && left.role == Role::Assistant && right.role == Role::Assistant
}

fn joined(messages: &[Message], dropped: &mut Vec<Dropped>) -> Message {
    messages.iter().for_each(|it| it.extras.note(FORMAT, &it.at, dropped));
    let parts = messages.iter().flat_map(|it| it.parts.iter().cloned()).collect();
    let at = messages.first().map_or(At::whole("messages"), |it| it.at);
    Message { role: Role::Assistant, parts, at, extras: Extras::default() }
}

fn settings(out: &mut Object<'_>, request: &Request, target: &Target) -> Result<(), Refusal> {
    let max_key = if target.has_old_max_tokens { "max_tokens" } else { "max_completion_tokens" };
    out.opt_num(max_key, request.max_tokens);
    out.opt_json("temperature", request.temperature.as_ref()).opt_json("top_p", request.top_p.as_ref());
    // Not OpenAI's own, but of every server that follows it.
    out.opt_json("top_k", request.top_k.as_ref());
    if request.stop.len() > MAX_STOPS {
        return Err(Refusal::new(
            foreign::field(request, Wish::Stop),
            "has more than the 4 sequences that chat completions take",
        ));
    }
    if !request.stop.is_empty() {
        let mut stop = out.array("stop");
        request.stop.iter().for_each(|it| stop.str(it));
    }
    out.opt_str("reasoning_effort", effort::of(&request.reasoning)).opt_str("verbosity", request.verbosity.as_deref());
    out.opt_str("user", request.user.as_deref());
    output(out, &request.output);
    if request.is_stream {
        out.bool("stream", true);
    }
    if request.is_stream && (request.has_usage || request.extras.has_under(FORMAT, "stream_options")) {
        let mut options = out.object("stream_options");
        options.bool("include_usage", request.has_usage);
        request.extras.write(&mut options, FORMAT, "stream_options");
    }
    Ok(())
}

fn output(out: &mut Object<'_>, output: &Output) {
    match output {
        Output::Text => {}
        Output::JsonObject => {
            out.object("response_format").str("type", "json_object");
        }
        Output::JsonSchema { .. } => {
            let mut format = out.object("response_format");
            format.str("type", "json_schema");
            write_json_schema(&mut format.object("json_schema"), output);
        }
    }
}

fn tools(out: &mut Object<'_>, request: &Request, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if request.tools.is_empty() {
        return Ok(());
    }
    let mut tools = out.array("tools");
    for tool in &request.tools {
        match &tool.kind {
            ToolKind::Function(function) => self::function(&mut tools.object(), function, tool, dropped),
            ToolKind::Native { format: FORMAT, json, .. } => tools.raw(json.text()),
            ToolKind::Native { kind, .. } => return Err(foreign::tool(tool.at, kind, FORMAT)),
        }
    }
    drop(tools);
    out.opt_bool("parallel_tool_calls", request.parallel_tool_calls);
    match &request.tool_choice {
        Some(choice) => tool_choice(out, choice),
        None => Ok(()),
    }
}

fn function(out: &mut Object<'_>, function: &Function, tool: &Tool, dropped: &mut Vec<Dropped>) {
    out.str("type", "function");
    let mut inner = out.object("function");
    inner.str("name", &function.name).opt_str("description", function.description.as_deref());
    inner.opt_json("parameters", function.parameters.as_ref()).opt_bool("strict", function.is_strict);
    tool.extras.write(&mut inner, FORMAT, "function");
    drop(inner);
    tool.extras.write(out, FORMAT, "");
    tool.extras.note(FORMAT, &tool.at, dropped);
}

fn tool_choice(out: &mut Object<'_>, choice: &ToolChoice) -> Result<(), Refusal> {
    match choice {
        ToolChoice::Auto => out.str("tool_choice", "auto"),
        ToolChoice::None => out.str("tool_choice", "none"),
        ToolChoice::Required => out.str("tool_choice", "required"),
        ToolChoice::Named(name) => {
            let mut named = out.object("tool_choice");
            named.str("type", "function").object("function").str("name", name);
            return Ok(());
        }
        ToolChoice::Allowed { names, is_required } => {
            allowed(out, names, *is_required);
            return Ok(());
        }
        ToolChoice::Native { format: FORMAT, json } => out.json("tool_choice", json),
        ToolChoice::Native { .. } => return Err(foreign::choice(FORMAT)),
    };
    Ok(())
}

fn allowed(out: &mut Object<'_>, names: &[String], is_required: bool) {
    let mut choice = out.object("tool_choice");
    choice.str("type", "allowed_tools");
    let mut allowed = choice.object("allowed_tools");
    allowed.str("mode", if is_required { "required" } else { "auto" });
    let mut tools = allowed.array("tools");
    for name in names {
        tools.object().str("type", "function").object("function").str("name", name);
    }
}

/// A message becomes one, or, with results of tools, one for each result and one for the rest.
fn message(out: &mut Array<'_>, message: &Message, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    message.extras.note(FORMAT, &message.at, dropped);
    match message.role {
        Role::Assistant => assistant(out, message, dropped),
        Role::System => plain(out, "system", message, &message.parts, dropped),
        Role::Developer => plain(out, "developer", message, &message.parts, dropped),
        Role::User => user(out, message, dropped),
    }
}

fn user(out: &mut Array<'_>, message: &Message, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    let is_result = |part: &Part| matches!(part.kind, PartKind::ToolResult(_));
    for run in message.parts.chunk_by(|left, right| is_result(left) == is_result(right)) {
        let results = run.iter().filter_map(|part| match &part.kind {
            PartKind::ToolResult(result) => Some((part, result)),
            _ => None,
        });
        for (part, result) in results {
            tool_result(out, message, part, result, dropped)?;
        }
        if run.first().is_some_and(|first| !is_result(first)) {
            plain(out, "user", message, run, dropped)?;
        }
    }
    Ok(())
}

fn tool_result(
    out: &mut Array<'_>,
    message: &Message,
    part: &Part,
    result: &ToolResult,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    if let Some(other) = result.parts.iter().find(|it| it.text().is_none()) {
        let what =
            "is not text, and results of tools in chat completions are; describe it, or send it as a user's part";
        return Err(Refusal::new(other.at.to_string(), what));
    }
    part.extras.note(FORMAT, &part.at, dropped);
    foreign::note_is_error(part.at, result, dropped);
    let mut out = out.object();
    out.str("role", "tool").str("tool_call_id", &result.call_id);
    content(&mut out, &result.parts, dropped)?;
    message.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn plain(
    out: &mut Array<'_>,
    role: &str,
    message: &Message,
    parts: &[Part],
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    let mut out = out.object();
    out.str("role", role);
    content(&mut out, parts, dropped)?;
    message.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn assistant(out: &mut Array<'_>, message: &Message, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    let mut out = out.object();
    out.str("role", "assistant");
    let has_own_thoughts = message.extras.get("reasoning_details").is_some();
    let is_content = |it: &&Part| !matches!(it.kind, PartKind::ToolCall(_) | PartKind::Reasoning(_)) && !is_call(it);
    let parts: Vec<Part> = message.parts.iter().filter(is_content).cloned().collect();
    if parts.is_empty() {
        out.raw("content", "null");
    } else {
        content(&mut out, &parts, dropped)?;
    }
    let thoughts = message.parts.iter().filter(|it| matches!(it.kind, PartKind::Reasoning(_)) && !has_own_thoughts);
    thoughts.for_each(|it| foreign::note_thought(it, dropped));
    if message.parts.iter().any(is_call) {
        tool_calls(&mut out.array("tool_calls"), message, dropped);
    }
    message.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn is_call(part: &Part) -> bool {
    match &part.kind {
        PartKind::ToolCall(_) => true,
        PartKind::Native { format, kind, .. } => *format == FORMAT && kind == "custom",
        _ => false,
    }
}

fn tool_calls(out: &mut Array<'_>, message: &Message, dropped: &mut Vec<Dropped>) {
    for part in message.parts.iter().filter(|it| is_call(it)) {
        match &part.kind {
            PartKind::ToolCall(call) => {
                let mut out = out.object();
                out.str("id", &call.id).str("type", "function");
                out.object("function").str("name", &call.name).str("arguments", &call.arguments);
                part.extras.write(&mut out, FORMAT, "");
                part.extras.note(FORMAT, &part.at, dropped);
            }
            PartKind::Native { json, .. } => out.raw(json.text()),
            _ => {}
        }
    }
}

/// One text without a mark of its own is a string, as in most requests.
fn content(out: &mut Object<'_>, parts: &[Part], dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    match parts {
        [] => out.str("content", ""),
        [Part { kind: PartKind::Text(text), extras, at }] if is_bare(extras) => {
            extras.note(FORMAT, at, dropped);
            out.str("content", text)
        }
        _ => {
            let mut content = out.array("content");
            for part in parts {
                self::part(&mut content, part, dropped)?;
            }
            return Ok(());
        }
    };
    Ok(())
}

/// Whether nothing of it is written.
fn is_bare(extras: &Extras) -> bool {
    let mut out = Vec::new();
    extras.write(&mut Object::new(&mut out), FORMAT, "");
    out == b"{}"
}

fn part(out: &mut Array<'_>, part: &Part, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if let PartKind::Native { format: FORMAT, json, .. } = &part.kind {
        out.raw(json.text());
        return Ok(());
    }
    part.extras.note(FORMAT, &part.at, dropped);
    let mut out = out.object();
    match &part.kind {
        PartKind::Text(text) => out.str("type", "text").str("text", text),
        PartKind::Refusal(text) => out.str("type", "refusal").str("refusal", text),
        PartKind::Image { source, detail } => {
            let Some(url) = url_of_source(source) else { return Err(foreign::file(part.at, FORMAT)) };
            out.str("type", "image_url").object("image_url").str("url", &url).opt_str("detail", detail.as_deref());
            &mut out
        }
        PartKind::File { source, name } => {
            out.str("type", "file");
            file(&mut out.object("file"), source, part.at)?.opt_str("filename", name.as_deref());
            &mut out
        }
        PartKind::Native { kind, .. } => return Err(foreign::part(part.at, kind, FORMAT)),
        PartKind::Reasoning(_) => return Err(foreign::part(part.at, "reasoning", FORMAT)),
        PartKind::ToolCall(_) | PartKind::ToolResult(_) => {
            return Err(Refusal::new(part.at.to_string(), "is of the wrong role"));
        }
    };
    part.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn file<'a, 'o>(out: &'a mut Object<'o>, source: &Source, at: At) -> Result<&'a mut Object<'o>, Refusal> {
    match source {
        Source::Data { .. } => Ok(out.str("file_data", &url_of_source(source).unwrap_or_default())),
        Source::Id { vendor: Vendor::OpenAi, id } => Ok(out.str("file_id", id)),
        Source::Id { .. } => Err(foreign::file(at, FORMAT)),
        Source::Url(_) => {
            Err(Refusal::new(at.to_string(), "is a URL, and chat completions take files as data or by id"))
        }
    }
}
