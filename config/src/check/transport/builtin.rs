//! `builtin`: an upstream that is part of the gateway.

use crate::check::reader::Reader;
use crate::config::Transport;
use crate::error::quoted;
use crate::section::Section;

const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

pub(super) fn check(reader: &Reader<'_>) -> Option<Transport> {
    let name = reader.section.text("builtin")?;
    if name.value != "context" {
        let message = format!("unknown builtin {}", quoted(name.value));
        reader.section.fail(name.origin, message, "use `context`");
        return None;
    }
    let max_file_bytes = max_file_bytes(reader.section);
    let root = reader.folder("root");
    Some(Transport::Context { root: root?, max_file_bytes: max_file_bytes? })
}

pub(super) fn max_file_bytes(section: &Section<'_>) -> Option<u64> {
    section.integer("max_file_bytes", 1..=MAX_FILE_BYTES).map(|bytes| bytes.value)
}
