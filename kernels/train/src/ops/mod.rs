//! Operations with gradients of their own, each one pass over memory. candle's fused ones have no backward pass and would
//! cut the graph without a word; its plain ones go through memory several times.

mod causal_softmax;
mod cross_entropy;
mod exp;
mod heads;
mod rms_norm;
mod swiglu;

use candle_core::{CpuStorage, Layout, Result, Shape, Storage, Tensor};

pub use self::{
    causal_softmax::{CausalSoftmax, Sight},
    cross_entropy::{CrossEntropy, Labels},
    heads::{Angles, MergeHeads, SplitHeads},
    rms_norm::RmsNorm,
    swiglu::SwiGlu,
};

/// The numbers of a contiguous argument.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| candle_core::Error::Msg("an argument is not contiguous; call `contiguous` first".to_owned()))?;
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Calls `body` with the numbers of a tensor, which are copied only where they do not lie in order.
pub(crate) fn with_numbers<T>(tensor: &Tensor, body: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => body(numbers(storage, layout)?),
        _ => Err(candle_core::Error::Msg("a tensor is not on the CPU; train on the CPU".to_owned())),
    }
}

fn stored(values: Vec<f32>, shape: &Shape) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.clone())
}

fn tensor(values: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, like.shape(), like.device())
}

#[cfg(test)]
mod tests;
