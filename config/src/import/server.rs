//! One server of a client -> one `[upstreams.ID]`. Each step takes the fields that it knows; what
//! is left in the end is named as dropped.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use toml::Table;

use super::references::{self, References};
use super::shape::Entry;
use super::{ignored, kind, launch, own, policy};
use crate::env::Env;
use crate::error::quoted;

/// What becomes of a server.
pub(super) struct Draft {
    pub(super) id: String,
    /// As the client calls it.
    pub(super) name: String,
    /// The upstream's table; `None` if it cannot be carried over.
    pub(super) table: Option<Table>,
    /// For the comment above it and for the warnings.
    pub(super) notes: Vec<String>,
    /// Variables that it needs.
    pub(super) variables: BTreeSet<String>,
}

/// Fields that mean nothing to a gateway and that nobody misses.
const SILENT: &[&str] = &["name", "type", "transport", "source", "description", "$schema"];

pub(super) fn convert(entry: &Entry, id: String, inputs: &BTreeMap<String, String>) -> Draft {
    let mut server = Server::new(entry);
    let left_out = match own::is_gateway(entry) {
        true => Some("it is the gateway itself".to_owned()),
        false => server.read().err(),
    };
    server.note_references(inputs);
    server.notes.extend(left_out.iter().map(|reason| format!("left out: {reason}")));
    Draft {
        id,
        name: entry.name.clone(),
        table: left_out.is_none().then_some(server.table),
        notes: server.notes,
        variables: match left_out {
            None => server.references.required,
            Some(_) => BTreeSet::new(),
        },
    }
}

/// A server while it is being read.
pub(super) struct Server {
    fields: Map<String, Value>,
    is_object: bool,
    pub(super) table: Table,
    pub(super) notes: Vec<String>,
    references: References,
}

impl Server {
    fn new(entry: &Entry) -> Self {
        let (fields, is_object) = match &entry.value {
            Value::Object(fields) => (fields.clone(), true),
            _ => (Map::new(), false),
        };
        let (table, notes, references) = Default::default();
        Self { fields, is_object, table, notes, references }
    }

    /// An error is the reason to leave the server out.
    fn read(&mut self) -> Result<(), String> {
        if !self.is_object {
            return Err("it is no object".to_owned());
        }
        launch::read(self)?;
        policy::read(self);
        self.note_rest();
        Ok(())
    }

    /// Takes the first of these fields that is there.
    pub(super) fn take(&mut self, keys: &[&'static str]) -> Option<(&'static str, Value)> {
        keys.iter().find_map(|key| Some((*key, self.fields.shift_remove(*key)?)))
    }

    /// Puts a field that stood elsewhere where it is expected, unless that place is taken.
    pub(super) fn put_back(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.fields.entry(key).or_insert(value);
        }
    }

    pub(super) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.fields.contains_key(*key))
    }

    /// A field that must be text, or is noted and ignored.
    pub(super) fn take_text(&mut self, keys: &[&'static str]) -> Option<String> {
        match self.take(keys)? {
            (_, Value::String(text)) => Some(text),
            (key, other) => {
                self.note(ignored(key, &other));
                None
            }
        }
    }

    /// A field that must be a table of texts; what is not is noted and ignored.
    pub(super) fn take_pairs(&mut self, keys: &[&'static str]) -> Vec<(String, String)> {
        let (key, fields) = match self.take(keys) {
            None | Some((_, Value::Null)) => return Vec::new(),
            Some((key, Value::Object(fields))) => (key, fields),
            Some((key, other)) => {
                self.note(ignored(key, &other));
                return Vec::new();
            }
        };
        let mut pairs = Vec::new();
        for (name, value) in fields {
            match super::scalar(&value) {
                Some(text) => pairs.push((name, text)),
                None => self.note(ignored(&format!("{key}.{name}"), &value)),
            }
        }
        pairs
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<toml::Value>) {
        self.table.insert(key.to_owned(), value.into());
    }

    /// A text with its references in our words.
    pub(super) fn reference(&mut self, text: &str) -> String {
        references::convert(text, &mut self.references)
    }

    /// An environment in which every variable so far has this value.
    pub(super) fn required_as(&self, value: &str) -> Env {
        let set = |name: &String| (name.clone(), value.to_owned());
        self.references.required.iter().map(set).collect()
    }

    fn note_rest(&mut self) {
        let rest = std::mem::take(&mut self.fields);
        for (key, value) in rest.iter().filter(|(key, _)| !SILENT.contains(&key.as_str())) {
            self.note(format!("{} ({}) has no counterpart and was dropped", quoted(key), kind(value)));
        }
    }

    fn note_references(&mut self, inputs: &BTreeMap<String, String>) {
        for (id, name) in std::mem::take(&mut self.references.inputs) {
            let asked = inputs.get(&id).map(|text| format!(" ({text})")).unwrap_or_default();
            self.note(format!("`${{input:{id}}}` became `${{{name}}}`, set that variable{asked}"));
        }
        for (was, name) in std::mem::take(&mut self.references.renamed) {
            self.note(format!("`${{{was}}}` became `${{{name}}}`, set that variable"));
        }
    }
}
