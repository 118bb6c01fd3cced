//! Rotary positions: x (n, n_heads, head_dim), each pair (i, i + half) turned by its row's angle i.

/// `turns` (n, head_dim): the cosines of a row's angles, then their sines.
pub(super) fn rope(x: &mut [f32], turns: &[f32], n_heads: usize, head_dim: usize) {
    let half = head_dim / 2;
    for (row, turns) in x.chunks_exact_mut(n_heads * head_dim).zip(turns.chunks_exact(head_dim)) {
        let (cosines, sines) = turns.split_at(half);
        for head in row.chunks_exact_mut(head_dim) {
            let (low, high) = head.split_at_mut(half);
            for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cosines).zip(sines) {
                (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
            }
        }
    }
}
