//! Drafts -> TOML text. Values are written by the `toml` crate; only comments are put around them.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Imported;
use super::server::Draft;
use crate::error::{one_line, quoted};

pub(super) fn write(source_name: &str, drafts: &[Draft], notes: Vec<String>) -> Imported {
    let mut toml = comment(&format!("Imported from {source_name}."));
    toml.extend(notes.iter().map(|note| comment(note)));
    let mut warnings = Vec::new();
    let mut variables = BTreeSet::new();
    for draft in drafts {
        toml.push('\n');
        toml.push_str(&section(draft));
        warnings.extend(draft.notes.iter().map(|note| warning(source_name, draft, note)));
        variables.extend(draft.variables.iter().cloned());
    }
    if drafts.is_empty() {
        warnings.push(one_line(&format!("{source_name}: there are no servers in it")));
    }
    let tables = || drafts.iter().filter_map(|draft| draft.table.as_ref());
    Imported {
        toml,
        notes: notes.iter().map(|note| one_line(&format!("{source_name}: {note}"))).collect(),
        warnings,
        variables,
        n_servers: tables().count(),
        holds_values: tables().any(|table| table.contains_key("env") || table.contains_key("headers")),
    }
}

fn warning(source_name: &str, draft: &Draft, note: &str) -> String {
    one_line(&format!("{source_name}: server {}: {note}", quoted(&draft.name)))
}

fn section(draft: &Draft) -> String {
    let mut text = String::new();
    if draft.name != draft.id || draft.table.is_none() {
        text.push_str(&comment(&format!("Called {} there.", quoted(&draft.name))));
    }
    text.extend(draft.notes.iter().map(|note| comment(note)));
    text.extend(draft.table.as_ref().map(|table| document(&draft.id, table)));
    text
}

fn document(id: &str, upstream: &Table) -> String {
    let upstreams = Table::from_iter([(id.to_owned(), Value::Table(upstream.clone()))]);
    Table::from_iter([("upstreams".to_owned(), Value::Table(upstreams))]).to_string()
}

/// On one line: a comment that breaks would no longer be one.
fn comment(text: &str) -> String {
    format!("# {}\n", one_line(text))
}
