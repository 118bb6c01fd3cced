//! The merged tree, leaf by leaf: what `config show` prints.

use crate::origin::Origin;
use crate::raw::{Node, RawConfig, Table, Value, key_segment};
use crate::redact;

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// Dotted path.
    pub key: String,
    /// As TOML, before `${VAR}` was expanded; `"***"` for a secret.
    pub value: String,
    /// The same as JSON.
    pub json: serde_json::Value,
    /// Where it came from.
    pub origin: Origin,
}

/// A leaf of the tree.
pub(crate) struct Leaf<'a> {
    path: Vec<&'a str>,
    pub(crate) node: &'a Node,
}

impl Leaf<'_> {
    pub(crate) fn key(&self) -> String {
        let segments: Vec<String> = self.path.iter().map(|segment| key_segment(segment)).collect();
        segments.join(".")
    }

    fn is_catalogue(&self) -> bool {
        matches!(self.path.first(), Some(&("models" | "providers"))) && self.node.origin.is_default()
    }
}

pub(crate) fn show(raw: &RawConfig) -> Vec<ShownKey> {
    let shown = |leaf: Leaf<'_>| {
        let value = redact::shown(&leaf.path, leaf.node);
        ShownKey { key: leaf.key(), value: to_toml(&value), json: to_json(&value), origin: leaf.node.origin.clone() }
    };
    leaves(raw).filter(|leaf| !leaf.is_catalogue()).map(shown).collect()
}

pub(crate) fn leaves(raw: &RawConfig) -> impl Iterator<Item = Leaf<'_>> {
    let mut leaves = Vec::new();
    collect(&raw.root, &mut Vec::new(), &mut leaves);
    leaves.into_iter()
}

fn collect<'a>(table: &'a Table, path: &mut Vec<&'a str>, leaves: &mut Vec<Leaf<'a>>) {
    for (key, node) in table {
        path.push(key);
        match &node.value {
            Value::Table(inner) => collect(inner, path, leaves),
            _ => leaves.push(Leaf { path: path.clone(), node }),
        }
        path.pop();
    }
}

fn to_toml(value: &Value) -> String {
    match value {
        Value::Text(text) => toml::Value::from(text.as_str()).to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Date(date) => date.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| to_toml(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(_) => "{}".to_owned(),
    }
}

/// JSON has no dates, and no numbers that are none.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) | Value::Date(text) => text.as_str().into(),
        Value::Integer(integer) => serde_json::Number::from_i128(*integer).into(),
        Value::Float(float) => (*float).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::List(items) => items.iter().map(|item| to_json(&item.value)).collect(),
        Value::Table(table) => table.iter().map(|(key, node)| (key.clone(), to_json(&node.value))).collect(),
    }
}
