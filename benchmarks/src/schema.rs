//! Values that a JSON schema admits, drawn: arguments of models that know nothing, answers of tools that do not exist.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Schemas nest no deeper than this here; what lies below is left out.
const MOST_DEPTH: usize = 8;

const WORDS: [&str; 12] =
    ["alpha", "birch", "cobalt", "delta", "ember", "fjord", "grove", "harbour", "indigo", "juniper", "krill", "lumen"];

/// A value of `schema`: of an object its required members, of a choice one.
#[must_use]
pub fn drawn(schema: &Value, random: &mut Random) -> Value {
    value(schema, schema, random, 0)
}

fn value(schema: &Value, root: &Value, random: &mut Random, depth: usize) -> Value {
    if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")) {
        return fixed.clone();
    }
    if let Some(choice) = schema.get("enum").and_then(Value::as_array).and_then(|it| random.pick(it)) {
        return choice.clone();
    }
    if let Some(inner) = referred(schema, root).filter(|_| depth < MOST_DEPTH) {
        return value(inner, root, random, depth + 1);
    }
    match type_of(schema) {
        "object" => object(schema, root, random, depth),
        "array" => array(schema, root, random, depth),
        "string" => json!(string(schema, random)),
        "integer" => json!(number(schema, random).round() as i64),
        "number" => json!(number(schema, random)),
        "boolean" => json!(random.below(2) == 1),
        _ => Value::Null,
    }
}

/// What a schema stands for: a definition, or the first of its alternatives.
fn referred<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Value> {
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
        return root.pointer(pointer.strip_prefix('#')?);
    }
    ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array()?.first())
}

fn type_of(schema: &Value) -> &str {
    let named = match &schema["type"] {
        Value::Array(types) => types.iter().find_map(|it| it.as_str().filter(|it| *it != "null")),
        other => other.as_str(),
    };
    let guessed = if schema.get("properties").is_some() { "object" } else { "string" };
    named.unwrap_or(guessed)
}

fn object(schema: &Value, root: &Value, random: &mut Random, depth: usize) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut members = Map::new();
    for name in required.filter(|_| depth < MOST_DEPTH) {
        let inner = schema["properties"].get(name).unwrap_or(&Value::Bool(true));
        members.insert(name.to_owned(), value(inner, root, random, depth + 1));
    }
    Value::Object(members)
}

fn array(schema: &Value, root: &Value, random: &mut Random, depth: usize) -> Value {
    let least = schema["minItems"].as_u64().unwrap_or(1).clamp(1, 8);
    let items = (0..least).filter(|_| depth < MOST_DEPTH);
    Value::Array(items.map(|_| value(&schema["items"], root, random, depth + 1)).collect())
}

fn string(schema: &Value, random: &mut Random) -> String {
    match schema["format"].as_str() {
        Some("date") => format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
        Some("date-time") => format!("2026-{:02}-{:02}T12:00:00Z", 1 + random.below(12), 1 + random.below(28)),
        Some("uri" | "url") => "https://example.com/".to_owned(),
        Some("email") => "ada@example.com".to_owned(),
        Some("uuid") => random.uuid(),
        _ => padded(schema, random),
    }
}

fn padded(schema: &Value, random: &mut Random) -> String {
    let least = schema["minLength"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(0).min(4096);
    let most = schema["maxLength"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let mut text = random.pick(&WORDS).copied().unwrap_or_default().to_owned();
    while text.len() < least {
        text.push('x');
    }
    text.truncate(most);
    text
}

fn number(schema: &Value, random: &mut Random) -> f64 {
    let bound = |key: &str| schema[key].as_f64();
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|it| it + 1.0)).unwrap_or(1.0);
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|it| it - 1.0)).unwrap_or(least + 99.0);
    (least + random.unit() * (most - least).max(0.0)).round().clamp(least, most.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_valid() {
        for schema in [
            json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 4}}, "required": ["a"]}),
            json!({"type": "string", "enum": ["x", "y"]}),
            json!({"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 2}),
            json!({"type": ["null", "boolean"]}),
            json!({"$ref": "#/$defs/d", "$defs": {"d": {"type": "string", "minLength": 12}}}),
            json!({"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]}),
            json!({"type": "object", "properties": {"deep": {"type": "object", "properties": {"b": {"const": 7}}, "required": ["b"]}}, "required": ["deep"]}),
        ] {
            let validator = jsonschema::validator_for(&schema).unwrap();
            for seed in 0..50 {
                let value = drawn(&schema, &mut Random::new(seed));
                assert!(validator.is_valid(&value), "{schema}: {value}");
            }
        }
    }
}
