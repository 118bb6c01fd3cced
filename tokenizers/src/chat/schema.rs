//! The section that a response schema becomes in a prompt.

use serde_json::Value;

use super::request::ResponseSchema;

/// Schemas from a caller may be nested as deep as they like.
const MAX_DEPTH: usize = 64;

/// The section as `openai/harmony` documents it (`docs/format.md`, "Structured output"), without the lists of required
/// fields and what it says of further ones: on every recording the charge is that of the schema without the two.
pub(super) fn section(response: &ResponseSchema) -> String {
    let comment =
        if response.description.is_empty() { String::new() } else { format!("// {}\n", response.description) };
    format!("# Response Formats\n\n## {}\n\n{comment}{}", response.name, bare(&response.schema, 0))
}

fn bare(schema: &Value, depth: usize) -> Value {
    match schema {
        _ if depth >= MAX_DEPTH => schema.clone(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| match name.as_str() {
                "required" => !value.is_array(),
                "additionalProperties" => !value.is_boolean(),
                _ => true,
            });
            kept.map(|(name, value)| (name.clone(), bare(value, depth + 1))).collect()
        }
        Value::Array(items) => items.iter().map(|item| bare(item, depth + 1)).collect(),
        _ => schema.clone(),
    }
}
