//! `builtin`: an upstream that is part of the gateway.

use crate::check::{reader::Reader, upstream::globs};
use crate::config::Transport;
use crate::error::quoted;
use crate::section::Section;

const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

pub(super) fn check(reader: &Reader<'_>) -> Option<Transport> {
    let name = reader.section.text("builtin")?;
    match name.value {
        "context" => context(reader),
        "batch" => batch(reader),
        _ => {
            let message = format!("unknown builtin {}", quoted(name.value));
            reader.section.fail(name.origin, message, "use `context` or `batch`");
            None
        }
    }
}

fn context(reader: &Reader<'_>) -> Option<Transport> {
    without(reader, "models", "batch");
    let max_file_bytes = max_file_bytes(reader.section);
    let root = reader.folder("root");
    Some(Transport::Context { root: root?, max_file_bytes: max_file_bytes? })
}

/// Which models it may ask is said and not assumed, since asking costs money.
fn batch(reader: &Reader<'_>) -> Option<Transport> {
    without(reader, "root", "context");
    let section = reader.section;
    section.require("models")?;
    globs(section, "models").map(|models| Transport::Batch { models })
}

fn without(reader: &Reader<'_>, key: &'static str, owner: &str) {
    if let Some(node) = reader.section.own(key) {
        let message = format!("`{}` does not go with this builtin", reader.section.path_of(key));
        reader.section.fail(&node.key_origin, message, format!("remove it, it belongs to `{owner}`"));
    }
}

pub(super) fn max_file_bytes(section: &Section<'_>) -> Option<u64> {
    section.integer("max_file_bytes", 1..=MAX_FILE_BYTES).map(|bytes| bytes.value)
}
