//! Grouped-query attention in blocks of queries, so that long sequences need neither the upper half of the scores nor
//! all of them at once.

use candle_core::{Result, Tensor};

use crate::ops::{CausalSoftmax, Sight};

/// Queries of a block.
const BLOCK: usize = 256;

/// q (batch, n_heads, length, head_dim), k and v (batch, n_kv_heads, length, head_dim); the result is shaped as q.
///
/// # Errors
/// If the shapes do not fit.
pub fn attend(q: &Tensor, k: &Tensor, v: &Tensor, sight: Sight) -> Result<Tensor> {
    let (_, _, length, _) = q.dims4()?;
    let starts = (0..length).step_by(BLOCK);
    let blocks: Vec<Tensor> = starts.map(|start| block(q, (k, v), start, sight)).collect::<Result<_>>()?;
    match &*blocks {
        [one] => Ok(one.clone()),
        many => Tensor::cat(many, 2),
    }
}

fn block(q: &Tensor, (k, v): (&Tensor, &Tensor), start: usize, sight: Sight) -> Result<Tensor> {
    let (batch, n_heads, length, head_dim) = q.dims4()?;
    let (_, n_kv_heads, _, _) = k.dims4()?;
    let n_queries = BLOCK.min(length - start);
    let end = sight.keys(start + n_queries - 1).end;
    let first_key = sight.keys(start).start.min(end);
    let n_keys = (end - first_key).max(1);
    let groups = batch * n_kv_heads;
    let rows = (groups, n_heads / n_kv_heads * n_queries, head_dim);
    let part = |it: &Tensor| it.narrow(2, first_key, n_keys)?.reshape((groups, n_keys, head_dim));
    let q = q.narrow(2, start, n_queries)?.reshape(rows)?;
    let (k, v) = (part(k)?, part(v)?);
    let scale = (head_dim as f32).sqrt().recip();
    let softmax = CausalSoftmax { sight, scale, n_queries, first_query: start, first_key };
    let out = q.matmul(&k.t()?)?.apply_op1(softmax)?.matmul(&v)?;
    out.reshape((batch, n_heads, n_queries, head_dim))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// One query at a time, in plain loops.
    fn oracle(q: &Tensor, k: &Tensor, v: &Tensor, sight: Sight) -> Vec<f32> {
        let (batch, n_heads, length, head_dim) = q.dims4().unwrap();
        let group = n_heads / k.dims4().unwrap().1;
        let row = |it: &Tensor, b: usize, h: usize, at: usize| -> Vec<f32> {
            it.get(b).unwrap().get(h).unwrap().get(at).unwrap().to_vec1().unwrap()
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let mut out = Vec::new();
        for (b, h, at) in (0..batch).flat_map(|b| (0..n_heads).flat_map(move |h| (0..length).map(move |at| (b, h, at))))
        {
            let query = row(q, b, h, at);
            let scores =
                sight.keys(at).map(|key| (dot(&query, &row(k, b, h / group, key)) / (head_dim as f32).sqrt()).exp());
            let scores: Vec<f32> = scores.collect();
            let mut sum = vec![0.0; head_dim];
            for (key, score) in sight.keys(at).zip(&scores) {
                for (sum, value) in sum.iter_mut().zip(row(v, b, h / group, key)) {
                    *sum += score / scores.iter().sum::<f32>() * value;
                }
            }
            out.extend(sum);
        }
        out
    }

    #[test]
    fn blocks_equal_one_query_at_a_time() {
        for (length, shift, window) in [(5, 0, None), (5, 3, None), (300, 1, None), (300, 0, Some(7)), (530, 4, None)] {
            let random = |heads| Tensor::randn(0_f32, 1.0, (1, heads, length, 4), &Device::Cpu).unwrap();
            let (q, k, v) = (random(2), random(1), random(1));
            let sight = Sight { shift, window };
            let own: Vec<f32> = attend(&q, &k, &v, sight).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            for (at, (own, plain)) in own.iter().zip(oracle(&q, &k, &v, sight)).enumerate() {
                assert!((own - plain).abs() < 1e-5, "{length} {sight:?} at {at}: {own} and {plain}");
            }
        }
    }
}
