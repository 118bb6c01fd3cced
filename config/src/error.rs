//! One mistake in the configuration, told in one line: where, what, and how to mend it. All
//! mistakes of one load are collected in a `Report`, so that a user mends them in one go.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::origin::Origin;

/// A mistake in the configuration. Displays as `place: message; remedy`, always one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}; {remedy}")]
pub struct ConfigError {
    /// `file:line:column`, `env NAME` or `flag KEY`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What the user can do about it.
    pub remedy: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: one_line(&place.into()), message: one_line(&message.into()), remedy: one_line(&remedy.into()) }
    }
}

/// Mistakes found so far. It is shared by reference: a check reports and goes on.
#[derive(Debug, Default)]
pub(crate) struct Report {
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
    keys: RefCell<BTreeSet<String>>,
}

impl Report {
    /// A value that several profiles or upstreams inherit is reported once.
    pub(crate) fn fail(&self, origin: &Origin, message: impl Into<String>, remedy: impl Into<String>) {
        let error = ConfigError::new(origin.place(), message, remedy);
        let mut errors = self.errors.borrow_mut();
        if !errors.contains(&error) {
            errors.push(error);
        }
    }

    /// What is legal and yet may not be meant.
    pub(crate) fn warn(&self, origin: &Origin, message: impl Into<String>, remedy: impl Into<String>) {
        self.warnings.borrow_mut().push(ConfigError::new(origin.place(), message, remedy));
    }

    pub(crate) fn extend(&self, errors: Vec<ConfigError>) {
        self.errors.borrow_mut().extend(errors);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    pub(crate) fn into_errors(self) -> Vec<ConfigError> {
        self.errors.into_inner()
    }

    pub(crate) fn take_warnings(&self) -> Vec<ConfigError> {
        self.warnings.take()
    }

    /// Remembers which keys a table may have.
    pub(crate) fn note_keys(&self, table: &str, keys: &[&str]) {
        let paths = keys.iter().map(|key| format!("{table}.{key}"));
        self.keys.borrow_mut().extend(paths);
    }

    pub(crate) fn into_keys(self) -> BTreeSet<String> {
        self.keys.into_inner()
    }
}

/// How much of a value an error repeats.
const MAX_QUOTED_CHARS: usize = 60;

/// The value in backticks, shortened and on one line.
pub(crate) fn quoted(value: &str) -> String {
    let shown: String = value.chars().take(MAX_QUOTED_CHARS).collect();
    let more = if shown.len() < value.len() { "..." } else { "" };
    format!("`{}{more}`", one_line(&shown))
}

/// Control characters would break the one-line promise, or the terminal.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |c: char| -> Box<dyn Iterator<Item = char>> {
        match c.is_control() {
            true => Box::new(c.escape_debug()),
            false => Box::new(std::iter::once(c)),
        }
    };
    text.chars().flat_map(escape).collect()
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn list<S: AsRef<str>>(items: &[S], conjunction: &str) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item.as_ref())).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}
