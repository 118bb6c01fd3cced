//! What the target writes at temperature 0. The whole sequence is run again for each token: slow, and hard to get wrong.

use crate::{draft::best, error::Result, model::Target};

/// Adds `n` tokens to each prompt; all prompts are of one length.
pub(super) fn greedy(target: &Target, mut rows: Vec<Vec<u32>>, n: usize) -> Result<Vec<Vec<u32>>> {
    for _ in 0..n {
        let length = rows.first().map_or(0, Vec::len);
        let positions: Vec<u32> = rows.iter().flat_map(|_| 0..length as u32).collect();
        let hidden = target.run(&rows, &target.angles(&positions))?;
        let last = hidden.states.narrow(1, length - 1, 1)?.contiguous()?;
        let logits: Vec<Vec<f32>> = target.logits(&last)?.to_vec2()?;
        for (row, logits) in rows.iter_mut().zip(logits) {
            row.push(best(&logits));
        }
    }
    Ok(rows)
}
