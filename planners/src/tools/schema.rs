//! JSON Schemas made smaller: [`reduce`] keeps every meaning, [`prune`] keeps what a call needs.
//!
//! Only local references (`#/$defs/..`, `#/definitions/..`) are ever looked at; one that leads elsewhere stays as it
//! is and is never fetched. Keys are dropped by where they stand, so a property called `title` survives.

mod prune;
mod refs;
mod walk;

pub use prune::prune;
use refs::Definitions;
use serde_json::{Map, Value};
use walk::{Place, each_child_mut};

/// Schemas nested deeper than this keep what lies below as it is.
pub(super) const MAX_DEPTH: usize = 64;

/// A schema without what says nothing: `$schema`, titles that repeat a name, definitions that nothing uses; a
/// definition that is used once moves to where it is used.
///
/// Terminates on cyclic references, which stay references. Anything accepted before is accepted after.
#[must_use]
pub fn reduce(schema: &Value, tool_name: &str) -> Value {
    let mut schema = schema.clone();
    drop_noise(&mut schema, &Place::root(tool_name), 0);
    if let Some(mut definitions) = Definitions::take(&mut schema) {
        definitions.inline_single_uses(&mut schema);
        definitions.put_back_used(&mut schema);
    }
    schema
}

fn drop_noise(schema: &mut Value, place: &Place<'_>, depth: usize) {
    let Value::Object(fields) = schema else {
        return;
    };
    if depth > MAX_DEPTH {
        return;
    }
    fields.shift_remove("$schema");
    if fields.get("title").and_then(Value::as_str).is_some_and(|title| place.is_restated_by(title)) {
        fields.shift_remove("title");
    }
    each_child_mut(fields, &mut |child, place| drop_noise(child, place, depth + 1));
}

/// The schema of a tool that takes no arguments, or whose own cannot be used: any object.
pub(super) fn any_object() -> Value {
    Value::Object(Map::from_iter([("type".to_owned(), Value::from("object"))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value, expected: Value) {
        // As text, because equality of objects ignores the order of keys.
        assert_eq!(reduce(&schema, "get_user").to_string(), expected.to_string());
    }

    #[test]
    fn drops_what_says_nothing() {
        check(
            json!({"$schema": "x", "title": "get_userArguments", "type": "object", "properties": {
                "userId": {"title": "User Id", "type": "integer", "default": {"title": "User Id"}},
                "title": {"title": "Title of it", "type": "string"},
                "$schema": {"type": "string"}}}),
            json!({"type": "object", "properties": {
                "userId": {"type": "integer", "default": {"title": "User Id"}},
                "title": {"title": "Title of it", "type": "string"},
                "$schema": {"type": "string"}}}),
        );
        check(json!(true), json!(true));
        check(json!({"enum": [{"$schema": 1}]}), json!({"enum": [{"$schema": 1}]}));
    }

    #[test]
    fn inlines_single_uses_and_drops_unused_definitions() {
        check(
            json!({"$defs": {"A": {"title": "A", "type": "string"}, "B": {"type": "null"}, "C": {"type": "integer"}},
                "properties": {"a": {"$ref": "#/$defs/A", "description": "an a"},
                    "c": {"$ref": "#/$defs/C"}, "d": {"items": {"$ref": "#/$defs/C"}}}}),
            json!({"properties": {"a": {"type": "string", "description": "an a"},
                    "c": {"$ref": "#/$defs/C"}, "d": {"items": {"$ref": "#/$defs/C"}}},
                "$defs": {"C": {"type": "integer"}}}),
        );
        check(
            json!({"definitions": {"A": {"items": {"$ref": "#/definitions/B"}}, "B": {"type": "null"}},
                "not": {"$ref": "#/definitions/A"}}),
            json!({"not": {"items": {"type": "null"}}}),
        );
    }

    #[test]
    fn a_sibling_that_constrains_keeps_the_reference() {
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/A", "minimum": 3}}, "$defs": {"A": {"minimum": 1}}});
        check(schema.clone(), schema);
        let schema = json!({"not": {"$ref": "#/$defs/A", "description": "x"}, "$defs": {"A": {"description": "y"}}});
        check(schema.clone(), schema);
    }

    #[test]
    fn cycles_and_foreign_references_stay() {
        for schema in [
            json!({"$ref": "#/$defs/N", "$defs": {"N": {"properties": {"next": {"$ref": "#/$defs/N"}}}}}),
            json!({"items": {"$ref": "#"}}),
            json!({"items": {"$ref": "https://example.com/schema.json"}}),
            json!({"items": {"$ref": "#/$defs/missing"}}),
            json!({"items": {"$ref": "#/$defs/A/properties/x"}, "$defs": {"A": {"properties": {"x": {}}}}}),
            json!({"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"$id": "a", "type": "null"}}}),
            json!({"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"$anchor": "a", "type": "null"}}}),
        ] {
            check(schema.clone(), schema);
        }
        check(json!({"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}), json!({}));
    }

    #[test]
    fn a_ladder_of_references_ends_at_the_depth_limit() {
        let defs: Map<String, Value> =
            (0..5_000).map(|n| (format!("D{n}"), json!({"items": {"$ref": format!("#/$defs/D{}", n + 1)}}))).collect();
        let reduced = reduce(&json!({"$ref": "#/$defs/D0", "$defs": defs}), "t");
        assert!(reduced["$defs"].as_object().unwrap().len() > 4_000);
        let doubling: Map<String, Value> = (0..200)
            .map(|n| {
                let next = json!({"$ref": format!("#/$defs/D{}", n + 1)});
                (format!("D{n}"), json!({"anyOf": [next, next]}))
            })
            .collect();
        let schema = json!({"$ref": "#/$defs/D0", "$defs": doubling});
        assert!(reduce(&schema, "t").to_string().len() <= schema.to_string().len());
        assert!(prune(&schema).to_string().len() <= schema.to_string().len());
    }
}
