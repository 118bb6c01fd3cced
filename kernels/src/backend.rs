//! The operations that a decoder needs, over memory of a device. No autograd, and no general tensors.
//!
//! Every operation works on the first `n` rows of its buffers, row-major, in f32. A backend computes each row in an order
//! that does not depend on the other rows: that is what makes speculative decoding exact to the bit.

use std::ops::Range;

use crate::Error;

/// Tokens in one page of keys and values, and in one tile of attention.
pub const PAGE: usize = 32;

/// How the numbers of a matrix are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 32-bit floats.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of an f32.
    Bf16,
    /// 8-bit integers with one f32 scale for each 64 numbers of a row.
    Int8,
}

/// A matrix as it lies in a file, little-endian.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Numbers of the output.
    pub n_rows: usize,
    /// Numbers of the input.
    pub n_cols: usize,
    /// `F32`, `F16` or `Bf16`.
    pub format: Format,
    /// `n_rows * n_cols` numbers.
    pub bytes: &'a [u8],
}

/// What the pages of a cache hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageShape {
    /// Layers that keep keys and values.
    pub n_layers: usize,
    /// Heads of keys and values.
    pub n_kv_heads: usize,
    /// Numbers of a head.
    pub head_dim: usize,
}

/// What one row of queries attends to: positions `start..end` of a sequence, then the slots of a path in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The sequence's page table, as a range of [`Queries::tables`].
    pub table: Range<usize>,
    /// The first position that is seen; later than 0 under a sliding window, and then perhaps on the path.
    pub start: usize,
    /// One past the last position that is seen.
    pub end: usize,
    /// Ancestors in the tree and the node itself, root first, as a range of [`Queries::paths`]. They count as the
    /// positions from `end`.
    pub path: Range<usize>,
}

/// The visibility of a batch. A slot is a page's number times [`PAGE`] plus an offset in it.
#[derive(Debug, Clone, Default)]
pub struct Queries {
    /// One for each row.
    pub rows: Vec<Query>,
    /// Page numbers, sequence after sequence.
    pub tables: Vec<u32>,
    /// Slots of tree nodes, path after path.
    pub paths: Vec<u32>,
}

/// Where queries look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// The layer of the pages.
    pub layer: usize,
    /// Heads of queries, a multiple of those of keys.
    pub n_heads: usize,
}

/// A device that can run a decoder.
pub trait Backend: Send + Sync {
    /// Numbers on the device.
    type Buffer: Send + Sync;
    /// A matrix on the device, in one of the formats.
    type Weight: Send + Sync;
    /// Pages of keys and values for all layers.
    type Pages: Send + Sync;

    /// Runs the operations of a step where they cost least.
    fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        work()
    }

    /// Stores a matrix, converted to `keep`.
    ///
    /// # Errors
    /// [`Error::Model`] if the device has no room.
    fn weight(&self, matrix: &Matrix<'_>, keep: Format) -> Result<Self::Weight, Error>;

    /// What a product with this matrix reads, in bytes.
    fn weight_bytes(&self, weight: &Self::Weight) -> usize;

    /// The rows of a matrix that are named by `rows`, in that order.
    ///
    /// # Errors
    /// [`Error::Model`] if the device has no room.
    fn select_rows(&self, weight: &Self::Weight, rows: &[u32]) -> Result<Self::Weight, Error>;

    /// Room for `n` numbers, which are zero.
    fn buffer(&self, n: usize) -> Self::Buffer;

    /// Numbers from the host.
    fn upload(&self, values: &[f32]) -> Self::Buffer;

    /// The first `n` numbers, to the host.
    fn download(&self, buffer: &Self::Buffer, n: usize) -> Vec<f32>;

    /// Room for `n_pages` pages.
    ///
    /// # Errors
    /// [`Error::Model`] if the device has no room.
    fn pages(&self, shape: PageShape, n_pages: usize) -> Result<Self::Pages, Error>;

    /// out (n, n_cols) = the rows `ids` of the table.
    fn embed(&self, table: &Self::Weight, ids: &[u32], out: &mut Self::Buffer);

    /// out (n, width) = x / sqrt(mean(x²) + eps) * weight, for rows of the weight's width.
    fn rms_norm(&self, x: &Self::Buffer, weight: &Self::Buffer, eps: f32, n: usize, out: &mut Self::Buffer);

    /// The same in place, for `n` rows.
    fn rms_norm_in_place(&self, x: &mut Self::Buffer, weight: &Self::Buffer, eps: f32, n: usize);

    /// out (n, n_rows) = x (n, n_cols) · weightᵀ + bias.
    fn matmul(
        &self,
        weight: &Self::Weight,
        bias: Option<&Self::Buffer>,
        x: &Self::Buffer,
        n: usize,
        out: &mut Self::Buffer,
    );

    /// x (n_numbers) += y.
    fn add(&self, x: &mut Self::Buffer, y: &Self::Buffer, n_numbers: usize);

    /// gate (n_numbers) = gate · sigmoid(gate) · up.
    fn swiglu(&self, gate: &mut Self::Buffer, up: &Self::Buffer, n_numbers: usize);

    /// Turns the halves of each head of x (n, n_heads, head_dim) by the angles of its row; `turns` (n, head_dim) holds
    /// the cosines of a row, then its sines.
    fn rope(&self, x: &mut Self::Buffer, turns: &Self::Buffer, n_heads: usize, head_dim: usize, n: usize);

    /// Puts keys and values (n, n_kv_heads, head_dim) into one layer's slots.
    fn store(&self, pages: &mut Self::Pages, layer: usize, slots: &[u32], keys: &Self::Buffer, values: &Self::Buffer);

    /// Copies slots of all layers, in order: `(from, to)`.
    fn copy_slots(&self, pages: &mut Self::Pages, moves: &[(u32, u32)]);

    /// out (n, n_heads, head_dim) = attention of q over what `queries` says, in one layer.
    fn attend(&self, pages: &Self::Pages, at: Heads, q: &Self::Buffer, queries: &Queries, out: &mut Self::Buffer);

    /// out (n, width) = the rows of x that are named.
    fn take_rows(&self, x: &Self::Buffer, rows: &[u32], width: usize, out: &mut Self::Buffer);
}
