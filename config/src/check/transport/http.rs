//! `url`: a server that speaks streamable HTTP.

use indexmap::IndexMap;

use super::reader::{Reader, all};
use crate::check::rules;
use crate::config::Transport;
use crate::error::quoted;
use crate::redact;
use crate::section::At;

pub(super) fn check(reader: &Reader<'_>) -> Option<Transport> {
    let url = reader.section.text("url").and_then(|text| url(reader, text));
    let headers = headers(reader);
    Some(Transport::Http { url: url?, headers: headers? })
}

fn url(reader: &Reader<'_>, text: At<'_, &str>) -> Option<String> {
    let path = reader.section.path_of("url");
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

fn headers(reader: &Reader<'_>) -> Option<IndexMap<String, String>> {
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
