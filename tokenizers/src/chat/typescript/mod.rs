//! Tools as the TypeScript that OpenAI's models read. It renders text and never counts.
//!
//! The form is that of `template_tools_section` and `json_schema_to_typescript` in `openai/harmony`, `src/encoding.rs`.
//! Hosted models differ from it in small things, which are fields of [`Style`]. Those that few recordings show were read
//! in prompts that hosted models repeated in public: arrays of described objects are `Array<…>`, described variants
//! stand on lines of their own, and limits follow the default.

mod types;

use serde_json::Value;

use super::request::Tool;
use types::Writer;

/// What differs between generations of models.
pub(super) struct Style {
    /// What stands between `(_:` and the brace.
    pub before_brace: &'static str,
    /// Whether titles, defaults, examples and the comments of the whole arguments are written.
    pub annotated: bool,
    /// Whether limits are written too, and types that hold comments are spread over lines.
    pub hosted: bool,
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
    Style { before_brace: " ", annotated: false, hosted: false, lines: Lines::First, indent: 2, described_depth: 1 };

/// gpt-4o and all that OpenAI hosts since.
pub(super) const HOSTED: Style = Style {
    before_brace: "",
    annotated: true,
    hosted: true,
    lines: Lines::Trimmed,
    indent: 0,
    described_depth: types::MAX_DEPTH,
};

/// gpt-oss, as published.
pub(super) const HARMONY: Style = Style { before_brace: " ", hosted: false, ..HOSTED };

/// The namespace with the declarations of all tools, without what may stand above it.
pub(super) fn namespace(declarations: &str) -> String {
    format!("namespace functions {{\n\n{declarations}}} // namespace functions")
}

/// All tools, each with a blank line after it.
pub(super) fn declarations(tools: &[Tool], style: &Style) -> String {
    tools.iter().map(|tool| declaration(tool, style)).collect()
}

/// One tool.
pub(super) fn declaration(tool: &Tool, style: &Style) -> String {
    let writer = Writer::new(style, &tool.parameters);
    let description = writer.comment(tool.description.trim_start(), 0);
    let properties = tool.parameters.get("properties").and_then(Value::as_object).filter(|it| !it.is_empty());
    let arguments = properties.map_or_else(|| "()".to_owned(), |properties| writer.arguments(properties));
    format!("{description}type {} = {arguments} => any;\n\n", tool.name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{HARMONY, HOSTED, LEGACY, Style, declaration};
    use crate::chat::request::Tool;

    fn check(description: &str, parameters: Value, style: &Style, expected: &str) {
        let tool = Tool {
            name: "f".to_owned(),
            description: description.to_owned(),
            parameters,
            rest: serde_json::Map::new(),
        };
        assert_eq!(declaration(&tool, style), expected);
    }

    #[test]
    fn declarations() {
        let city = json!({"properties": {"city": {"type": "string", "title": "City", "description": "Where."}}});
        let legacy = "// Tells.\ntype f = (_: {\n// Where.\ncity?: string,\n}) => any;\n\n";
        let titled = "// Tells.\ntype f = (_:{\n// City\n// Where.\ncity?: string,\n}) => any;\n\n";
        let modern = titled.replace("(_:{", "(_: {");
        for (style, expected) in [(&LEGACY, legacy), (&HOSTED, titled), (&HARMONY, modern.as_str())] {
            check("Tells.", city.clone(), style, expected);
        }
    }

    #[test]
    fn no_arguments() {
        for parameters in [Value::Null, json!({}), json!({"type": "object", "properties": {}})] {
            check("", parameters, &HOSTED, "type f = () => any;\n\n");
        }
    }

    #[test]
    fn lines_are_trimmed() {
        check("\nOne.\n\n    Two.\n  ", json!({}), &HOSTED, "// One.\n//\n// Two.\n//\ntype f = () => any;\n\n");
        check("One.\n  Two.", json!({}), &LEGACY, "// One.\n  Two.\ntype f = () => any;\n\n");
    }

    #[test]
    fn types() {
        let rows = [
            (json!({"type": "integer"}), "number"),
            (json!({"type": ["string", "null"]}), "string | null"),
            (json!({"enum": ["a", 1], "default": "a"}), "\"a\" | 1"),
            (
                json!({"type": "array", "items": {"properties": {"x": {"description": "X."}}}}),
                "{\n// X.\nx?: any,\n}[]",
            ),
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
        check("", parameters, &HOSTED, "type f = (_: // Args\n{\np?: string, // default: \"\"\n}) => any;\n\n");
    }

    /// As prompts show that hosted models repeated: limits behind or above, and types with comments over several lines.
    #[test]
    fn hosted() {
        let item = json!({"type": "object", "properties": {"x": {"type": "string", "description": "X."}}});
        let rows = [
            (
                json!({"type": "string", "default": "a", "minLength": 1}),
                "p?: string, // default: \"a\", minLength: 1\n",
            ),
            (json!({"enum": ["a"], "default": "a"}), "p?: \"a\", // default: \"a\"\n"),
            (json!({"type": "string", "pattern": "^a$"}), "p?: string, // pattern: /^a$/\n"),
            (
                json!({"type": "array", "items": item, "minItems": 1}),
                "// minItems: 1\np?: Array<\n{\n// X.\nx?: string,\n}\n>,\n",
            ),
            (json!({"type": "array", "items": {"properties": {"x": {}}}}), "p?: {\nx?: any,\n}[],\n"),
            (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), "p?: string | null,\n"),
            (
                json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": null}),
                "// default: null\np?:\n | number // minimum: 0\n | null\n,\n",
            ),
        ];
        for (schema, expected) in rows {
            let expected = format!("type f = (_:{{\n{expected}}}) => any;\n\n");
            check("", json!({"properties": {"p": schema}}), &HOSTED, &expected);
        }
    }
}
