//! Which tools a query means: the interface and the [`RANKERS`] that implement it.

use serde_json::{Map, Value};

use super::bm25::Bm25;
use super::catalogue::ToolDef;
use super::lexical::Lexical;

/// What a ranker knows about a tool.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The upstream's name of the tool.
    pub name: String,
    /// The server it comes from.
    pub server: String,
    /// The whole description.
    pub description: String,
    /// The names of its parameters, nested ones included, separated by spaces.
    pub parameters: String,
    /// What its schema says about the parameters: descriptions and enum values, separated by spaces.
    pub parameter_texts: String,
}

impl Document {
    /// What there is to know about `tool`, whose description and input schema are these.
    #[must_use]
    pub fn new(tool: &ToolDef, description: &str, schema: &Value) -> Self {
        let mut document = Self {
            name: tool.name.clone(),
            server: tool.server.clone(),
            description: description.to_owned(),
            ..Self::default()
        };
        document.read_schema(schema);
        document
    }

    fn read_schema(&mut self, schema: &Value) {
        let mut open = vec![schema];
        while let Some(part) = open.pop() {
            match part {
                Value::Object(fields) => {
                    self.read_fields(fields);
                    open.extend(fields.values());
                }
                Value::Array(list) => open.extend(list),
                _ => {}
            }
        }
    }

    fn read_fields(&mut self, fields: &Map<String, Value>) {
        let properties = fields.get("properties").and_then(Value::as_object);
        for name in properties.into_iter().flat_map(Map::keys) {
            push_word(&mut self.parameters, name);
        }
        let values = fields.get("enum").and_then(Value::as_array);
        let texts = fields.get("description").into_iter().chain(values.into_iter().flatten());
        for text in texts.filter_map(Value::as_str) {
            push_word(&mut self.parameter_texts, text);
        }
    }
}

fn push_word(text: &mut String, word: &str) {
    text.push_str(word);
    text.push(' ');
}

/// A document that a query matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Index of the document.
    pub idx: usize,
    /// Greater is better; comparable within one answer only.
    pub score: f64,
}

/// Orders tools by how well they match a query.
pub trait Ranker: Send + Sync {
    /// The documents that match `query`, best first, equals by index. Deterministic.
    fn rank(&self, query: &str) -> Vec<Match>;
}

/// A ranker that configuration can name.
pub struct RankerEntry {
    /// Its name.
    pub name: &'static str,
    /// Prepares it for these documents.
    pub build: fn(&[Document]) -> Box<dyn Ranker>,
}

/// Every ranker; the first is the default.
pub static RANKERS: &[RankerEntry] = &[
    RankerEntry { name: "lexical", build: |documents| Box::new(Lexical::new(documents)) },
    RankerEntry { name: "bm25", build: |documents| Box::new(Bm25::new(documents)) },
];
