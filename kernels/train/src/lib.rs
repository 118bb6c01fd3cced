//! Trains small targets and LongSpec drafts on the CPU, and writes what the engine loads. Nothing of it is in the product.

pub mod adamw;
pub mod chat;
pub mod checkpoint;
pub mod corpus;
pub mod curves;
pub mod data;
pub mod draft;
pub mod error;
pub mod eval;
pub mod looped;
pub mod model;
pub mod ops;
pub mod progress;
pub mod target;
#[cfg(test)]
mod testing;
pub mod tokenizer;
