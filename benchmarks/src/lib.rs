//! Tasks to scores, with models that can be had for nothing.
//!
//! Architecture invariant: as in the planners, everything here is synchronous, does no IO and reads no clock.

pub mod arm;
pub mod compare;
pub mod episode;
pub mod host;
mod meta;
pub mod metrics;
pub mod random;
pub mod record;
pub mod report;
pub mod runner;
mod schema;
pub mod score;
pub mod scripted;
pub mod sim;
pub mod suite;
pub mod suites;
pub mod summary;
pub mod table;
pub mod task;
pub mod trace;
