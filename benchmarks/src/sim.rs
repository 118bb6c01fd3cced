//! Simulated models that answer BatchPrompt's prompts as published measurements say that real ones do.
//!
//! A [`Simulator`] sees what a provider sees, the messages of a chat, and finds the inputs in their text. Whether it
//! answers one rightly is decided by [`model`] from the number of inputs, the place and the order; the right answer
//! itself follows from the input's text (or from labels that it was given). A [`dataset`] is made of texts whose
//! lengths are those of the measurements.

pub mod dataset;
mod drive;
mod faults;
pub mod model;
mod params;
mod provider;
mod read;

pub use dataset::{Dataset, dataset};
pub use drive::drive;
pub use faults::{FaultRates, Injected};
pub use params::{Fit, MODELS, Point};
pub use provider::{Message, Reply, Role, Simulator, UnknownModel};
