//! Targets and drafts as candle graphs, by the names of their files' tensors.

mod attention;
mod config;
mod draft;
mod layer;
mod target;
mod weights;

pub use self::{
    attention::attend,
    config::Config,
    draft::{Draft, Seen, WINDOW},
    target::{Hidden, Target},
    weights::{Parameters, Weights, save_half},
};
