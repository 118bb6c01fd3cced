//! The section that a response schema becomes in a prompt.

use serde_json::Value;

use super::request::ResponseSchema;

/// Schemas from a caller may be nested as deep as they like.
const MAX_DEPTH: usize = 64;

/// The section as `openai/harmony` documents it (`docs/format.md`, "Structured output").
///
/// A strict schema is written without its lists of required fields: in strict mode everything is required.
pub(super) fn section(response: &ResponseSchema) -> String {
    let schema = if response.strict { without_required(&response.schema, 0) } else { response.schema.clone() };
    let comment =
        if response.description.is_empty() { String::new() } else { format!("// {}\n", response.description) };
    format!("# Response Formats\n\n## {}\n\n{comment}{schema}", response.name)
}

fn without_required(schema: &Value, depth: usize) -> Value {
    match schema {
        _ if depth >= MAX_DEPTH => schema.clone(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| name.as_str() != "required" || !value.is_array());
            kept.map(|(name, value)| (name.clone(), without_required(value, depth + 1))).collect()
        }
        Value::Array(items) => items.iter().map(|item| without_required(item, depth + 1)).collect(),
        _ => schema.clone(),
    }
}
