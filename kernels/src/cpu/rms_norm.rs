//! x (n, width) = x / sqrt(mean(x²) + eps) * weight.

use fearless_simd::{Simd, SimdBase, SimdFloat, dispatch, f32x16};

use super::Cpu;

pub(super) fn rms_norm(cpu: &Cpu, x: &mut [f32], weight: &[f32], eps: f32) {
    let work = x.len() * 2;
    let n_rows = x.len() / weight.len().max(1);
    let n_task_rows = if cpu.is_parallel(work) { n_rows.div_ceil(cpu.n_threads * 2) } else { n_rows };
    let tasks = x.chunks_mut((n_task_rows * weight.len()).max(1)).collect();
    cpu.each(work, tasks, |rows| dispatch!(cpu.level, s => norm_rows(s, rows, weight, eps)));
}

#[inline(always)]
fn norm_rows<S: Simd>(s: S, x: &mut [f32], weight: &[f32], eps: f32) {
    for row in x.chunks_exact_mut(weight.len()) {
        let mean = square_sum(s, row) / row.len() as f32;
        let scale = 1.0 / (mean + eps).sqrt();
        for (x, weight) in row.iter_mut().zip(weight) {
            *x = *x * scale * weight;
        }
    }
}

#[inline(always)]
fn square_sum<S: Simd>(s: S, row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<16>();
    let mut sums = f32x16::splat(s, 0.0);
    for block in blocks {
        let x = f32x16::load_array_ref(s, block);
        sums = x.mul_add(x, sums);
    }
    sums.to_array().iter().sum::<f32>() + rest.iter().map(|it| it * it).sum::<f32>()
}
