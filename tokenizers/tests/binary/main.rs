//! Binary BPE against the trainer and the encoder that others know it by.

#![expect(clippy::unwrap_used, reason = "a reference that cannot be made ends the test")]

mod corpus;
mod encode;
mod files;
mod rendering;
mod training;
