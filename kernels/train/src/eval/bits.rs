//! How well the target predicts: bits for each byte of text.

use tollgate_tokenizers::Tokenizer;

use crate::{
    corpus::Stream,
    error::Result,
    model::Target,
    ops::{CrossEntropy, Labels},
};

/// What was measured.
pub(super) struct Bits {
    pub(super) bits_per_byte: f64,
    pub(super) n_bytes: usize,
}

/// Up to `n` windows of `length` tokens and one, spread over the stream, that do not overlap.
pub(super) fn windows(stream: &Stream, length: usize, n: usize) -> Vec<Vec<u32>> {
    let all: Vec<&[u32]> = stream.tokens.chunks_exact(length + 1).collect();
    let every = all.len().div_ceil(n.max(1)).max(1);
    all.into_iter().step_by(every).map(<[u32]>::to_vec).collect()
}

/// The first token of a window is given, the others are predicted.
pub(super) fn per_byte(target: &Target, tokenizer: Tokenizer, windows: &[Vec<u32>]) -> Result<Bits> {
    let (mut nats, mut n_bytes) = (0.0, 0);
    for window in windows {
        let (input, next) = (window[..window.len() - 1].to_vec(), &window[1..]);
        let positions: Vec<u32> = (0..input.len() as u32).collect();
        let hidden = target.run(&[input], &target.angles(&positions))?;
        let labels = Labels::Hard(next.iter().map(|it| Some(*it)).collect());
        let loss = target.logits(&hidden.states)?.apply_op1(CrossEntropy(labels))?.to_scalar::<f32>()?;
        nats += f64::from(loss) * next.len() as f64;
        n_bytes += next.iter().filter_map(|it| tokenizer.token(*it)).map(<[u8]>::len).sum::<usize>();
    }
    Ok(Bits { bits_per_byte: nats / std::f64::consts::LN_2 / n_bytes.max(1) as f64, n_bytes })
}
