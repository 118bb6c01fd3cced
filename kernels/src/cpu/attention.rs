//! Attention of queries over pages of keys and values, and over paths of a tree.
//!
//! Positions come in tiles of [`PAGE`]; a tile's softmax is merged into what went before by its maximum and its sum, which
//! is the log-sum-exp merge of hybrid tree attention (LongSpec, section 3.4) in its online form. Whole tiles of the prefix
//! are shared by all rows of a sequence, without masks. What is left of the prefix and the path of a node form the last
//! tiles. A position falls into the same tile and the same lane whether it is in the prefix or on a path, so that a
//! verified node gets the bits that plain decoding would have given.

use fearless_simd::{Simd, SimdBase, SimdFloat, dispatch, f32x16};

use super::{
    Cpu,
    exp::exp,
    pages::{Pages, padded},
};
use crate::backend::{PAGE, Queries, Query};

/// Rows that go through the pages together.
const ROW_BLOCK: usize = 16;

/// Rows of one sequence and one head of keys, with their outputs (group, head_dim).
struct Task<'a> {
    kv_head: usize,
    first_row: usize,
    out: Vec<&'a mut [f32]>,
}

/// What a task reads.
pub(super) struct Inputs<'a> {
    pub(super) pages: &'a Pages,
    pub(super) layer: usize,
    /// (n, n_heads, head_dim)
    pub(super) q: &'a [f32],
    pub(super) queries: &'a Queries,
    /// Numbers of a row of q.
    pub(super) width: usize,
}

/// The softmax of one query so far.
#[derive(Clone)]
struct State {
    max: f32,
    sum: f32,
    /// (padded head_dim): values, not yet divided by the sum.
    values: Vec<f32>,
}

/// out (n, n_heads, head_dim)
pub(super) fn attend(cpu: &Cpu, inputs: &Inputs<'_>, out: &mut [f32]) {
    let (queries, width) = (inputs.queries, inputs.width);
    let seen: usize = queries.rows.iter().map(|it| (it.end + it.path.len()).saturating_sub(it.start)).sum();
    let tasks = split(out, queries, width, inputs.pages.shape().n_kv_heads);
    cpu.each(seen * width * 2, tasks, |mut task| dispatch!(cpu.level, s => run(s, inputs, &mut task)));
}

/// Blocks of rows that share a page table, for each head of keys.
fn split<'a>(out: &'a mut [f32], queries: &Queries, width: usize, n_kv_heads: usize) -> Vec<Task<'a>> {
    let mut tasks: Vec<Task<'a>> = Vec::new();
    let mut first = 0;
    for (row_idx, row) in out.chunks_exact_mut(width).enumerate() {
        let is_new =
            row_idx == 0 || row_idx - first == ROW_BLOCK || queries.rows[row_idx].table != queries.rows[first].table;
        if is_new {
            first = row_idx;
            tasks.extend((0..n_kv_heads).map(|kv_head| Task { kv_head, first_row: row_idx, out: Vec::new() }));
        }
        let at = tasks.len() - n_kv_heads;
        for (task, part) in tasks[at..].iter_mut().zip(row.chunks_exact_mut(width / n_kv_heads)) {
            task.out.push(part);
        }
    }
    tasks
}

#[inline(always)]
fn run<S: Simd>(s: S, inputs: &Inputs<'_>, task: &mut Task<'_>) {
    let head_dim = inputs.pages.shape().head_dim;
    let group = task.out[0].len() / head_dim;
    let rows = &inputs.queries.rows[task.first_row..task.first_row + task.out.len()];
    let fresh = State { max: f32::NEG_INFINITY, sum: 0.0, values: vec![0.0; padded(head_dim)] };
    let mut states = vec![fresh; rows.len() * group];
    let head = Head { s, inputs, kv_head: task.kv_head, head_dim, scale: 1.0 / (head_dim as f32).sqrt() };
    let first_tile = rows.iter().map(|it| it.start / PAGE).min().unwrap_or(0);
    let last_tile = rows.iter().map(|it| it.end / PAGE).max().unwrap_or(0);
    for tile in first_tile..last_tile {
        for (row_idx, row) in rows.iter().enumerate() {
            if tile >= row.start / PAGE && tile < row.end / PAGE {
                head.whole_tile(row, tile, task.first_row + row_idx, &mut states[row_idx * group..][..group]);
            }
        }
    }
    for (row_idx, row) in rows.iter().enumerate() {
        head.last_tiles(row, task.first_row + row_idx, &mut states[row_idx * group..][..group]);
    }
    for (out, states) in task.out.iter_mut().zip(states.chunks_exact(group)) {
        for (out, state) in out.chunks_exact_mut(head_dim).zip(states) {
            finish(out, state);
        }
    }
}

fn finish(out: &mut [f32], state: &State) {
    let scale = if state.sum > 0.0 { 1.0 / state.sum } else { 0.0 };
    for (out, value) in out.iter_mut().zip(&state.values) {
        *out = value * scale;
    }
}

/// One head of keys and values.
struct Head<'a, S> {
    s: S,
    inputs: &'a Inputs<'a>,
    kv_head: usize,
    head_dim: usize,
    scale: f32,
}

impl<S: Simd> Head<'_, S> {
    /// Query `head` (of the group) of a row.
    #[inline(always)]
    fn query(&self, row_idx: usize, group: usize, head: usize) -> &[f32] {
        let at = row_idx * self.inputs.width + (self.kv_head * group + head) * self.head_dim;
        &self.inputs.q[at..at + self.head_dim]
    }

    #[inline(always)]
    fn whole_tile(&self, row: &Query, tile: usize, row_idx: usize, states: &mut [State]) {
        let page = self.inputs.queries.tables[row.table.start + tile] as usize;
        let (keys, values) = self.inputs.pages.head(self.inputs.layer, page, self.kv_head);
        let from = row.start.saturating_sub(tile * PAGE);
        let width = padded(self.head_dim);
        let group = states.len();
        for (head, state) in states.iter_mut().enumerate() {
            let scores = self.scores(self.query(row_idx, group, head), keys);
            self.absorb(state, scores, from..PAGE, |offset| &values[offset * width..][..width]);
        }
    }

    /// The end of the prefix and the path.
    #[inline(always)]
    fn last_tiles(&self, row: &Query, row_idx: usize, states: &mut [State]) {
        let slots = self.last_slots(row);
        let from = row.start.saturating_sub(row.end / PAGE * PAGE);
        let group = states.len();
        for (head, state) in states.iter_mut().enumerate() {
            let query = self.query(row_idx, group, head);
            let mut scored = (u32::MAX, [0.0; PAGE]);
            for (tile_idx, slots) in slots.chunks(PAGE).enumerate() {
                let mut scores = [0.0; PAGE];
                for (score, &slot) in scores.iter_mut().zip(slots) {
                    let page = slot / PAGE as u32;
                    if scored.0 != page {
                        let keys = self.inputs.pages.head(self.inputs.layer, page as usize, self.kv_head).0;
                        scored = (page, self.scores(query, keys));
                    }
                    *score = scored.1[slot as usize % PAGE];
                }
                let from = from.saturating_sub(tile_idx * PAGE);
                self.absorb(state, scores, from..slots.len(), |idx| self.value(slots[idx]));
            }
        }
    }

    fn last_slots(&self, row: &Query) -> Vec<u32> {
        let n_left = row.end % PAGE;
        let mut slots = Vec::with_capacity(n_left + row.path.len());
        if n_left > 0 {
            let page = self.inputs.queries.tables[row.table.start + row.end / PAGE];
            slots.extend((0..n_left as u32).map(|offset| page * PAGE as u32 + offset));
        }
        slots.extend(&self.inputs.queries.paths[row.path.clone()]);
        slots
    }

    #[inline(always)]
    fn value(&self, slot: u32) -> &[f32] {
        let values = self.inputs.pages.head(self.inputs.layer, slot as usize / PAGE, self.kv_head).1;
        let width = padded(self.head_dim);
        &values[slot as usize % PAGE * width..][..width]
    }

    /// Products of a query with the keys (head_dim, PAGE) of a page.
    #[inline(always)]
    fn scores(&self, query: &[f32], keys: &[f32]) -> [f32; PAGE] {
        let s = self.s;
        let zero = f32x16::splat(s, 0.0);
        let (mut even, mut odd) = ([zero; 2], [zero; 2]);
        let (pairs, last) = query.as_chunks::<2>();
        let (key_pairs, last_key) = keys.as_chunks::<{ 2 * PAGE }>();
        for ([q0, q1], keys) in pairs.iter().zip(key_pairs) {
            let (q0, q1) = (f32x16::splat(s, *q0), f32x16::splat(s, *q1));
            even[0] = q0.mul_add(f32x16::from_slice(s, &keys[..16]), even[0]);
            even[1] = q0.mul_add(f32x16::from_slice(s, &keys[16..32]), even[1]);
            odd[0] = q1.mul_add(f32x16::from_slice(s, &keys[32..48]), odd[0]);
            odd[1] = q1.mul_add(f32x16::from_slice(s, &keys[48..64]), odd[1]);
        }
        for (q, keys) in last.iter().zip(last_key.as_chunks::<PAGE>().0) {
            let q = f32x16::splat(s, *q);
            even[0] = q.mul_add(f32x16::from_slice(s, &keys[..16]), even[0]);
            even[1] = q.mul_add(f32x16::from_slice(s, &keys[16..32]), even[1]);
        }
        let scale = f32x16::splat(s, self.scale);
        let mut scores = [0.0; PAGE];
        ((even[0] + odd[0]) * scale).store_slice(&mut scores[..16]);
        ((even[1] + odd[1]) * scale).store_slice(&mut scores[16..]);
        scores
    }

    /// Merges the lanes `seen` of a tile into a state.
    #[inline(always)]
    fn absorb<'v>(
        &self,
        state: &mut State,
        mut scores: [f32; PAGE],
        seen: std::ops::Range<usize>,
        value: impl Fn(usize) -> &'v [f32],
    ) {
        if seen.is_empty() {
            return;
        }
        scores[..seen.start].fill(f32::NEG_INFINITY);
        scores[seen.end..].fill(f32::NEG_INFINITY);
        let s = self.s;
        let (low, high) = (f32x16::from_slice(s, &scores[..16]), f32x16::from_slice(s, &scores[16..]));
        let max = low.max(high).to_array().into_iter().fold(state.max, f32::max);
        let shift = f32x16::splat(s, max);
        let (low, high) = (exp(s, low - shift), exp(s, high - shift));
        let old = if state.sum > 0.0 { exp(s, f32x16::splat(s, state.max - max)).to_array()[0] } else { 0.0 };
        low.store_slice(&mut scores[..16]);
        high.store_slice(&mut scores[16..]);
        state.sum = state.sum * old + (low + high).to_array().iter().sum::<f32>();
        state.max = max;
        for (block_idx, values) in state.values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let mut sums = f32x16::load_array_ref(s, values) * f32x16::splat(s, old);
            for idx in seen.clone() {
                let value = f32x16::from_slice(s, &value(idx)[block_idx * 16..block_idx * 16 + 16]);
                sums = value.mul_add(f32x16::splat(s, scores[idx]), sums);
            }
            sums.store_array(values);
        }
    }
}
