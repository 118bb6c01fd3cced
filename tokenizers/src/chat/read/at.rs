//! A place in a JSON body: a value that knows its path, so that an error can name it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::chat::request::{Request, Uncounted};

/// A body that is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {problem}")]
pub struct ReadError {
    /// Where the problem is.
    pub path: String,
    /// What it is.
    pub problem: &'static str,
}

/// A value and its path.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub value: &'a Value,
    pub path: String,
}

impl<'a> At<'a> {
    /// The body itself.
    pub fn root(value: &'a Value) -> Result<Self, ReadError> {
        let root = Self { value, path: "body".to_owned() };
        if value.is_object() { Ok(root) } else { Err(root.error("must be an object")) }
    }

    pub fn error(&self, problem: &'static str) -> ReadError {
        ReadError { path: self.path.clone(), problem }
    }

    /// A field, if it is there and not null.
    pub fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let path = if self.path == "body" { name.to_owned() } else { format!("{}.{name}", self.path) };
        Some(Self { value, path })
    }

    /// The first of these fields that is there: some formats have two spellings.
    pub fn either(&self, names: [&str; 2]) -> Option<Self> {
        names.iter().find_map(|name| self.field(name))
    }

    /// A field that must be there.
    pub fn required(&self, name: &str) -> Result<Self, ReadError> {
        let missing = || ReadError { path: format!("{}.{name}", self.path), problem: "is missing" };
        self.field(name).ok_or_else(missing)
    }

    /// The text that this is.
    pub fn text(&self) -> Result<&'a str, ReadError> {
        self.value.as_str().ok_or_else(|| self.error("must be a string"))
    }

    /// The text of a field that must be there.
    pub fn required_text(&self, name: &str) -> Result<&'a str, ReadError> {
        self.required(name)?.text()
    }

    /// The text of a field; empty where it is absent or no text.
    pub fn text_or_empty(&self, name: &str) -> &'a str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The items of the list that this is.
    pub fn items(&self) -> Result<Vec<Self>, ReadError> {
        let list = self.value.as_array().ok_or_else(|| self.error("must be a list"))?;
        let item = |(idx, value)| Self { value, path: format!("{}[{idx}]", self.path) };
        Ok(list.iter().enumerate().map(item).collect())
    }

    /// The items of a field; none where it is absent.
    pub fn items_of(&self, name: &str) -> Result<Vec<Self>, ReadError> {
        self.field(name).map_or_else(|| Ok(Vec::new()), |list| list.items())
    }

    /// Writes this down as something that cannot be counted.
    pub fn uncounted(&self, request: &mut Request, what: &str, bound: Option<usize>) {
        request.uncounted.push(Uncounted { path: self.path.clone(), what: what.to_owned(), bound });
    }
}

/// The most that content of an unknown kind costs: a token a byte of it.
pub(super) fn bytes(value: &Value) -> usize {
    value.to_string().len()
}

/// The names of tools: by the ids of their calls, and those that a search has found.
#[derive(Default)]
pub(super) struct Names {
    by_call: HashMap<String, String>,
    found: HashSet<String>,
}

impl Names {
    pub fn add(&mut self, id: &str, name: &str) {
        self.by_call.insert(id.to_owned(), name.to_owned());
    }

    pub fn of(&self, id: &str) -> String {
        self.by_call.get(id).cloned().unwrap_or_default()
    }

    pub fn find(&mut self, name: &str) {
        self.found.insert(name.to_owned());
    }

    pub fn is_found(&self, name: &str) -> bool {
        self.found.contains(name)
    }
}
