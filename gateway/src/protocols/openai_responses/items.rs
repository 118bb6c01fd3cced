//! Messages as items of the input.

use super::response::write_thought;
use crate::protocols::{
    extras::{Dropped, Extras},
    foreign,
    json::{Array, Object},
    openai::url_of_source,
    refusal::Refusal,
    request::{At, Format, Message, Part, PartKind, Role, Seal, Source, ToolResult, Vendor},
};

const FORMAT: Format = Format::OpenAiResponses;

/// A message becomes one item, or more with calls, results and thoughts.
pub fn write(out: &mut Array<'_>, message: &Message, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    message.extras.note(FORMAT, &message.at, dropped);
    let is_item = |part: &Part| match &part.kind {
        PartKind::ToolCall(_) | PartKind::ToolResult(_) | PartKind::Reasoning(_) => true,
        PartKind::Native { .. } => !part.at.is_part(),
        _ => false,
    };
    for run in message.parts.chunk_by(|left, right| !is_item(left) && !is_item(right)) {
        match run {
            [part] if is_item(part) => item(out, part, dropped)?,
            parts => said(&mut out.object(), message, parts, dropped)?,
        }
    }
    Ok(())
}

fn said(out: &mut Object<'_>, message: &Message, parts: &[Part], dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    let role = match message.role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    out.str("type", "message").str("role", role);
    content(out, "content", parts, message.role, dropped)?;
    message.extras.write(out, FORMAT, "");
    Ok(())
}

fn content(
    out: &mut Object<'_>,
    key: &str,
    parts: &[Part],
    role: Role,
    dropped: &mut Vec<Dropped>,
) -> Result<(), Refusal> {
    match parts {
        [] => {
            out.str(key, "");
        }
        [Part { kind: PartKind::Text(text), extras, .. }] if extras.is_empty() => {
            out.str(key, text);
        }
        _ => {
            let mut content = out.array(key);
            parts.iter().try_for_each(|it| part(&mut content, it, role, dropped))?;
        }
    }
    Ok(())
}

fn part(out: &mut Array<'_>, part: &Part, role: Role, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    if let PartKind::Native { format: FORMAT, json, .. } = &part.kind {
        out.raw(json.text());
        return Ok(());
    }
    part.extras.note(FORMAT, &part.at, dropped);
    let mut out = out.object();
    match &part.kind {
        PartKind::Text(text) => {
            let kind = if role == Role::Assistant { "output_text" } else { "input_text" };
            out.str("type", kind).str("text", text);
        }
        PartKind::Refusal(text) => {
            out.str("type", "refusal").str("refusal", text);
        }
        PartKind::Image { source, detail } => {
            out.str("type", "input_image").opt_str("detail", detail.as_deref());
            image(&mut out, source, part.at)?;
        }
        PartKind::File { source, name } => {
            out.str("type", "input_file");
            file(&mut out, source, part.at)?;
            out.opt_str("filename", name.as_deref());
        }
        PartKind::Native { kind, .. } => return Err(foreign::part(part.at, kind, FORMAT)),
        PartKind::Reasoning(_) | PartKind::ToolCall(_) | PartKind::ToolResult(_) => {
            return Err(Refusal::new(part.at.to_string(), "has no place inside a result"));
        }
    }
    part.extras.write(&mut out, FORMAT, "");
    Ok(())
}

fn image(out: &mut Object<'_>, source: &Source, at: At) -> Result<(), Refusal> {
    match source {
        Source::Id { vendor: Vendor::OpenAi, id } => out.str("file_id", id),
        Source::Id { .. } => return Err(foreign::file(at, FORMAT)),
        _ => out.str("image_url", &url_of_source(source).unwrap_or_default()),
    };
    Ok(())
}

fn file(out: &mut Object<'_>, source: &Source, at: At) -> Result<(), Refusal> {
    match source {
        Source::Id { vendor: Vendor::OpenAi, id } => out.str("file_id", id),
        Source::Id { .. } => return Err(foreign::file(at, FORMAT)),
        Source::Url(url) => out.str("file_url", url),
        Source::Data { .. } => out.str("file_data", &url_of_source(source).unwrap_or_default()),
    };
    Ok(())
}

fn item(out: &mut Array<'_>, part: &Part, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    match &part.kind {
        PartKind::Native { format: FORMAT, json, .. } => out.raw(json.text()),
        PartKind::Native { kind, .. } => return Err(foreign::part(part.at, kind, FORMAT)),
        PartKind::Reasoning(thought) => match thought.seal {
            Some(Seal::Signature(_) | Seal::Redacted(_)) => foreign::note_thought(part, dropped),
            None if !is_own(&part.extras) && thought.id.is_none() => foreign::note_thought(part, dropped),
            _ => {
                let mut out = out.object();
                write_thought(&mut out, thought, thought.id.as_deref());
                part.extras.write(&mut out, FORMAT, "");
            }
        },
        PartKind::ToolCall(call) => {
            part.extras.note(FORMAT, &part.at, dropped);
            let mut out = out.object();
            out.str("type", "function_call").str("call_id", &call.id).str("name", &call.name);
            let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
            out.str("arguments", arguments);
            part.extras.write(&mut out, FORMAT, "");
        }
        PartKind::ToolResult(result) => self::result(&mut out.object(), part, result, dropped)?,
        _ => {}
    }
    Ok(())
}

fn is_own(extras: &Extras) -> bool {
    extras.iter().any(|it| it.format == FORMAT)
}

fn result(out: &mut Object<'_>, part: &Part, result: &ToolResult, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
    part.extras.note(FORMAT, &part.at, dropped);
    foreign::note_is_error(part.at, result, dropped);
    out.str("type", "function_call_output").str("call_id", &result.call_id);
    content(out, "output", &result.parts, Role::User, dropped)?;
    part.extras.write(out, FORMAT, "");
    Ok(())
}
