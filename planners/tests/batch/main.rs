//! BatchPrompt's state machine, driven by models of a few lines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod answers;
mod hostile;
mod properties;
mod resume;
mod rules;
mod support;
