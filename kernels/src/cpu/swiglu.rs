//! gate = gate · sigmoid(gate) · up, element by element.

use fearless_simd::{Simd, SimdBase, dispatch, f32x16};

use super::{Cpu, exp::exp};

/// What an element costs, in multiply-adds.
const COST: usize = 16;

pub(super) fn swiglu(cpu: &Cpu, gate: &mut [f32], up: &[f32]) {
    let work = gate.len() * COST;
    let n_task =
        if cpu.is_parallel(work) { gate.len().div_ceil(cpu.n_threads * 2).next_multiple_of(16) } else { gate.len() };
    let tasks = gate.chunks_mut(n_task.max(1)).zip(up.chunks(n_task.max(1))).collect();
    cpu.each(work, tasks, |(gate, up)| dispatch!(cpu.level, s => swiglu_part(s, gate, up)));
}

#[inline(always)]
fn swiglu_part<S: Simd>(s: S, gate: &mut [f32], up: &[f32]) {
    let (blocks, rest) = gate.as_chunks_mut::<16>();
    let (up_blocks, up_rest) = up.as_chunks::<16>();
    for (gate, up) in blocks.iter_mut().zip(up_blocks) {
        *gate = block(s, gate, up);
    }
    // The rest goes through the same arithmetic, so that the place of a number does not matter.
    let mut padded = ([0.0; 16], [0.0; 16]);
    padded.0[..rest.len()].copy_from_slice(rest);
    padded.1[..rest.len()].copy_from_slice(up_rest);
    rest.copy_from_slice(&block(s, &padded.0, &padded.1)[..rest.len()]);
}

#[inline(always)]
fn block<S: Simd>(s: S, gate: &[f32; 16], up: &[f32; 16]) -> [f32; 16] {
    let (gate, up) = (f32x16::load_array_ref(s, gate), f32x16::load_array_ref(s, up));
    let one = f32x16::splat(s, 1.0);
    (gate / (one + exp(s, -gate)) * up).to_array()
}
