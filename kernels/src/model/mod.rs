//! Models: what a configuration says, what files hold, and how a decoder computes. Never where the files come from.

mod config;
mod decoder;
mod rotary;
mod safetensors;

pub(crate) use self::decoder::{Linear, Loader};
pub use self::{
    config::{Config, Scaling},
    decoder::{Batch, Decoder, Scratch},
    rotary::Rotary,
    safetensors::{Tensor, Tensors, shard_names},
};
