//! What OpenAI's two wire formats have in common: roles, parts of content, functions, choices, schemas.

use serde_json::Value;

use super::{
    at::{At, ReadError, bytes},
    image,
};
use crate::chat::request::{Content, Detail, Image, Request, ResponseSchema, Role, Tool, ToolChoice};

/// The role that a word means.
pub(super) fn role(at: &At<'_>) -> Result<Role, ReadError> {
    match at.text()? {
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" | "function" => Ok(Role::Tool),
        _ => Err(at.error("must be system, developer, user, assistant, tool or function")),
    }
}

/// Content that is a string or a list of parts.
pub(super) fn content(at: &At<'_>, request: &mut Request) -> Result<Vec<Content>, ReadError> {
    match at.value {
        Value::String(text) => Ok(vec![Content::Text(text.clone())]),
        Value::Array(_) => {
            let mut contents = Vec::new();
            for item in at.items()? {
                contents.extend(part(&item, request)?);
            }
            Ok(contents)
        }
        _ => Err(at.error("must be a string or a list of parts")),
    }
}

fn part(at: &At<'_>, request: &mut Request) -> Result<Option<Content>, ReadError> {
    let kind = at.text_or_empty("type");
    match kind {
        "text" | "input_text" | "output_text" => Ok(Some(Content::Text(at.required_text("text")?.to_owned()))),
        "refusal" => Ok(Some(Content::Text(at.required_text("refusal")?.to_owned()))),
        "image_url" | "input_image" => Ok(Some(Content::Image(picture(at)))),
        "input_audio" | "file" | "input_file" | "input_video" => {
            at.uncounted(request, kind, None);
            Ok(None)
        }
        _ => {
            at.uncounted(request, kind, Some(bytes(at.value)));
            Ok(None)
        }
    }
}

/// Both formats put `detail` in their own place, and the URL too.
fn picture(at: &At<'_>) -> Image {
    let nested = at.field("image_url");
    let low = [Some(at), nested.as_ref()].into_iter().flatten().any(|it| it.text_or_empty("detail") == "low");
    let url = nested.as_ref().map(|it| it.value.as_str().unwrap_or_else(|| it.text_or_empty("url")));
    let size = url.and_then(image::size_of_url);
    Image { size, detail: if low { Detail::Low } else { Detail::High } }
}

/// A function with its name, description and parameters.
pub(super) fn function(at: &At<'_>) -> Result<Tool, ReadError> {
    let known = ["type", "name", "description", "parameters"];
    let fields = at.value.as_object().into_iter().flatten();
    let rest = fields.filter(|(name, _)| !known.contains(&name.as_str()));
    Ok(Tool {
        rest: rest.map(|(name, value)| (name.clone(), value.clone())).collect(),
        name: at.required_text("name")?.to_owned(),
        description: at.text_or_empty("description").to_owned(),
        parameters: at.field("parameters").map_or(Value::Null, |it| it.value.clone()),
    })
}

/// `tool_choice` or `function_call`, in all of their shapes.
pub(super) fn choice(at: &At<'_>) -> ToolChoice {
    if let Some(word) = at.value.as_str() {
        return match word {
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            _ => ToolChoice::Auto,
        };
    }
    let nested = at.field("function");
    let name = nested.as_ref().unwrap_or(at).text_or_empty("name");
    if name.is_empty() { ToolChoice::Auto } else { ToolChoice::Named(name.to_owned()) }
}

/// A `json_schema` format: `at` is the object with name and schema.
pub(super) fn schema(at: &At<'_>) -> Result<ResponseSchema, ReadError> {
    Ok(ResponseSchema {
        name: at.text_or_empty("name").to_owned(),
        description: at.text_or_empty("description").to_owned(),
        schema: at.required("schema")?.value.clone(),
        strict: at.value.get("strict").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// OpenAI's name for running a model several times over.
const PRO: &str = "pro";

/// In this mode the provider writes prompts of its own.
pub(super) fn pro_mode(body: &At<'_>, request: &mut Request) {
    if let Some(at) = body.field("reasoning").filter(|at| at.text_or_empty("mode") == PRO) {
        at.uncounted(request, "what the provider adds in its pro mode", None);
    }
}

/// Whether reasoning is asked for, in any of the places that hosts know, and not switched off in another.
pub(super) fn thinks(body: &At<'_>) -> bool {
    let reasoning = body.field("reasoning");
    let field = |name: &str| reasoning.as_ref().and_then(|at| at.field(name));
    let is_off = field("enabled").is_some_and(|it| it.value == false)
        || field("max_tokens").is_some_and(|it| it.value == 0)
        || effort(body) == Some("none");
    let is_on = reasoning.is_some()
        || body.field("reasoning_effort").is_some()
        || body.field("thinking").is_some_and(|it| it.text_or_empty("type") == "enabled");
    is_on && !is_off
}

/// Whether several calls may come at once; nothing said means that they may.
pub(super) fn parallel_calls(body: &At<'_>) -> bool {
    body.field("parallel_tool_calls").is_none_or(|it| it.value != false)
}

/// How hard the model is asked to think, in any of the three places that hosts know.
pub(super) fn effort<'a>(body: &At<'a>) -> Option<&'a str> {
    let nested = body.field("reasoning").map(|it| it.text_or_empty("effort")).filter(|it| !it.is_empty());
    let disabled = body.field("thinking").is_some_and(|it| it.text_or_empty("type") == "disabled");
    let effort = body.field("reasoning_effort").and_then(|it| it.value.as_str()).or(nested);
    if disabled { Some("none") } else { effort }
}
