//! The local engine: token ids in, token ids out, by speculative decoding that loses nothing.
//!
//! Architecture invariant: nothing here knows text, reads files or asks for the time. Models come in as bytes, clocks and
//! seeds as arguments. A row of numbers is computed in the same order whatever else is in the batch, so that plain
//! decoding, chunked prefill, reused prefixes and verified trees give the same bits.

pub mod backend;
pub mod cache;
pub mod cpu;
pub mod draft;
pub mod engine;
mod error;
pub mod model;
pub mod sample;
pub mod tree;
pub mod verify;

pub use error::Error;
