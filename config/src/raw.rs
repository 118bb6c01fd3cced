//! `RawConfig`: all layers merged into one tree, in which every value keeps its origin. Nothing is
//! checked here beyond TOML syntax.

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use crate::error::{ConfigError, quoted};
use crate::origin::{Document, Origin};

/// All layers, merged.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawConfig {
    pub(crate) root: Table,
}

pub(crate) type Table = IndexMap<String, Node>;

/// A value, where it stands and where its key stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    pub(crate) key_origin: Origin,
    /// What the environment or the command line said, word for word: `1234` may be meant as text.
    pub(crate) literal: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// The word for this kind of value in an error.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl RawConfig {
    /// Puts a layer on top: tables merge by key, everything else is replaced.
    pub(crate) fn merge(&mut self, layer: Table) {
        merge(&mut self.root, layer);
    }

    /// Sets one value by key path; intermediate tables are made as needed.
    pub(crate) fn set(&mut self, path: &[String], node: Node) {
        let Some((last, parents)) = path.split_last() else {
            return;
        };
        let mut layer = Table::from_iter([(last.clone(), node.clone())]);
        for parent in parents.iter().rev() {
            let table = Node { value: Value::Table(layer), literal: None, ..node.clone() };
            layer = Table::from_iter([(parent.clone(), table)]);
        }
        self.merge(layer);
    }
}

fn merge(base: &mut Table, layer: Table) {
    for (key, over) in layer {
        match (base.get_mut(&key), over) {
            (Some(Node { value: Value::Table(below), .. }), Node { value: Value::Table(above), .. }) => {
                merge(below, above);
            }
            (_, over) => {
                base.insert(key, over);
            }
        }
    }
}

/// Reads TOML. Only the first syntax error is told: what follows one is mostly noise.
pub(crate) fn parse_toml(document: &Document<'_>) -> Result<Table, ConfigError> {
    DeTable::parse(document.text)
        .map(|root| table(document, root.into_inner()))
        .map_err(|error| syntax_error(document, &error))
}

/// Reads a value of the environment or the command line: TOML where it is TOML, text otherwise.
pub(crate) fn parse_value(text: &str, origin: &Origin) -> Node {
    let here = |_| origin.clone();
    let value = match DeValue::parse(text) {
        Ok(parsed) => value(&here, parsed.into_inner()),
        Err(_) => Value::Text(text.to_owned()),
    };
    Node { value, origin: origin.clone(), key_origin: origin.clone(), literal: Some(text.to_owned()) }
}

/// Reads a dotted key such as `models."gpt-4.1".exact`.
pub(crate) fn parse_key(text: &str) -> Option<Vec<String>> {
    let statement = format!("{text} = 0");
    let root = DeTable::parse(&statement).ok()?.into_inner();
    let mut path = Vec::new();
    let mut value = DeValue::Table(root);
    while let DeValue::Table(table) = value {
        if table.len() != 1 {
            return None;
        }
        let (key, next) = table.into_iter().next()?;
        path.push(key.into_inner().into_owned());
        value = next.into_inner();
    }
    Some(path)
}

/// A key as it is written in a dotted path.
pub(crate) fn key_segment(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => format!("{key:?}"),
    }
}

fn table(document: &Document<'_>, table: DeTable<'_>) -> Table {
    table_at(&|offset| document.origin(offset), table)
}

fn table_at(origin: &dyn Fn(usize) -> Origin, table: DeTable<'_>) -> Table {
    let node = |(key, value): (toml::Spanned<_>, toml::Spanned<DeValue<'_>>)| {
        let key_origin = origin(key.span().start);
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        (key.into_owned(), node_at(origin, value, Some(key_origin)))
    };
    table.into_iter().map(node).collect()
}

fn node_at(origin: &dyn Fn(usize) -> Origin, spanned: toml::Spanned<DeValue<'_>>, key_origin: Option<Origin>) -> Node {
    let here = origin(spanned.span().start);
    Node {
        value: value(origin, spanned.into_inner()),
        key_origin: key_origin.unwrap_or_else(|| here.clone()),
        origin: here,
        literal: None,
    }
}

fn value(origin: &dyn Fn(usize) -> Origin, value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        // A number beyond 128 bits is beyond every range, so any out-of-range value stands for it.
        DeValue::Integer(integer) => {
            Value::Integer(i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX))
        }
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(array) => Value::List(array.into_iter().map(|item| node_at(origin, item, None)).collect()),
        DeValue::Table(table) => Value::Table(table_at(origin, table)),
    }
}

fn syntax_error(document: &Document<'_>, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let place = document.origin(span.start).place();
    let found = document.text.get(span).unwrap_or_default();
    if error.message().starts_with("duplicate key") {
        let message = format!("{} is there twice", quoted(found));
        return ConfigError::new(place, message, "rename or remove one of the two");
    }
    let (message, remedy) = explain_syntax(error.message(), found);
    ConfigError::new(place, format!("not valid TOML: {message}"), remedy)
}

/// The parser tells what it expected; of a bare word it takes the start for a number.
fn explain_syntax<'a>(message: &'a str, found: &str) -> (&'a str, &'static str) {
    let is_bare = ["string values must be quoted", "invalid float", "invalid integer"];
    match is_bare.iter().any(|start| message.starts_with(start)) {
        true if found.trim().is_empty() && message.starts_with(is_bare[0]) => {
            ("a key without a value", "add one after `=`")
        }
        true => ("a value that is neither a number nor in quotes", "put text in quotes"),
        false => (message, "mend the syntax, https://toml.io shows it"),
    }
}
