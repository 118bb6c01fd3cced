//! A tool's text in each view, and what of it is counted.
//!
//! Counted is the minified JSON array of `{"name","description","inputSchema"}`, which is what MCP clients hand to a
//! model. Everything else of a definition (annotations, output schema, title, icons) is for the client and is free.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_tokenizers::Tokenizer;

use super::first_sentence::first_sentence;
use super::raw::{RawObject, json_string, raw_value};
use super::schema::{any_object, prune, reduce};
use super::signature::signature;
use super::view::ToolView;

/// The schema of the views that tell the arguments in words.
const OPEN_SCHEMA: &str = r#"{"type":"object"}"#;

/// One definition, parsed: checked once, so that what follows need not ask again.
pub(super) struct ParsedTool<'a> {
    /// The exposed name.
    pub(super) name: &'a str,
    pub(super) description: Option<String>,
    /// As the upstream wrote it, or any object if it cannot be used.
    pub(super) schema: Value,
    /// [`reduce`]d.
    pub(super) reduced: Value,
    /// What was wrong with the definition.
    pub(super) notes: Vec<&'static str>,
}

impl<'a> ParsedTool<'a> {
    /// Reads the definition `raw` of the tool that clients see as `name`. Never fails: what cannot be used counts as
    /// absent and is noted.
    pub(super) fn new(raw: &RawValue, name: &'a str) -> Self {
        let fields = RawObject::of(raw);
        let mut notes = Vec::new();
        let description = fields.string("description");
        if description.is_none() && fields.get("description").is_some_and(|text| text != "null") {
            notes.push("`description` is not a string and was left out");
        }
        let schema = fields.get("inputSchema").and_then(|text| serde_json::from_str(text).ok());
        let schema = schema.filter(Value::is_object).unwrap_or_else(|| {
            notes.push("`inputSchema` is missing or not an object; any object is accepted");
            any_object()
        });
        let reduced = reduce(&schema, fields.string("name").as_deref().unwrap_or(name));
        Self { name, description, schema, reduced, notes }
    }

    /// The description of an entry in `view`.
    pub(super) fn description_in(&self, view: ToolView) -> Option<Cow<'_, str>> {
        let described = self.description.as_deref();
        let with_signature = |text: &str| {
            let signature = signature(&self.reduced);
            Some(Cow::Owned(if text.is_empty() { signature } else { format!("{signature} {text}") }))
        };
        match view {
            ToolView::Signature => with_signature(&self.first_sentence()),
            ToolView::Described => with_signature(described.unwrap_or_default()),
            _ => described.map(Cow::Borrowed),
        }
    }

    /// The minified input schema of an entry in `view`.
    pub(super) fn schema_in(&self, view: ToolView) -> String {
        match view {
            ToolView::Full => self.reduced.to_string(),
            ToolView::Pruned => prune(&self.reduced).to_string(),
            _ => OPEN_SCHEMA.to_owned(),
        }
    }

    /// A line of the index, without its line end.
    pub(super) fn summary_line(&self) -> String {
        summary(self.name, self.description.as_deref())
    }

    pub(super) fn first_sentence(&self) -> String {
        self.description.as_deref().map(first_sentence).unwrap_or_default()
    }
}

/// As [`ParsedTool::summary_line`], without reading the schema.
pub(super) fn summary_line(raw: &RawValue, exposed: &str) -> String {
    summary(exposed, RawObject::of(raw).string("description").as_deref())
}

fn summary(name: &str, description: Option<&str>) -> String {
    match description.map(first_sentence) {
        Some(sentence) if !sentence.is_empty() => format!("{name} - {sentence}"),
        _ => name.to_owned(),
    }
}

/// The tools/list entry of the tool `raw` in `view`: the upstream's own object with the name, description and input
/// schema exchanged and every other byte as it was. An index view has no entry and reads as its signature.
pub(super) fn entry_json(raw: &RawValue, exposed: &str, view: ToolView) -> Box<RawValue> {
    let parsed = ParsedTool::new(raw, exposed);
    let view = view.max(ToolView::Signature);
    let changes = [
        ("name", Some(json_string(exposed))),
        // One that is not a string is removed: a client must not see what was counted as absent.
        ("description", parsed.description_in(view).map(|text| json_string(&text))),
        ("inputSchema", Some(parsed.schema_in(view))),
    ];
    raw_value(RawObject::of(raw).with(&changes))
}

/// The definition as the upstream wrote it, byte for byte if it already has the exposed name.
pub(super) fn original_json(raw: &RawValue, exposed: &str) -> Box<RawValue> {
    let fields = RawObject::of(raw);
    if fields.string("name").as_deref() == Some(exposed) {
        return raw.to_owned();
    }
    raw_value(fields.with(&[("name", Some(json_string(exposed)))]))
}

/// The tokens of a tools/list result as a client hands it to a model, whatever made it.
///
/// This renders and counts the whole; plans add up parts, and tests hold the two equal.
#[must_use]
pub fn count_list<'a>(entries: impl IntoIterator<Item = &'a RawValue>, tokenizer: Tokenizer) -> u64 {
    let counted: Vec<String> = entries.into_iter().map(counted_text).collect();
    tokenizer.count(&format!("[{}]", counted.join(","))) as u64
}

fn counted_text(entry: &RawValue) -> String {
    let name = RawObject::of(entry).string("name").unwrap_or_default();
    let parsed = ParsedTool::new(entry, &name);
    let mut text = format!(r#"{{"name":{}"#, json_string(&name));
    if let Some(description) = &parsed.description {
        text += &format!(r#","description":{}"#, json_string(description));
    }
    text + &format!(r#","inputSchema":{}}}"#, parsed.schema)
}
