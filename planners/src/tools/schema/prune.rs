//! The lossy form of a schema: what a model needs to write the arguments, and nothing that explains them.

use serde_json::{Map, Value};

use super::refs::Definitions;

/// Objects nested deeper than this are shown by their type alone.
const MAX_DEPTH: usize = 5;

/// Longer enums, in bytes of JSON, are left out; the upstream still refuses what is not in them.
const MAX_ENUM_BYTES: usize = 240;

/// Keywords whose value is kept as it is.
const KEPT: &[&str] = &["type", "required"];

/// Keywords whose value is kept if it is short.
const KEPT_IF_SHORT: &[&str] = &["enum", "const"];

/// Keywords whose value is a schema or an array of schemas.
const NESTED: &[&str] = &["items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"];

/// Keywords whose value maps names to schemas.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];

/// Types, property names, `required`, short enums and the shape of arrays and alternatives; no descriptions, defaults,
/// examples, formats or bounds, and at most five levels. References that would lead nowhere are dropped.
///
/// It accepts more than `schema` does, so arguments are still to be checked against the original.
#[must_use]
pub fn prune(schema: &Value) -> Value {
    let mut pruned = pruned(schema, 0);
    drop_dangling(&mut pruned, schema);
    if let Some(definitions) = Definitions::take(&mut pruned) {
        definitions.put_back_used(&mut pruned);
    }
    pruned
}

fn pruned(schema: &Value, depth: usize) -> Value {
    let Value::Object(fields) = schema else {
        return schema.clone();
    };
    let kept = fields.iter().filter_map(|(key, value)| Some((key.clone(), pruned_field(key, value, depth)?)));
    Value::Object(kept.collect())
}

fn pruned_field(key: &str, value: &Value, depth: usize) -> Option<Value> {
    let is_deep = depth >= MAX_DEPTH;
    match value {
        _ if key == "required" && is_deep => None,
        _ if KEPT.contains(&key) => Some(value.clone()),
        _ if KEPT_IF_SHORT.contains(&key) => (value.to_string().len() <= MAX_ENUM_BYTES).then(|| value.clone()),
        Value::String(_) if key == "$ref" => Some(value.clone()),
        _ if is_deep => None,
        Value::Array(list) if NESTED.contains(&key) => {
            Some(Value::Array(list.iter().map(|child| pruned(child, depth + 1)).collect()))
        }
        Value::Object(_) if NESTED.contains(&key) => Some(pruned(value, depth + 1)),
        Value::Object(named) if NAMED.contains(&key) => Some(Value::Object(pruned_each(named, depth + 1))),
        _ => None,
    }
}

fn pruned_each(named: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    named.iter().map(|(name, child)| (name.clone(), pruned(child, depth))).collect()
}

/// Drops references that are neither to the root nor to one of the root's definitions.
fn drop_dangling(pruned: &mut Value, root: &Value) {
    let Value::Object(fields) = pruned else {
        return;
    };
    let leads_nowhere = |to: &str| to != "#" && !is_definition(to, root);
    if fields.get("$ref").and_then(Value::as_str).is_some_and(leads_nowhere) {
        fields.shift_remove("$ref");
    }
    super::walk::each_child_mut(fields, &mut |child, _| drop_dangling(child, root));
}

fn is_definition(to: &str, root: &Value) -> bool {
    let in_container = to.starts_with("#/$defs/") || to.starts_with("#/definitions/");
    in_container && to.matches('/').count() == 2 && root.pointer(&to[1..]).is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value, expected: Value) {
        assert_eq!(prune(&schema).to_string(), expected.to_string());
    }

    #[test]
    fn keeps_what_a_call_needs() {
        check(
            json!({"type": "object", "description": "d", "properties": {
                "description": {"type": "string", "description": "d", "minLength": 1},
                "mode": {"enum": ["a", "b"], "default": "a"},
                "many": {"enum": vec!["xxxxxxxxxx"; 40], "type": "string"},
                "tags": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 3}},
                "required": ["mode"], "additionalProperties": false}),
            json!({"type": "object", "properties": {
                "description": {"type": "string"},
                "mode": {"enum": ["a", "b"]},
                "many": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}}},
                "required": ["mode"]}),
        );
    }

    #[test]
    fn keeps_references_that_lead_somewhere() {
        check(
            json!({"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/properties/a"}, "c": {"$ref": "x.json"}},
                "$defs": {"A": {"type": "null", "title": "A"}, "B": {"type": "string"}}}),
            json!({"properties": {"a": {"$ref": "#/$defs/A"}, "b": {}, "c": {}}, "$defs": {"A": {"type": "null"}}}),
        );
    }

    #[test]
    fn what_is_deep_keeps_its_type() {
        let mut schema = json!({"type": "string", "properties": {"x": {}}, "required": ["x"]});
        for _ in 0..40 {
            schema = json!({"type": "object", "properties": {"a": schema}});
        }
        let deepest = "/properties/a".repeat(MAX_DEPTH);
        assert_eq!(prune(&schema).pointer(&deepest), Some(&json!({"type": "object"})));
    }
}
