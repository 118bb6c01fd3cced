//! out (n, n_rows) = x (n, n_cols) · weightᵀ + bias, for one row of x or many.
//!
//! Each number is a sum over 16 lanes, block after block, whatever the number of rows: with many rows of x, four rows of
//! the weight are unpacked once and then multiplied with six rows of x at a time. A plain step reads each weight once and
//! is bound by memory; a tree of 8 nodes costs little more.

use std::ops::Range;

use fearless_simd::{Bytes, Select, Simd, SimdBase, SimdFloat, dispatch, f32x16, i8x64, u16x32, u32x16};

use super::{
    Cpu,
    weight::{BLOCK, Numbers, Weight},
};

/// Rows of the weight that are multiplied together.
const ROWS: usize = 4;

/// Rows of x that are multiplied together: with four of the weight, 24 sums in 32 registers.
const ACTS: usize = 6;

/// Rows of x between which a weight stays unpacked; at 2,048 columns they fill half of a second-level cache.
const ACT_BLOCK: usize = 48;

/// Tasks for each thread, so that a thread that was held up does not hold up the others.
const TASKS_PER_THREAD: usize = 2;

/// A part of the product: some rows of the weight, and where their numbers go in each row of the output.
struct Task<'a> {
    rows: Range<usize>,
    out: Vec<&'a mut [f32]>,
}

pub(super) fn matmul(cpu: &Cpu, weight: &Weight, bias: Option<&[f32]>, x: &[f32], out: &mut [f32]) {
    let (n_rows, n_cols, stride) = (weight.n_rows(), weight.n_cols(), weight.stride());
    if n_rows == 0 || n_cols == 0 {
        return;
    }
    let n = x.len() / n_cols;
    let work = n * n_rows * stride;
    let n_tasks = if cpu.is_parallel(work) { cpu.n_threads * TASKS_PER_THREAD } else { 1 };
    let n_task_rows = n_rows.div_ceil(n_tasks).next_multiple_of(ROWS);
    let padded;
    let x = if stride == n_cols {
        x
    } else {
        padded = pad(x, n_cols, stride);
        &padded
    };
    let run = |mut task: Task<'_>| {
        dispatch!(cpu.level, s => product(s, weight, x, &mut task));
        if let Some(bias) = bias {
            add_bias(&mut task, bias);
        }
    };
    cpu.each(work, split(out, n_rows, n_task_rows), run);
}

fn pad(x: &[f32], n_cols: usize, stride: usize) -> Vec<f32> {
    let mut padded = vec![0.0; x.len() / n_cols * stride];
    for (from, to) in x.chunks_exact(n_cols).zip(padded.chunks_exact_mut(stride)) {
        to[..n_cols].copy_from_slice(from);
    }
    padded
}

fn split(out: &mut [f32], n_rows: usize, n_task_rows: usize) -> Vec<Task<'_>> {
    let starts = (0..n_rows).step_by(n_task_rows);
    let mut tasks: Vec<Task<'_>> =
        starts.map(|it| Task { rows: it..(it + n_task_rows).min(n_rows), out: Vec::new() }).collect();
    for row in out.chunks_exact_mut(n_rows) {
        for (task, part) in tasks.iter_mut().zip(row.chunks_mut(n_task_rows)) {
            task.out.push(part);
        }
    }
    tasks
}

fn add_bias(task: &mut Task<'_>, bias: &[f32]) {
    for out in &mut task.out {
        for (out, bias) in out.iter_mut().zip(&bias[task.rows.clone()]) {
            *out += bias;
        }
    }
}

#[inline(always)]
fn product<S: Simd>(s: S, weight: &Weight, x: &[f32], task: &mut Task<'_>) {
    let stride = weight.stride();
    match weight.numbers() {
        Numbers::F32(it) => part(s, &F32(it), stride, x, task),
        Numbers::F16(it) => part(s, &F16(it), stride, x, task),
        Numbers::Bf16(it) => part(s, &Bf16(it), stride, x, task),
        Numbers::Int8(it, scales) => part(s, &Int8(it, scales), stride, x, task),
    }
}

#[inline(always)]
fn part<S: Simd, R: Rows>(s: S, rows: &R, stride: usize, x: &[f32], task: &mut Task<'_>) {
    if task.out.len() == 1 { one(s, rows, stride, x, task) } else { many(s, rows, stride, x, task) }
}

/// Rows of numbers, read a block at a time.
trait Rows {
    fn block<S: Simd>(&self, s: S, at: usize) -> [f32x16<S>; 4];

    /// The numbers themselves where they are f32 already.
    fn floats(&self, _range: Range<usize>) -> Option<&[f32]> {
        None
    }
}

struct F32<'a>(&'a [f32]);
struct F16<'a>(&'a [u16]);
struct Bf16<'a>(&'a [u16]);
struct Int8<'a>(&'a [i8], &'a [f32]);

impl Rows for F32<'_> {
    #[inline(always)]
    fn block<S: Simd>(&self, s: S, at: usize) -> [f32x16<S>; 4] {
        load(s, &self.0[at..at + BLOCK])
    }

    #[inline(always)]
    fn floats(&self, range: Range<usize>) -> Option<&[f32]> {
        Some(&self.0[range])
    }
}

impl Rows for F16<'_> {
    #[inline(always)]
    fn block<S: Simd>(&self, s: S, at: usize) -> [f32x16<S>; 4] {
        let [a, b, c, d] = widen(s, &self.0[at..at + BLOCK]);
        [f16(s, a), f16(s, b), f16(s, c), f16(s, d)]
    }
}

impl Rows for Bf16<'_> {
    #[inline(always)]
    fn block<S: Simd>(&self, s: S, at: usize) -> [f32x16<S>; 4] {
        let [a, b, c, d] = widen(s, &self.0[at..at + BLOCK]);
        [(a << 16).bitcast(), (b << 16).bitcast(), (c << 16).bitcast(), (d << 16).bitcast()]
    }
}

impl Rows for Int8<'_> {
    #[inline(always)]
    fn block<S: Simd>(&self, s: S, at: usize) -> [f32x16<S>; 4] {
        let (low, high) = s.widen_i8x64(i8x64::from_slice(s, &self.0[at..at + BLOCK]));
        let ((a, b), (c, d)) = (s.widen_i16x32(low), s.widen_i16x32(high));
        let scale = f32x16::splat(s, self.1[at / BLOCK]);
        [
            s.cvt_f32_i32x16(a) * scale,
            s.cvt_f32_i32x16(b) * scale,
            s.cvt_f32_i32x16(c) * scale,
            s.cvt_f32_i32x16(d) * scale,
        ]
    }
}

// No closures from here on: they would not be compiled for the processor's vectors until they are inlined.

#[inline(always)]
fn load<S: Simd>(s: S, block: &[f32]) -> [f32x16<S>; 4] {
    [
        f32x16::from_slice(s, &block[..16]),
        f32x16::from_slice(s, &block[16..32]),
        f32x16::from_slice(s, &block[32..48]),
        f32x16::from_slice(s, &block[48..64]),
    ]
}

#[inline(always)]
fn widen<S: Simd>(s: S, block: &[u16]) -> [u32x16<S>; 4] {
    let (a, b) = s.widen_u16x32(u16x32::from_slice(s, &block[..32]));
    let (c, d) = s.widen_u16x32(u16x32::from_slice(s, &block[32..64]));
    [a, b, c, d]
}

/// As `f16_to`, but for infinities. The exponents differ by 112; what is subnormal gets a leading one that is taken away
/// again, since multiplying subnormal numbers costs a hundred cycles.
#[inline(always)]
fn f16<S: Simd>(s: S, bits: u32x16<S>) -> f32x16<S> {
    let sign = (bits & u32x16::splat(s, 0x8000)) << 16;
    let magnitude = (bits & u32x16::splat(s, 0x7fff)) << 13;
    let normal = magnitude + u32x16::splat(s, 112 << 23);
    let shifted = (magnitude + u32x16::splat(s, 113 << 23)).bitcast::<f32x16<S>>();
    let subnormal = (shifted - f32x16::splat(s, f32::from_bits(113 << 23))).bitcast::<u32x16<S>>();
    let is_subnormal = magnitude.simd_lt(u32x16::splat(s, 1 << 23));
    (sign | is_subnormal.select(subnormal, normal)).bitcast()
}

/// One row of x: the weight goes through registers once.
#[inline(always)]
fn one<S: Simd, R: Rows>(s: S, rows: &R, stride: usize, x: &[f32], task: &mut Task<'_>) {
    let (start, n_rows) = (task.rows.start, task.rows.len());
    for first in (0..n_rows).step_by(ROWS) {
        // The last rows may be fewer; then one of them is computed several times.
        let at: [usize; ROWS] = std::array::from_fn(|idx| (start + (first + idx).min(n_rows - 1)) * stride);
        let mut sums = [f32x16::splat(s, 0.0); ROWS];
        for (block_idx, x) in x.as_chunks::<BLOCK>().0.iter().enumerate() {
            let x = load(s, x);
            for (sum, at) in sums.iter_mut().zip(at) {
                let w = rows.block(s, at + block_idx * BLOCK);
                for (w, x) in w.into_iter().zip(x) {
                    *sum = w.mul_add(x, *sum);
                }
            }
        }
        for (out, sum) in task.out[0][first..].iter_mut().zip(sums) {
            *out = total(sum);
        }
    }
}

/// Several rows of x: four rows of the weight are unpacked for all of them.
#[inline(always)]
fn many<S: Simd, R: Rows>(s: S, rows: &R, stride: usize, x: &[f32], task: &mut Task<'_>) {
    let mut unpacked = vec![0.0; ROWS * stride];
    let n_rows = task.rows.len();
    for (block_idx, x) in x.chunks(ACT_BLOCK * stride).enumerate() {
        for first in (0..n_rows).step_by(ROWS) {
            let n_panel = ROWS.min(n_rows - first);
            let at = (task.rows.start + first) * stride;
            let panel = match rows.floats(at..at + n_panel * stride) {
                Some(floats) => floats,
                None => {
                    unpack(s, rows, at, &mut unpacked[..n_panel * stride]);
                    &unpacked[..n_panel * stride]
                }
            };
            let panel: [&[f32]; ROWS] = std::array::from_fn(|idx| &panel[idx.min(n_panel - 1) * stride..][..stride]);
            let out = &mut task.out[block_idx * ACT_BLOCK..];
            for (x, out) in x.chunks(ACTS * stride).zip(out.chunks_mut(ACTS)) {
                tile(s, panel, x, out, first);
            }
        }
    }
}

#[inline(always)]
fn unpack<S: Simd, R: Rows>(s: S, rows: &R, at: usize, out: &mut [f32]) {
    for (block_idx, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        for (numbers, out) in rows.block(s, at + block_idx * BLOCK).into_iter().zip(out.as_chunks_mut::<16>().0) {
            numbers.store_array(out);
        }
    }
}

#[inline(always)]
fn tile<S: Simd>(s: S, panel: [&[f32]; ROWS], x: &[f32], out: &mut [&mut [f32]], first: usize) {
    match out.len() {
        1 => sized_tile::<S, 1>(s, panel, x, out, first),
        2 => sized_tile::<S, 2>(s, panel, x, out, first),
        3 => sized_tile::<S, 3>(s, panel, x, out, first),
        4 => sized_tile::<S, 4>(s, panel, x, out, first),
        5 => sized_tile::<S, 5>(s, panel, x, out, first),
        _ => sized_tile::<S, ACTS>(s, panel, x, out, first),
    }
}

#[inline(always)]
fn sized_tile<S: Simd, const N: usize>(s: S, panel: [&[f32]; ROWS], x: &[f32], out: &mut [&mut [f32]], first: usize) {
    let n_blocks = panel[0].len() / 16;
    let w = panel.map(|it| &it.as_chunks::<16>().0[..n_blocks]);
    let x: [&[[f32; 16]]; N] = std::array::from_fn(|idx| &x.as_chunks::<16>().0[idx * n_blocks..][..n_blocks]);
    let mut sums = [[f32x16::splat(s, 0.0); ROWS]; N];
    for block_idx in 0..n_blocks {
        let mut row = [f32x16::splat(s, 0.0); ROWS];
        for (row, w) in row.iter_mut().zip(w) {
            *row = f32x16::load_array_ref(s, &w[block_idx]);
        }
        for (sums, x) in sums.iter_mut().zip(x) {
            let x = f32x16::load_array_ref(s, &x[block_idx]);
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum = w.mul_add(x, *sum);
            }
        }
    }
    for (sums, out) in sums.into_iter().zip(out) {
        for (out, sum) in out[first..].iter_mut().zip(sums) {
            *out = total(sum);
        }
    }
}

/// The lanes in one fixed order.
#[inline(always)]
fn total<S: Simd>(sum: f32x16<S>) -> f32 {
    let lanes = sum.to_array();
    let quarter: [f32; 4] =
        std::array::from_fn(|idx| (lanes[idx] + lanes[idx + 8]) + (lanes[idx + 4] + lanes[idx + 12]));
    (quarter[0] + quarter[2]) + (quarter[1] + quarter[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Format, Matrix};

    /// A product by rows that were unpacked one by one, in f64.
    fn check(format: Format, numbers: &[f32], n_cols: usize, tolerance: f64) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let n_rows = numbers.len() / n_cols;
        let matrix = Matrix { n_rows, n_cols, format: Format::F32, bytes: &bytes };
        let weight = Weight::new(&matrix, format).unwrap();
        let cpu = Cpu::new(1).unwrap();
        let x: Vec<f32> = (0..n_cols * 8).map(|it| (it as f32 * 0.37).sin()).collect();
        let mut all = vec![0.0; 8 * n_rows];
        matmul(&cpu, &weight, None, &x, &mut all);
        let mut row = vec![0.0; n_cols];
        for (x, out) in x.chunks_exact(n_cols).zip(all.chunks_exact(n_rows)) {
            let mut alone = vec![0.0; n_rows];
            matmul(&cpu, &weight, None, x, &mut alone);
            assert_eq!(alone, out, "{format:?}: a row alone and with others");
            for (row_idx, out) in out.iter().enumerate() {
                weight.row_into(row_idx, &mut row);
                let expected: f64 = row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                let size: f64 = row.iter().map(|it| f64::from(it.abs())).sum();
                assert!((f64::from(*out) - expected).abs() <= tolerance * size, "{format:?}: {out} and {expected}");
            }
        }
    }

    #[test]
    fn all_formats_multiply_what_they_hold() {
        // Sizes from subnormal halves to large ones.
        let numbers: Vec<f32> = (0..7 * 150).map(|it| (it as f32 * 0.7).cos() * 10_f32.powi(it % 9 - 7)).collect();
        for format in [Format::F32, Format::F16, Format::Bf16, Format::Int8] {
            check(format, &numbers, 150, 1e-6);
            check(format, &numbers[..128], 64, 1e-6);
            let tiny: Vec<f32> = numbers.iter().map(|it| it * 1e-7).collect();
            check(format, &tiny, 75, 1e-6);
        }
    }
}
