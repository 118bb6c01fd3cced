//! Where schemas stand inside a schema, and what each place is called.

use serde_json::{Map, Value};

/// Keywords whose value is one schema, or an array of them.
const CHILDREN: &[&str] = &[
    "items",
    "additionalProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "prefixItems",
    "additionalItems",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

/// Keywords whose value maps names to schemas. In `dependencies` a value may also be an array of names, which holds no
/// object and is passed over.
const NAMED_CHILDREN: &[&str] =
    &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// What a title would restate.
pub(super) struct Place<'a> {
    name: &'a str,
    is_root: bool,
}

impl<'a> Place<'a> {
    pub(super) fn root(tool_name: &'a str) -> Self {
        Self { name: tool_name, is_root: true }
    }

    /// True if `title` is the place's own name in other letters: `User Id` for `userId`, or at the root what schema
    /// generators make of the tool's name, such as `get_userArguments`.
    pub(super) fn is_restated_by(&self, title: &str) -> bool {
        let (title, name) = (letters(title), letters(self.name));
        let rest = title.strip_prefix(&name);
        let generated = ["arguments", "args", "input", "params", "parameters", "schema"];
        !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || (self.is_root && generated.contains(&rest)))
    }
}

/// `schemas` directly inside the schema `fields`, each with its place.
pub(super) fn each_child<'a>(fields: &'a Map<String, Value>, visit: &mut impl FnMut(&'a Value)) {
    for (key, value) in fields {
        match value {
            Value::Object(named) if NAMED_CHILDREN.contains(&key.as_str()) => named.values().for_each(&mut *visit),
            Value::Array(list) if CHILDREN.contains(&key.as_str()) => list.iter().for_each(&mut *visit),
            Value::Object(_) if CHILDREN.contains(&key.as_str()) => visit(value),
            _ => {}
        }
    }
}

/// As [`each_child`], to change them.
pub(super) fn each_child_mut(fields: &mut Map<String, Value>, visit: &mut impl FnMut(&mut Value, &Place<'_>)) {
    let nameless = Place { name: "", is_root: false };
    for (key, value) in fields {
        match value {
            Value::Object(named) if NAMED_CHILDREN.contains(&key.as_str()) => {
                named.iter_mut().for_each(|(name, child)| visit(child, &Place { name, is_root: false }));
            }
            Value::Array(list) if CHILDREN.contains(&key.as_str()) => {
                list.iter_mut().for_each(|child| visit(child, &nameless));
            }
            Value::Object(_) if CHILDREN.contains(&key.as_str()) => visit(value, &nameless),
            _ => {}
        }
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
