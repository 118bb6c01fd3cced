//! Tests of all formats together.

mod canonical;
mod edits;
mod recorded;
mod requests;
mod responses;
mod streams;
mod texts;

use super::*;

/// Ids and times that every test uses.
fn asked() -> Asked {
    Asked { id: "0".to_owned(), created: 1_700_000_000, has_usage: true, ..Asked::default() }
}

fn target() -> Target {
    Target { max_output_tokens: Some(4_096), ..Target::default() }
}
