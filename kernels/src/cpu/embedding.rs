//! out (n, width) = rows of a table.

use super::Weight;

/// Ids outside the table are refused where a request comes in.
pub(super) fn embed(table: &Weight, ids: &[u32], out: &mut [f32]) {
    for (&id, out) in ids.iter().zip(out.chunks_exact_mut(table.n_cols())) {
        table.row_into(id as usize, out);
    }
}
