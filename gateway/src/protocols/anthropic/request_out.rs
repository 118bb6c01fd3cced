//! A messages request for a provider.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::response::write_thought;
use crate::protocols::{
    Encoded, Target, effort,
    extras::Dropped,
    foreign::{self, Wish},
    json::{Array, Json, Object, Tape},
    refusal::Refusal,
    request::{
        At, Format, Function, Message, Output, Part, PartKind, Request, Role, Seal, Source, Tool, ToolCall, ToolChoice,
        ToolKind, ToolResult, Vendor,
    },
};

const FORMAT: Format = Format::Anthropic;
/// Images that Claude reads (platform.claude.com/docs/en/build-with-claude/vision).
const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

pub fn encode(request: &Request, target: &Target) -> Result<Encoded, Refusal> {
    let (mut body, mut dropped) = (Vec::new(), Vec::new());
    let mut out = Object::new(&mut body);
    let Some(max_tokens) = request.max_tokens.or(target.max_output_tokens) else {
        return Err(Refusal::new(
            "max_tokens",
            "is missing, and the catalogue has no `max_output_tokens` of the model",
        ));
    };
    out.str("model", target.model.as_deref().unwrap_or(&request.model)).num("max_tokens", max_tokens);
    let is_system = |it: &&Message| matches!(it.role, Role::System | Role::Developer);
    let n_system = request.messages.iter().take_while(is_system).count();
    system(&mut out, &request.messages[..n_system], &mut dropped)?;
    messages(&mut out, request, n_system, &mut dropped)?;
    tools(&mut out, request, &mut dropped)?;
    settings(&mut out, request)?;
    thinking(&mut out, request, target, max_tokens, &mut dropped)?;
    if request.verbosity.is_some() {
        foreign::note(
            &mut dropped,
            foreign::field(request, Wish::Verbosity).to_owned(),
            "a wish for the length of answers that Anthropic's lack",
        );
    }
    request.extras.check(FORMAT, &mut dropped)?;
    request.extras.write(&mut out, FORMAT, "");
    drop(out);
    Ok(Encoded { body, dropped })
}

fn system(out: &mut Object<'_>, messages: &[Message], dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    let parts = || messages.iter().flat_map(|it| &it.parts).filter(|it| !is_empty(it));
    if parts().next().is_none() {
        return Ok(());
    }
    messages.iter().for_each(|it| it.extras.note(FORMAT, &it.at, dropped));
    let mut blocks = out.array("system");
    parts().try_for_each(|it| block(&mut blocks, it, dropped))
}

/// Empty texts are everywhere in chat completions, and Anthropic refuses them.
fn is_empty(part: &Part) -> bool {
    part.text().is_some_and(str::is_empty)
}

/// Messages of one role in a row become one: all results of one turn's tools must stand in one message.
fn messages(
    out: &mut Object<'_>,
    request: &Request,
    n_system: usize,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    foreign::check_last(request, FORMAT)?;
    let mut list = out.array("messages");
    let role = |it: &Message| if it.role == Role::Developer { Role::System } else { it.role };
    for run in request.messages[n_system..].chunk_by(|left, right| role(left) == role(right)) {
        run.iter().for_each(|it| it.extras.note(FORMAT, &it.at, dropped));
        let parts: Vec<_> = run.iter().flat_map(|it| &it.parts).filter(|it| !is_empty(it)).collect();
        let parts: Vec<_> = parts.into_iter().filter(|it| is_sent(it, dropped)).collect();
        if parts.is_empty() {
            continue;
        }
        let mut message = list.object();
        message.str(
            "role",
            match run.first().map(role) {
                Some(Role::Assistant) => "assistant",
                Some(Role::System | Role::Developer) => "system",
                _ => "user",
            },
        );
        let mut content = message.array("content");
        parts.into_iter().try_for_each(|it| block(&mut content, it, dropped))?;
    }
    Ok(())
}

/// Whether the part has a place here; a thought of another vendor's model has none.
fn is_sent(part: &Part, dropped: &mut Vec<Dropped>) -> bool {
    let PartKind::Reasoning(thought) = &part.kind else { return true };
    let is_own = matches!(thought.seal, Some(Seal::Signature(_) | Seal::Redacted(_)));
    if !is_own {
        foreign::note_thought(part, dropped);
    }
    is_own
}

fn block(out: &mut Array<'_>, part: &Part, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if let PartKind::Native { format: FORMAT, json, .. } = &part.kind {
        out.raw(json.text());
        return Ok(());
    }
    part.extras.note(FORMAT, &part.at, dropped);
    let mut out = out.object();
    match &part.kind {
        // A refusal of an earlier turn is what the model said.
        PartKind::Text(text) | PartKind::Refusal(text) => {
            out.str("type", "text").str("text", text);
        }
        PartKind::Image { source, detail } => image(&mut out, source, detail.as_deref(), part.at, dropped)?,
        PartKind::File { source, name } => document(&mut out, source, name.as_deref(), part.at)?,
        PartKind::Reasoning(thought) => write_thought(&mut out, thought),
        PartKind::ToolCall(call) => tool_use(&mut out, call, part.at)?,
        PartKind::ToolResult(result) => tool_result(&mut out, result, dropped)?,
        PartKind::Native { kind, .. } => return Err(foreign::part(part.at, kind, FORMAT)),
    }
    part.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn image(
    out: &mut Object<'_>,
    source: &Source,
    detail: Option<&str>,
    at: At,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    if let Source::Data { media_type, .. } = source
        && !IMAGES.contains(&media_type.as_str())
    {
        let what = format!("is a `{media_type}`, and Anthropic's models read JPEG, PNG, GIF and WebP");
        return Err(Refusal::new(at.to_string(), &what));
    }
    if detail.is_some_and(|it| it != "auto") {
        foreign::note(dropped, format!("{at}.detail"), "Anthropic's models always see the whole image");
    }
    out.str("type", "image");
    self::source(&mut out.object("source"), source, at)
}

fn document(out: &mut Object<'_>, source: &Source, name: Option<&str>, at: At) -> Result<(), Refusal> {
    out.str("type", "document");
    self::source(&mut out.object("source"), source, at)?;
    out.opt_str("title", name);
    Ok(())
}

fn source(out: &mut Object<'_>, source: &Source, at: At) -> Result<(), Refusal> {
    match source {
        Source::Data { media_type, data } if media_type == "text/plain" => {
            let text = STANDARD.decode(data).ok().and_then(|it| String::from_utf8(it).ok());
            let Some(text) = text else { return Err(Refusal::new(at.to_string(), "is not UTF-8 text in base64")) };
            out.str("type", "text").str("media_type", media_type).str("data", &text);
        }
        Source::Data { media_type, data } => {
            out.str("type", "base64").str("media_type", media_type).str("data", data);
        }
        Source::Url(url) => {
            out.str("type", "url").str("url", url);
        }
        Source::Id { vendor: Vendor::Anthropic, id } => {
            out.str("type", "file").str("file_id", id);
        }
        Source::Id { .. } => return Err(foreign::file(at, FORMAT)),
    }
    Ok(())
}

fn tool_use(out: &mut Object<'_>, call: &ToolCall, at: At) -> Result<(), Refusal> {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let is_object = arguments.trim_start().starts_with('{') && Tape::parse(arguments).is_ok();
    if !is_object {
        let what =
            format!("calls `{}` with arguments that are no JSON object; Anthropic's take nothing else", call.name);
        return Err(Refusal::new(at.to_string(), &what));
    }
    out.str("type", "tool_use").str("id", &call_id(&call.id)).str("name", &call.name).raw("input", arguments);
    Ok(())
}

/// Anthropic's ids have letters, digits, `_` and `-` only; others are spelled so that no two become one.
fn call_id(id: &str) -> Cow<'_, str> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    if !id.is_empty() && id.bytes().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let spell = |it: u8| if is_plain(it) { char::from(it).to_string() } else { format!("_{it:02x}") };
    Cow::Owned(format!("call-{}", id.bytes().map(spell).collect::<String>()))
}

fn tool_result(out: &mut Object<'_>, result: &ToolResult, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    out.str("type", "tool_result").str("tool_use_id", &call_id(&result.call_id));
    match &result.parts[..] {
        [] => {}
        [one] if one.text().is_some() && one.extras.is_empty() => {
            out.str("content", one.text().unwrap_or_default());
        }
        parts => {
            let mut content = out.array("content");
            parts.iter().filter(|it| !is_empty(it)).try_for_each(|it| block(&mut content, it, dropped))?;
        }
    }
    if result.is_error {
        out.bool("is_error", true);
    }
    Ok(())
}

fn tools(out: &mut Object<'_>, request: &Request, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if !request.tools.is_empty() {
        let mut tools = out.array("tools");
        for tool in &request.tools {
            match &tool.kind {
                ToolKind::Function(function) => self::function(&mut tools.object(), function, tool, dropped),
                ToolKind::Native { format: FORMAT, json, .. } => tools.raw(json.text()),
                ToolKind::Native { kind, .. } => return Err(foreign::tool(tool.at, kind, FORMAT)),
            }
        }
    }
    tool_choice(out, request)
}

fn function(out: &mut Object<'_>, function: &Function, tool: &Tool, dropped: &mut Vec<Dropped>) {
    let empty = Json::empty_schema();
    out.str("name", &function.name).opt_str("description", function.description.as_deref());
    out.json("input_schema", function.parameters.as_ref().unwrap_or(&empty)).opt_bool("strict", function.is_strict);
    tool.extras.write(out, FORMAT, "");
    tool.extras.note(FORMAT, &tool.at, dropped);
}

fn tool_choice(out: &mut Object<'_>, request: &Request) -> Result<(), Refusal> {
    let is_serial = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Named(name)) => ("tool", Some(name.as_str())),
        Some(ToolChoice::Allowed { .. } | ToolChoice::Native { .. }) => return Err(foreign::choice(FORMAT)),
    };
    // Without tools there is nothing to choose, and a choice would be an error.
    let says_nothing = request.tool_choice.is_none() && !is_serial || request.tools.is_empty();
    if says_nothing {
        return Ok(());
    }
    let mut choice = out.object("tool_choice");
    choice.str("type", kind).opt_str("name", name);
    if request.parallel_tool_calls.is_some() && kind != "none" {
        choice.bool("disable_parallel_tool_use", is_serial);
    }
    Ok(())
}

fn settings(out: &mut Object<'_>, request: &Request) -> Result<(), Refusal> {
    if request.temperature.as_ref().and_then(|it| it.text().parse::<f64>().ok()).is_some_and(|it| it > 1.0) {
        return Err(Refusal::new("temperature", "must be at most 1 for Anthropic's models"));
    }
    out.opt_json("temperature", request.temperature.as_ref()).opt_json("top_p", request.top_p.as_ref());
    out.opt_json("top_k", request.top_k.as_ref());
    if !request.stop.is_empty() {
        if request.stop.iter().any(|it| it.trim().is_empty()) {
            return Err(Refusal::new(
                foreign::field(request, Wish::Stop),
                "has a sequence of white space alone, which Anthropic's do not take",
            ));
        }
        let mut stop = out.array("stop_sequences");
        request.stop.iter().for_each(|it| stop.str(it));
    }
    if request.is_stream {
        out.bool("stream", true);
    }
    if request.user.is_some() || request.extras.has_under(FORMAT, "metadata") {
        let mut metadata = out.object("metadata");
        metadata.opt_str("user_id", request.user.as_deref());
        request.extras.write(&mut metadata, FORMAT, "metadata");
    }
    Ok(())
}

/// `thinking` and `output_config`: how much to think, and the form of the answer.
fn thinking(
    out: &mut Object<'_>,
    request: &Request,
    target: &Target,
    max_tokens: u64,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    let reasoning = &request.reasoning;
    let wanted = reasoning.effort.as_deref();
    let mut effort = wanted.map(|it| if it == "minimal" { "low" } else { it });
    let (mut mode, mut budget) = (reasoning.mode.as_deref(), reasoning.budget_tokens);
    if request.format != FORMAT {
        (mode, budget, effort) = match effort {
            None => (None, None, None),
            Some("none") => (Some("disabled"), None, None),
            Some(word) if target.thinks_by_budget => (Some("enabled"), Some(effort::budget(word, max_tokens)), None),
            Some(word) => (Some("adaptive"), None, Some(word)),
        };
    }
    if wanted == Some("minimal") {
        foreign::note(
            dropped,
            foreign::field(request, Wish::Effort).to_owned(),
            "Anthropic's least effort, `low`, is sent",
        );
    }
    if let Some(mode) = mode {
        let mut thinking = out.object("thinking");
        thinking.str("type", mode).opt_num("budget_tokens", budget);
        request.extras.write(&mut thinking, FORMAT, "thinking");
    }
    output_config(out, request, effort, dropped)
}

fn output_config(
    out: &mut Object<'_>,
    request: &Request,
    effort: Option<&str>,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    if matches!(request.output, Output::JsonObject) {
        let what = "asks for any JSON object, which Anthropic's models cannot be held to; give a `json_schema`";
        return Err(Refusal::new(foreign::field(request, Wish::Output), what));
    }
    let is_plain = matches!(request.output, Output::Text);
    if is_plain && effort.is_none() && !request.extras.has_under(FORMAT, "output_config") {
        return Ok(());
    }
    let mut config = out.object("output_config");
    config.opt_str("effort", effort);
    if let Output::JsonSchema { name, description, schema, .. } = &request.output {
        config.object("format").str("type", "json_schema").json("schema", schema);
        if name.is_some() || description.is_some() {
            let field = foreign::field(request, Wish::Output);
            foreign::note(dropped, format!("{field}.name"), "the schema itself holds the answer");
            foreign::note(dropped, format!("{field}.description"), "the schema itself holds the answer");
        }
    }
    request.extras.write(&mut config, FORMAT, "output_config");
    Ok(())
}
