//! Tasks to scores, with models that can be had for nothing.
//!
//! Architecture invariant: as in the planners, everything here is synchronous, does no IO and reads no clock.

pub mod metrics;
pub mod sim;
