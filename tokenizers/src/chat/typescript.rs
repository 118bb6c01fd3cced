//! Tools as the TypeScript namespace that OpenAI's models read. It renders text and never counts.
//!
//! The form is that of `template_tools_section` and `json_schema_to_typescript` in `openai/harmony`, `src/encoding.rs`.
//! Hosted models differ from it in small things, each of which is a field of [`Style`] and was told from what the
//! provider charged: nested objects are not indented, references are written out, and lines are trimmed.

use serde_json::{Map, Value};

use super::request::Tool;

/// What differs between generations of models.
pub(super) struct Style {
    /// What stands between `(_:` and the brace.
    pub before_brace: &'static str,
    /// Whether titles, defaults, examples and the comments of the whole arguments are written.
    pub annotated: bool,
    /// How a comment of several lines looks.
    pub lines: Lines,
    /// How far a nested object is indented, in spaces.
    pub indent: usize,
    /// From which depth on nothing is described.
    pub described_depth: usize,
}

/// How a comment of several lines looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// The slashes stand before the first line only.
    First,
    /// Before each line, which is trimmed.
    Trimmed,
}

/// gpt-3.5-turbo and gpt-4, as `hmarr/openai-chat-tokens` found it (`functions.ts`).
pub(super) const LEGACY: Style =
    Style { before_brace: " ", annotated: false, lines: Lines::First, indent: 2, described_depth: 1 };

/// gpt-4o and gpt-4.1.
pub(super) const GPT_4O: Style =
    Style { before_brace: "", annotated: true, lines: Lines::Trimmed, indent: 0, described_depth: MAX_DEPTH };

/// The o-series, gpt-5 and gpt-oss.
pub(super) const HARMONY: Style =
    Style { before_brace: " ", annotated: true, lines: Lines::Trimmed, indent: 0, described_depth: MAX_DEPTH };

/// Schemas may refer to themselves.
const MAX_DEPTH: usize = 12;

/// References that branch could still make a page of every word.
const MAX_BYTES: usize = 1 << 20;

/// The namespace with all tools, without what may stand above it.
pub(super) fn namespace(tools: &[Tool], style: &Style) -> String {
    let mut out = String::from("namespace functions {\n\n");
    for tool in tools {
        out.push_str(&declaration(tool, style));
    }
    out.push_str("} // namespace functions");
    out
}

/// One tool of the namespace.
pub(super) fn declaration(tool: &Tool, style: &Style) -> String {
    let mut writer = Writer { style, root: &tool.parameters, out: String::new() };
    writer.comment(tool.description.trim_start(), 0);
    writer.push(&["type ", &tool.name, " = "]);
    let properties = tool.parameters.get("properties").and_then(Value::as_object).filter(|it| !it.is_empty());
    match properties {
        Some(properties) => writer.arguments(properties),
        None => writer.push(&["()"]),
    }
    writer.push(&[" => any;\n\n"]);
    writer.out
}

struct Writer<'a> {
    style: &'a Style,
    root: &'a Value,
    out: String,
}

/// A schema with what it refers to below it.
#[derive(Clone, Copy)]
struct Schema<'a> {
    own: &'a Value,
    target: Option<&'a Value>,
}

impl<'a> Schema<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.own.get(key).or_else(|| self.target?.get(key))
    }

    fn text(self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn list(self, key: &str) -> Option<&'a [Value]> {
        self.get(key).and_then(Value::as_array).map(Vec::as_slice).filter(|list| !list.is_empty())
    }
}

impl<'a> Writer<'a> {
    fn push(&mut self, texts: &[&str]) {
        texts.iter().for_each(|text| self.out.push_str(text));
    }

    fn arguments(&mut self, properties: &'a Map<String, Value>) {
        let root = self.resolve(self.root);
        let mut comments = Writer { style: self.style, root: self.root, out: String::new() };
        if self.style.annotated {
            comments.comment(root.text("title"), 0);
            comments.comment(root.text("description"), 0);
        }
        let gap = if comments.out.is_empty() { self.style.before_brace } else { " " };
        self.push(&["(_:", gap, &comments.out, "{\n"]);
        self.properties(properties, root, 0);
        self.push(&["})"]);
    }

    fn properties(&mut self, properties: &'a Map<String, Value>, of: Schema<'a>, depth: usize) {
        let required = of.list("required").unwrap_or_default();
        for (name, property) in properties {
            let property = self.resolve(property);
            self.describe(property, depth);
            let mark = if required.iter().any(|it| it == name.as_str()) { ": " } else { "?: " };
            self.spaces(depth);
            self.push(&[name, mark]);
            self.type_of(property, depth);
            self.push(&[","]);
            self.default_of(property);
            self.push(&["\n"]);
        }
    }

    fn describe(&mut self, property: Schema<'a>, depth: usize) {
        if depth >= self.style.described_depth {
            return;
        }
        if self.style.annotated {
            self.comment(property.text("title"), depth);
        }
        self.comment(property.text("description"), depth);
        if self.style.annotated {
            self.examples(property, depth);
        }
    }

    fn examples(&mut self, property: Schema<'a>, depth: usize) {
        let Some(examples) = property.list("examples") else { return };
        self.comment("Examples:", depth);
        for example in examples {
            self.comment(&format!("- {example}"), depth);
        }
    }

    fn default_of(&mut self, property: Schema<'a>) {
        if let Some(default) = property.get("default").filter(|_| self.style.annotated) {
            let bare = property.get("enum").and_then(|_| default.as_str());
            self.push(&[" // default: ", &bare.map_or_else(|| default.to_string(), str::to_owned)]);
        }
    }

    fn comment(&mut self, text: &str, depth: usize) {
        if text.is_empty() {
            return;
        }
        if self.style.lines == Lines::First {
            self.spaces(depth);
            return self.push(&["// ", text, "\n"]);
        }
        for line in text.lines().map(str::trim) {
            self.spaces(depth);
            self.push(&["//", if line.is_empty() { "" } else { " " }, line, "\n"]);
        }
    }

    fn spaces(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n(' ', depth * self.style.indent));
    }

    fn type_of(&mut self, schema: Schema<'a>, depth: usize) {
        if depth >= MAX_DEPTH || self.out.len() >= MAX_BYTES {
            return self.push(&["any"]);
        }
        if let Some(variants) = schema.list("anyOf").or_else(|| schema.list("oneOf")) {
            return self.union(variants, depth);
        }
        if let Some([only]) = schema.list("allOf") {
            return self.type_of(self.resolve(only), depth + 1);
        }
        if let Some(values) = schema.list("enum") {
            return self.push(&[&values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ")]);
        }
        match schema.get("type") {
            Some(Value::Array(names)) => self.named_union(schema, names, depth),
            Some(Value::String(name)) => self.named(schema, name, depth),
            _ if schema.get("properties").is_some() => self.object(schema, depth),
            _ => self.constant(schema),
        }
    }

    fn constant(&mut self, schema: Schema<'a>) {
        match schema.get("const") {
            Some(value) => self.push(&[&value.to_string()]),
            None => self.push(&["any"]),
        }
    }

    fn union(&mut self, variants: &'a [Value], depth: usize) {
        for (idx, variant) in variants.iter().enumerate() {
            self.push(&[if idx == 0 { "" } else { " | " }]);
            self.type_of(self.resolve(variant), depth + 1);
        }
    }

    fn named_union(&mut self, schema: Schema<'a>, names: &'a [Value], depth: usize) {
        for (idx, name) in names.iter().filter_map(Value::as_str).enumerate() {
            self.push(&[if idx == 0 { "" } else { " | " }]);
            self.named(schema, name, depth);
        }
    }

    fn named(&mut self, schema: Schema<'a>, name: &str, depth: usize) {
        match name {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "number" | "integer" => self.push(&["number"]),
            "string" | "boolean" | "null" => self.push(&[name]),
            _ => self.push(&["any"]),
        }
    }

    fn object(&mut self, schema: Schema<'a>, depth: usize) {
        match schema.get("properties").and_then(Value::as_object).filter(|it| !it.is_empty()) {
            Some(properties) => {
                self.push(&["{\n"]);
                self.properties(properties, schema, depth + 1);
                self.spaces(depth);
                self.push(&["}"]);
            }
            None => self.push(&["object"]),
        }
    }

    fn array(&mut self, schema: Schema<'a>, depth: usize) {
        match schema.get("items") {
            Some(items) => self.type_of(self.resolve(items), depth + 1),
            None => self.push(&["any"]),
        }
        self.push(&["[]"]);
    }

    /// What `#/…` refers to; other references stay unresolved.
    fn resolve(&self, schema: &'a Value) -> Schema<'a> {
        let mut target = None;
        let mut at = schema;
        for _ in 0..MAX_DEPTH {
            let Some(pointer) = at.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) else {
                break;
            };
            let Some(next) = self.root.pointer(pointer) else { break };
            (target, at) = (Some(next), next);
        }
        Schema { own: schema, target }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{GPT_4O, HARMONY, LEGACY, Style, declaration};
    use crate::chat::request::Tool;

    fn check(description: &str, parameters: Value, style: &Style, expected: &str) {
        let tool = Tool { name: "f".to_owned(), description: description.to_owned(), parameters };
        assert_eq!(declaration(&tool, style), expected);
    }

    #[test]
    fn declarations() {
        let city = json!({"properties": {"city": {"type": "string", "title": "City", "description": "Where."}}});
        let legacy = "// Tells.\ntype f = (_: {\n// Where.\ncity?: string,\n}) => any;\n\n";
        let titled = "// Tells.\ntype f = (_:{\n// City\n// Where.\ncity?: string,\n}) => any;\n\n";
        let modern = titled.replace("(_:{", "(_: {");
        for (style, expected) in [(&LEGACY, legacy), (&GPT_4O, titled), (&HARMONY, modern.as_str())] {
            check("Tells.", city.clone(), style, expected);
        }
    }

    #[test]
    fn no_arguments() {
        for parameters in [Value::Null, json!({}), json!({"type": "object", "properties": {}})] {
            check("", parameters, &GPT_4O, "type f = () => any;\n\n");
        }
    }

    #[test]
    fn lines_are_trimmed() {
        check("\nOne.\n\n    Two.\n  ", json!({}), &GPT_4O, "// One.\n//\n// Two.\n//\ntype f = () => any;\n\n");
        check("One.\n  Two.", json!({}), &LEGACY, "// One.\n  Two.\ntype f = () => any;\n\n");
    }

    #[test]
    fn types() {
        let rows = [
            (json!({"type": "integer"}), "number"),
            (json!({"type": ["string", "null"]}), "string | null"),
            (json!({"enum": ["a", 1], "default": "a"}), "\"a\" | 1"),
            (
                json!({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "number"}}]}),
                "boolean | number[]",
            ),
            (json!({"type": "object"}), "object"),
            (json!({"type": "object", "properties": {"x": {}}}), "{\nx?: any,\n}"),
            (json!({"$ref": "#/$defs/Id"}), "string"),
            (json!({"$ref": "https://example.org/schema"}), "any"),
        ];
        for (schema, expected) in rows {
            let default = if schema.get("default").is_some() { " // default: a" } else { "" };
            let parameters =
                json!({"properties": {"p": schema}, "required": ["p"], "$defs": {"Id": {"type": "string"}}});
            check("", parameters, &HARMONY, &format!("type f = (_: {{\np: {expected},{default}\n}}) => any;\n\n"));
        }
    }

    #[test]
    fn comments_of_all_arguments() {
        let parameters = json!({"title": "Args", "properties": {"p": {"type": "string", "default": ""}}});
        check("", parameters, &GPT_4O, "type f = (_: // Args\n{\np?: string, // default: \"\"\n}) => any;\n\n");
    }
}
