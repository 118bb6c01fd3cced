//! Keys and values of all layers, in pages of [`PAGE`] tokens.
//!
//! For each layer, page and head: keys (head_dim, PAGE), so that one vector holds one number of many keys, and then values
//! (PAGE, padded head_dim). The operating system gives the memory only when a page is written.

use crate::{
    Error,
    backend::{PAGE, PageShape},
};

/// The cache's memory.
#[derive(Debug)]
pub struct Pages {
    shape: PageShape,
    n_pages: usize,
    numbers: Vec<f32>,
}

impl Pages {
    pub(super) fn new(shape: PageShape, n_pages: usize) -> Result<Self, Error> {
        let size = [n_pages, shape.n_layers, shape.n_kv_heads, head_size(shape.head_dim)]
            .into_iter()
            .try_fold(1_usize, usize::checked_mul)
            .filter(|it| it.checked_mul(4).is_some_and(|bytes| isize::try_from(bytes).is_ok()))
            .ok_or_else(|| Error::Model(format!("a cache of `{n_pages}` pages is too large; lower its limit")))?;
        Ok(Self { shape, n_pages, numbers: vec![0.0; size] })
    }

    /// What a page takes, in bytes.
    #[must_use]
    pub fn page_bytes(shape: PageShape) -> usize {
        shape.n_layers * shape.n_kv_heads * head_size(shape.head_dim) * 4
    }

    pub(super) fn shape(&self) -> PageShape {
        self.shape
    }

    fn at(&self, layer: usize, page: usize, head: usize) -> usize {
        ((layer * self.n_pages + page) * self.shape.n_kv_heads + head) * head_size(self.shape.head_dim)
    }

    /// Keys (head_dim, PAGE) and values (PAGE, padded head_dim).
    pub(super) fn head(&self, layer: usize, page: usize, head: usize) -> (&[f32], &[f32]) {
        let at = self.at(layer, page, head);
        self.numbers[at..at + head_size(self.shape.head_dim)].split_at(self.shape.head_dim * PAGE)
    }

    pub(super) fn store(&mut self, layer: usize, slots: &[u32], keys: &[f32], values: &[f32]) {
        let PageShape { n_kv_heads, head_dim, .. } = self.shape;
        for (row_idx, &slot) in slots.iter().enumerate() {
            for head in 0..n_kv_heads {
                let from = (row_idx * n_kv_heads + head) * head_dim;
                self.put(layer, slot, head, &keys[from..from + head_dim], &values[from..from + head_dim]);
            }
        }
    }

    fn put(&mut self, layer: usize, slot: u32, head: usize, key: &[f32], value: &[f32]) {
        let head_dim = self.shape.head_dim;
        let (page, offset) = (slot as usize / PAGE, slot as usize % PAGE);
        let at = self.at(layer, page, head);
        for (idx, number) in key.iter().enumerate() {
            self.numbers[at + idx * PAGE + offset] = *number;
        }
        let at = at + head_dim * PAGE + offset * padded(head_dim);
        self.numbers[at..at + head_dim].copy_from_slice(value);
    }

    pub(super) fn copy_slots(&mut self, moves: &[(u32, u32)]) {
        let PageShape { n_layers, n_kv_heads, head_dim } = self.shape;
        for &(from, to) in moves.iter().filter(|(from, to)| from != to) {
            for layer in 0..n_layers {
                for head in 0..n_kv_heads {
                    let (page, offset) = (from as usize / PAGE, from as usize % PAGE);
                    let (keys, values) = self.head(layer, page, head);
                    let key: Vec<f32> = keys[offset..].iter().step_by(PAGE).copied().collect();
                    let value = values[offset * padded(head_dim)..][..head_dim].to_vec();
                    self.put(layer, to, head, &key, &value);
                }
            }
        }
    }
}

/// The length of a value's row.
pub(super) fn padded(head_dim: usize) -> usize {
    head_dim.next_multiple_of(16)
}

fn head_size(head_dim: usize) -> usize {
    (head_dim + padded(head_dim)) * PAGE
}
