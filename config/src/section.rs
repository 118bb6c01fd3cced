//! Reads one table of the tree key by key. A reader returns `None` after it reported a mistake, so
//! a check goes on to the next key and all mistakes are told at once. Keys that nobody asked for
//! are unknown keys.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use crate::error::{Report, list, quoted};
use crate::origin::Origin;
use crate::raw::{Node, Table, Value, key_segment};
use crate::suggest::unknown_key_remedy;

/// One table, possibly above another that supplies what it does not say.
pub(crate) struct Section<'a> {
    /// As in a header: `profiles.default`.
    pub(crate) path: String,
    /// Where the table starts.
    pub(crate) origin: &'a Origin,
    pub(crate) report: &'a Report,
    /// As `path`, with `*` for what the user named: `profiles.*`.
    pattern: &'static str,
    table: &'a Table,
    /// Its path and itself.
    fallback: Option<(&'static str, &'a Table)>,
    asked: RefCell<Vec<&'static str>>,
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a, T> {
    pub(crate) value: T,
    pub(crate) origin: &'a Origin,
}

impl<'a> Section<'a> {
    /// Opens the table at `node`, or reports that it is none. `name` is what `*` in the pattern is.
    pub(crate) fn open(pattern: &'static str, name: &str, node: &'a Node, report: &'a Report) -> Option<Self> {
        let path = pattern.replace('*', &key_segment(name));
        let table = table_of(&path, node, report)?;
        let (origin, fallback, asked) = (&node.key_origin, None, RefCell::default());
        Some(Self { path, origin, report, pattern, table, fallback, asked })
    }

    /// With a table that supplies what this one does not say.
    pub(crate) fn over(self, path: &'static str, fallback: Option<&'a Table>) -> Self {
        Self { fallback: fallback.map(|table| (path, table)), ..self }
    }

    pub(crate) fn fail(&self, origin: &Origin, message: impl Into<String>, remedy: impl Into<String>) {
        self.report.fail(origin, message, remedy);
    }

    /// Whether the table itself says something about `key`, right or wrong.
    pub(crate) fn own(&self, key: &'static str) -> Option<&'a Node> {
        self.ask(key);
        self.table.get(key)
    }

    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.own(key).is_some()
    }

    /// Own value or the fallback's.
    pub(crate) fn find(&self, key: &'static str) -> Option<&'a Node> {
        self.own(key).or_else(|| self.fallback?.1.get(key))
    }

    pub(crate) fn require(&self, key: &'static str) -> Option<&'a Node> {
        let node = self.find(key);
        if node.is_none() {
            self.fail(self.origin, format!("`{key}` is missing in `[{}]`", self.path), format!("add `{key} = ...`"));
        }
        node
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<At<'a, &'a str>> {
        let node = self.require(key)?;
        self.as_text(&self.path_of(key), node)
    }

    pub(crate) fn boolean(&self, key: &'static str) -> Option<bool> {
        let node = self.require(key)?;
        match node.value {
            Value::Boolean(boolean) => Some(boolean),
            _ => self.wrong_type(&self.path_of(key), node, "`true` or `false`", "write it without quotes"),
        }
    }

    pub(crate) fn integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<At<'a, u64>> {
        let node = self.require(key)?;
        self.as_integer(key, node, range)
    }

    /// As `integer`, for a key that may be left out.
    pub(crate) fn optional_integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<At<'a, u64>> {
        let node = self.find(key)?;
        self.as_integer(key, node, range)
    }

    pub(crate) fn as_integer(&self, key: &str, node: &'a Node, range: RangeInclusive<u64>) -> Option<At<'a, u64>> {
        let key = self.path_of(key);
        let Value::Integer(integer) = node.value else {
            return self.wrong_type(&key, node, "a whole number", "write digits only, without quotes");
        };
        let inside = u64::try_from(integer).ok().filter(|integer| range.contains(integer));
        if inside.is_none() {
            // Beyond 128 bits the number is not known any more.
            let shown = if integer == i128::MAX { String::new() } else { format!(": `{integer}`") };
            let message = format!("`{key}` is out of range{shown}");
            let remedy = format!("use {} to {}", range.start(), range.end());
            self.fail(&node.origin, message, remedy);
        }
        inside.map(|value| At { value, origin: &node.origin })
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let message = format!("unknown value {} for `{}`", quoted(text.value), self.path_of(key));
            self.report.fail(text.origin, message, format!("use {}", list(&words, "or")));
        }
        found.map(|(_, choice)| *choice)
    }

    /// A list of texts; an absent key is an empty list.
    pub(crate) fn texts(&self, key: &'static str) -> Option<Vec<At<'a, &'a str>>> {
        let Some(node) = self.find(key) else {
            return Some(Vec::new());
        };
        let path = self.path_of(key);
        let Value::List(items) = &node.value else {
            return self.wrong_type(&path, node, "a list", "write it in brackets, such as `[\"a\", \"b\"]`");
        };
        items.iter().map(|item| self.as_text(&path, item)).collect()
    }

    /// A table of texts; an absent key is an empty table.
    pub(crate) fn pairs(&self, key: &'static str) -> Option<Vec<(At<'a, &'a str>, At<'a, &'a str>)>> {
        let Some(node) = self.find(key) else {
            return Some(Vec::new());
        };
        let path = self.path_of(key);
        let Value::Table(table) = &node.value else {
            return self.wrong_type(&path, node, "a table", "write it in braces, such as `{ name = \"value\" }`");
        };
        let pair = |(name, node): (&'a String, &'a Node)| {
            let name = At { value: name.as_str(), origin: &node.key_origin };
            Some((name, self.as_text(&format!("{path}.{}", name.value), node)?))
        };
        table.iter().map(pair).collect()
    }

    fn as_text(&self, path: &str, node: &'a Node) -> Option<At<'a, &'a str>> {
        let value = match (&node.value, &node.literal) {
            (Value::Text(text), _) => text,
            (_, Some(literal)) => literal,
            (Value::List(_) | Value::Table(_), _) => {
                return self.wrong_type(path, node, "text", "write one text in quotes");
            }
            _ => return self.wrong_type(path, node, "text", "put it in quotes"),
        };
        Some(At { value, origin: &node.origin })
    }

    fn wrong_type<T>(&self, path: &str, node: &Node, expected: &str, remedy: &str) -> Option<T> {
        let message = format!("expected {expected} for `{path}`, found {}", node.value.kind());
        self.fail(&node.origin, message, remedy);
        None
    }

    /// The whole path of a key, there where its value comes from.
    pub(crate) fn path_of(&self, key: &str) -> String {
        let table = match self.fallback {
            Some((path, table)) if table.contains_key(key) && !self.table.contains_key(key) => path,
            _ => &self.path,
        };
        format!("{table}.{key}")
    }

    fn ask(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    /// Reports the keys that nobody asked for. To be called when every reader has run.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        self.report.note_keys(self.pattern, &asked);
        for (key, node) in self.table.iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
            let message = format!("unknown key {} in `[{}]`", quoted(key), self.path);
            self.report.fail(&node.key_origin, message, unknown_key_remedy(key, &asked));
        }
    }
}

/// The table at `node`, or a report that it is none.
pub(crate) fn table_of<'a>(path: &str, node: &'a Node, report: &Report) -> Option<&'a Table> {
    let Value::Table(table) = &node.value else {
        report.fail(
            &node.origin,
            format!("expected a table for `{path}`, found {}", node.value.kind()),
            format!("write its keys under `[{path}]`"),
        );
        return None;
    };
    Some(table)
}
