//! What the target does not have: the refusals and the notes that all encoders share.

use super::{
    extras::Dropped,
    refusal::Refusal,
    request::{At, Format, Part, Request, Role, ToolResult},
};

pub fn part(at: At, kind: &str, target: Format) -> Refusal {
    Refusal::new(at.to_string(), &format!("is a `{kind}`, which {} do not have", target.name()))
}

pub fn tool(at: At, kind: &str, target: Format) -> Refusal {
    let what = format!("is a `{kind}` tool, which {} do not have; offer a function instead", target.name());
    Refusal::new(at.to_string(), &what)
}

pub fn choice(target: Format) -> Refusal {
    Refusal::new("tool_choice", &format!("cannot be said in {}; choose `auto` or one function", target.name()))
}

/// An id of a file means nothing to another vendor.
pub fn file(at: At, target: Format) -> Refusal {
    let what = format!("is a file by its id, which {} cannot fetch; send its data or a URL", target.name());
    Refusal::new(at.to_string(), &what)
}

/// Anthropic's models go on with a last message of their own, OpenAI's answer it.
pub fn check_last(request: &Request, target: Format) -> Result<(), Refusal> {
    let Some(message) = request.messages.last().filter(|it| it.role == Role::Assistant) else { return Ok(()) };
    if request.format.vendor() == target.vendor() {
        return Ok(());
    }
    let what = "is the last one and the assistant's: one vendor's models continue it, the other's answer it; end with \
                a user's message";
    Err(Refusal::new(message.at.to_string(), what))
}

pub fn note(dropped: &mut Vec<Dropped>, field: String, why: &'static str) {
    dropped.push(Dropped { field, why });
}

pub fn note_is_error(at: At, result: &ToolResult, dropped: &mut Vec<Dropped>) {
    if result.is_error {
        note(dropped, format!("{at}.is_error"), "the target has no such mark; the text says what went wrong");
    }
}

pub fn note_thought(part: &Part, dropped: &mut Vec<Dropped>) {
    note(dropped, part.at.to_string(), "thoughts can be continued by the vendor's own models only");
}

/// Where a caller of each format says the form of the answer, its length, and where it stops.
pub fn field(request: &Request, what: Wish) -> &'static str {
    match (what, request.format) {
        (Wish::Output, Format::OpenAiChat) => "response_format.json_schema",
        (Wish::Output, Format::OpenAiResponses) => "text.format",
        (Wish::Output, Format::Anthropic) => "output_config.format",
        (Wish::Verbosity, Format::OpenAiResponses) => "text.verbosity",
        (Wish::Verbosity, _) => "verbosity",
        (Wish::Effort, Format::OpenAiResponses) => "reasoning.effort",
        (Wish::Effort, Format::OpenAiChat) => "reasoning_effort",
        (Wish::Effort, Format::Anthropic) => "output_config.effort",
        (Wish::Stop, Format::Anthropic) => "stop_sequences",
        (Wish::Stop, _) => "stop",
    }
}

/// What formats have different words for.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    Output,
    Verbosity,
    Effort,
    Stop,
}
