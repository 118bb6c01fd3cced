//! An input schema as a TypeScript-like signature: `(path: string, head?: integer, mode: "a"|"b")`.

use serde_json::{Map, Value};

/// Objects nested deeper than this are written `object`. References count as levels, so cycles end here as well.
const MAX_DEPTH: usize = 4;

/// An enum that takes more bytes of JSON is written as its values' type.
const MAX_ENUM_BYTES: usize = 160;

/// Once a signature is this long, nested objects are written `object` and alternatives are cut.
const MAX_BYTES: usize = 1_500;

/// The parameters of a tool whose arguments follow `schema`, in parentheses. Optional ones are marked `?`.
#[must_use]
pub fn signature(schema: &Value) -> String {
    let mut writer = Writer { root: schema, text: String::from("("), depth: 0 };
    if let Some(properties) = writer.resolve(schema).get("properties").and_then(Value::as_object) {
        writer.fields(properties, writer.resolve(schema));
    }
    writer.text.push(')');
    writer.text
}

struct Writer<'a> {
    root: &'a Value,
    text: String,
    depth: usize,
}

impl<'a> Writer<'a> {
    /// Follows local references as far as they are definitions; a few steps, should they form a circle.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let step = |schema: &'a Value| self.root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?);
        let mut resolved = schema;
        for _ in 0..MAX_DEPTH {
            let Some(next) = step(resolved) else { break };
            resolved = next;
        }
        resolved
    }

    fn fields(&mut self, properties: &'a Map<String, Value>, schema: &Value) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
        for (n_before, (name, property)) in properties.iter().enumerate() {
            if n_before > 0 {
                self.text.push_str(", ");
            }
            self.text.push_str(name);
            self.text.push_str(if is_required(name) { ": " } else { "?: " });
            self.type_of(property);
        }
    }

    fn type_of(&mut self, schema: &'a Value) {
        self.depth += 1;
        let schema = self.resolve(schema);
        match kind(schema) {
            Kind::Values(values) => self.joined(values, |writer, value| writer.text.push_str(&value.to_string())),
            Kind::Alternatives(options) => self.joined(options, Self::type_of),
            Kind::Array(items) => self.array(items),
            Kind::Object(properties) => self.object(properties, schema),
            Kind::Types(names) => {
                self.joined(names, |writer, name| writer.text.push_str(name.as_str().unwrap_or("any")))
            }
            Kind::Named(name) => self.text.push_str(name),
        }
        self.depth -= 1;
    }

    fn joined(&mut self, parts: &'a [Value], mut write: impl FnMut(&mut Self, &'a Value)) {
        for (n_before, part) in parts.iter().enumerate() {
            if n_before > 0 {
                self.text.push('|');
            }
            if self.is_full() {
                self.text.push('…');
                return;
            }
            write(self, part);
        }
    }

    fn array(&mut self, items: Option<&'a Value>) {
        let Some(items) = items.filter(|_| !self.is_full()) else {
            self.text.push_str("any[]");
            return;
        };
        let start = self.text.len();
        self.type_of(items);
        if self.text[start..].contains('|') && !self.text[start..].starts_with('{') {
            self.text.insert(start, '(');
            self.text.push(')');
        }
        self.text.push_str("[]");
    }

    fn object(&mut self, properties: &'a Map<String, Value>, schema: &Value) {
        if self.is_full() {
            self.text.push_str("object");
            return;
        }
        self.text.push('{');
        self.fields(properties, schema);
        self.text.push('}');
    }

    fn is_full(&self) -> bool {
        self.depth > MAX_DEPTH || self.text.len() > MAX_BYTES
    }
}

/// What a schema says about its values, as far as a signature shows it.
enum Kind<'a> {
    Values(&'a [Value]),
    Alternatives(&'a [Value]),
    Array(Option<&'a Value>),
    Object(&'a Map<String, Value>),
    Types(&'a [Value]),
    Named(&'a str),
}

fn kind(schema: &Value) -> Kind<'_> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
    let is_short =
        |values: &&[Value]| values.iter().map(|value| value.to_string().len()).sum::<usize>() <= MAX_ENUM_BYTES;
    let only = schema.get("const").map(std::slice::from_ref);
    if let Some(values) = only.or_else(|| list("enum").map(Vec::as_slice)).filter(is_short) {
        return Kind::Values(values);
    }
    if let Some(options) = list("anyOf").or_else(|| list("oneOf")) {
        return Kind::Alternatives(options);
    }
    if let Some(types) = list("type") {
        return Kind::Types(types);
    }
    by_type_name(schema, schema.get("type").and_then(Value::as_str))
}

fn by_type_name<'a>(schema: &'a Value, name: Option<&'a str>) -> Kind<'a> {
    let properties = schema.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty());
    match (name, properties) {
        (Some("array"), _) => Kind::Array(schema.get("items")),
        (Some("object") | None, Some(properties)) => Kind::Object(properties),
        (Some(name), _) => Kind::Named(name),
        (None, None) if schema.get("enum").is_some() || schema.get("const").is_some() => Kind::Named("string"),
        (None, None) => Kind::Named("any"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value, expected: &str) {
        assert_eq!(signature(&schema), expected);
    }

    #[test]
    fn writes_types() {
        check(json!({"type": "object"}), "()");
        check(
            json!({"properties": {"a": {"enum": vec!["xxxxxxxx"; 40]}, "b": {"const": "x".repeat(999), "type": "string"}}}),
            "(a?: string, b?: string)",
        );
        check(json!(null), "()");
        check(
            json!({"properties": {"path": {"type": "string"}, "head": {"type": "integer"}, "mode": {"enum": ["a", "b"]},
                "edits": {"type": "array", "items": {"type": "object", "properties": {
                    "oldText": {"type": "string"}, "newText": {"type": "string"}}, "required": ["oldText", "newText"]}}},
                "required": ["path", "mode", "edits"]}),
            r#"(path: string, head?: integer, mode: "a"|"b", edits: {oldText: string, newText: string}[])"#,
        );
        check(
            json!({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "b": {"type": ["string", "null"]},
                "c": {"type": "array", "items": {"enum": ["x", 1]}}, "d": {"const": true}, "e": {}, "f": {"type": "array"}}}),
            r#"(a?: string|null, b?: string|null, c?: ("x"|1)[], d?: true, e?: any, f?: any[])"#,
        );
    }

    #[test]
    fn ends_on_cycles_and_foreign_references() {
        let cyclic = json!({"properties": {"n": {"$ref": "#/$defs/N"}, "x": {"$ref": "http://x/y"}},
            "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}, "L": {"$ref": "#/$defs/L"}}});
        check(cyclic, "(n?: {next?: {next?: {next?: {next?: object}}}}, x?: any)");
        check(json!({"properties": {"l": {"$ref": "#/$defs/L"}}, "$defs": {"L": {"$ref": "#/$defs/L"}}}), "(l?: any)");
    }

    #[test]
    fn stays_short() {
        let wide: Map<String, Value> = (0..40).map(|n| (format!("field{n}"), json!({"$ref": "#"}))).collect();
        let text = signature(&json!({"type": "object", "properties": wide}));
        assert!(text.len() < 4 * MAX_BYTES, "{}", text.len());
    }
}
