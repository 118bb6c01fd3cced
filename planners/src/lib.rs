//! Decisions under a token budget: what enters a model's window, and in how much detail.
//!
//! Architecture invariant: everything here is synchronous, does no IO and reads no clock. A plan is a pure function
//! of its inputs, so equal inputs give equal bytes and a provider's prompt cache stays warm.

pub mod batch;
pub mod budget;
pub mod context;
pub mod tools;
