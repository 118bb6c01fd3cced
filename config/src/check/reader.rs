//! Reads the values of one table in which `${VAR}` is replaced.

use std::borrow::Cow;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::{Context, rules};
use crate::error::quoted;
use crate::expand::{ExpandError, expand};
use crate::redact;
use crate::section::{At, Section};

pub(super) struct Reader<'a> {
    pub(super) section: &'a Section<'a>,
    pub(super) context: Context<'a>,
    /// A disabled upstream need not have its variables.
    pub(super) expands: bool,
}

impl Reader<'_> {
    /// The text with its references replaced. Errors name variables, never values.
    pub(super) fn expand(&self, path: &str, text: At<'_, &str>) -> Option<String> {
        if !self.expands {
            return Some(text.value.to_owned());
        }
        let expanded = expand(text.value, self.context.env);
        if let Err(error) = &expanded {
            let (message, remedy) = explain(error, path);
            self.section.fail(text.origin, message, remedy);
        }
        expanded.ok()
    }

    /// A path, made absolute from the folder of the file that says it. `~/` is the home folder.
    pub(super) fn folder(&self, key: &'static str) -> Option<PathBuf> {
        self.place(key, "name a folder, `.` is the one of this file")
    }

    /// The same for a file.
    pub(super) fn file(&self, key: &'static str) -> Option<PathBuf> {
        self.place(key, "name a file")
    }

    fn place(&self, key: &'static str, remedy: &str) -> Option<PathBuf> {
        let text = self.section.text(key)?;
        let path = self.section.path_of(key);
        let value = self.expand(&path, At { value: &with_home(text.value), ..text })?;
        if value.trim().is_empty() {
            self.section.fail(text.origin, format!("`{path}` is empty"), remedy);
            return None;
        }
        let absolute = self.context.working_dir.join(text.origin.folder()).join(value);
        Some(absolute.components().collect())
    }
}

/// `~` and what is below it as people write it, for us to expand: no shell reads these values.
pub(super) fn with_home(path: &str) -> Cow<'_, str> {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Cow::Owned(format!("${{HOME}}{rest}")),
        _ => Cow::Borrowed(path),
    }
}

/// A URL under `key`, with its references replaced.
pub(super) fn url(reader: &Reader<'_>, key: &'static str) -> Option<String> {
    let text = reader.section.text(key)?;
    let path = reader.section.path_of(key);
    let url = reader.expand(&path, text)?;
    if reader.expands
        && let Err(remedy) = rules::url(&url)
    {
        // As written, since the expanded one may hold a secret.
        let message = format!("`{path}` is not a URL: {}", quoted(&redact::url(text.value)));
        reader.section.fail(text.origin, message, remedy);
        return None;
    }
    Some(url)
}

/// The table `headers`, each of which the gateway may send.
pub(super) fn headers(reader: &Reader<'_>) -> Option<IndexMap<String, String>> {
    let mut seen: Vec<String> = Vec::new();
    let pair = |(name, value): (At<'_, &str>, At<'_, &str>)| {
        let lower = name.value.to_lowercase();
        let fault = name_fault(name.value, seen.contains(&lower));
        seen.push(lower);
        if let Some((message, remedy)) = fault {
            reader.section.fail(name.origin, message, remedy);
            return None;
        }
        Some((name.value.to_owned(), header_value(reader, name.value, value)?))
    };
    Some(all(reader.section.pairs("headers")?, pair)?.into_iter().collect())
}

fn name_fault(name: &str, is_repeated: bool) -> Option<(String, &'static str)> {
    let shown = quoted(name);
    if !rules::is_header_name(name) {
        Some((format!("illegal header name {shown}"), "use letters, digits and `-`"))
    } else if rules::is_own_header(name) {
        Some((format!("header {shown} is the gateway's own"), "remove it"))
    } else if is_repeated {
        Some((format!("header {shown} is there twice"), "keep one, case does not matter"))
    } else {
        None
    }
}

/// The value is a secret more often than not, so errors do not repeat it.
fn header_value(reader: &Reader<'_>, name: &str, text: At<'_, &str>) -> Option<String> {
    let path = reader.section.path_of(&format!("headers.{name}"));
    let value = reader.expand(&path, text)?;
    if !rules::is_header_value(&value) {
        let message = format!("`{path}` has a character that a header cannot carry");
        reader.section.fail(text.origin, message, "keep to visible ASCII on one line");
        return None;
    }
    Some(value)
}

fn explain(error: &ExpandError, path: &str) -> (String, String) {
    match error {
        ExpandError::Unclosed => {
            (format!("`${{` without `}}` in `{path}`"), "close it, or write `$${` for the characters".to_owned())
        }
        ExpandError::BadName(name) => (
            format!("illegal variable name {} in `{path}`", quoted(name)),
            "write `${NAME}` or `${NAME:-default}`".to_owned(),
        ),
        ExpandError::Missing(name) => (
            format!("environment variable `{name}` is not set, `{path}` needs it"),
            format!("export it, or write `${{{name}:-default}}`"),
        ),
    }
}

/// Checks every item before giving up, so that each mistake is told.
pub(super) fn all<T, U>(items: Vec<T>, check: impl FnMut(T) -> Option<U>) -> Option<Vec<U>> {
    let checked: Vec<Option<U>> = items.into_iter().map(check).collect();
    checked.into_iter().collect()
}
