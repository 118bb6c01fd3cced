//! Code, texts and data as context.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod binaries;
mod outlines;
mod packs;
