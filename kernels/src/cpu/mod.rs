//! The reference backend: plain loops with shapes, SIMD without `unsafe`, and a pool of threads.
//!
//! One file per operation. No operation depends on how many rows or threads there are: each number of an output is summed
//! in one fixed order.

mod attention;
mod embedding;
mod exp;
mod matmul;
mod pages;
mod rms_norm;
mod rope;
mod swiglu;
mod weight;

use fearless_simd::Level;
use rayon::prelude::*;

pub(crate) use self::weight::f16_to;
pub use self::{pages::Pages, weight::Weight};
use crate::{
    Error,
    backend::{Backend, Format, Heads, Matrix, PageShape, Queries},
};

/// Multiply-adds below which a second thread costs more than it saves.
const MIN_PARALLEL: usize = 200_000;

/// This machine's processor.
pub struct Cpu {
    level: Level,
    pool: Option<rayon::ThreadPool>,
    n_threads: usize,
}

impl std::fmt::Debug for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cpu").field("level", &self.level).field("n_threads", &self.n_threads).finish()
    }
}

impl Cpu {
    /// A backend of `n_threads` threads; one thread needs no pool.
    ///
    /// # Errors
    /// [`Error::Busy`] if the system gives no threads.
    pub fn new(n_threads: usize) -> Result<Self, Error> {
        let pool = (n_threads > 1)
            .then(|| rayon::ThreadPoolBuilder::new().num_threads(n_threads).build())
            .transpose()
            .map_err(|error| Error::Busy(format!("no {n_threads} threads ({error}); ask for fewer")))?;
        Ok(Self { level: Level::new(), pool, n_threads: n_threads.max(1) })
    }

    /// Runs tasks that cost `work` multiply-adds together.
    fn each<T: Send>(&self, work: usize, tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
        if self.is_parallel(work) { tasks.into_par_iter().for_each(run) } else { tasks.into_iter().for_each(run) }
    }

    fn is_parallel(&self, work: usize) -> bool {
        self.pool.is_some() && work >= MIN_PARALLEL && rayon::current_thread_index().is_some()
    }
}

impl Backend for Cpu {
    type Buffer = Vec<f32>;
    type Weight = Weight;
    type Pages = Pages;

    fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    fn weight(&self, matrix: &Matrix<'_>, keep: Format) -> Result<Weight, Error> {
        Weight::new(matrix, keep)
    }

    fn weight_bytes(&self, weight: &Weight) -> usize {
        weight.n_bytes()
    }

    fn select_rows(&self, weight: &Weight, rows: &[u32]) -> Result<Weight, Error> {
        Ok(weight.select(rows))
    }

    fn buffer(&self, n: usize) -> Vec<f32> {
        vec![0.0; n]
    }

    fn upload(&self, values: &[f32]) -> Vec<f32> {
        values.to_vec()
    }

    fn download(&self, buffer: &Vec<f32>, n: usize) -> Vec<f32> {
        buffer[..n].to_vec()
    }

    fn pages(&self, shape: PageShape, n_pages: usize) -> Result<Pages, Error> {
        Pages::new(shape, n_pages)
    }

    fn embed(&self, table: &Weight, ids: &[u32], out: &mut Vec<f32>) {
        embedding::embed(table, ids, out);
    }

    fn rms_norm(&self, x: &Vec<f32>, weight: &Vec<f32>, eps: f32, n: usize, out: &mut Vec<f32>) {
        let n_numbers = n * weight.len();
        out[..n_numbers].copy_from_slice(&x[..n_numbers]);
        self.rms_norm_in_place(out, weight, eps, n);
    }

    fn rms_norm_in_place(&self, x: &mut Vec<f32>, weight: &Vec<f32>, eps: f32, n: usize) {
        rms_norm::rms_norm(self, &mut x[..n * weight.len()], weight, eps);
    }

    fn matmul(&self, weight: &Weight, bias: Option<&Vec<f32>>, x: &Vec<f32>, n: usize, out: &mut Vec<f32>) {
        matmul::matmul(
            self,
            weight,
            bias.map(Vec::as_slice),
            &x[..n * weight.n_cols()],
            &mut out[..n * weight.n_rows()],
        );
    }

    fn add(&self, x: &mut Vec<f32>, y: &Vec<f32>, n_numbers: usize) {
        for (x, y) in x[..n_numbers].iter_mut().zip(y) {
            *x += y;
        }
    }

    fn swiglu(&self, gate: &mut Vec<f32>, up: &Vec<f32>, n_numbers: usize) {
        swiglu::swiglu(self, &mut gate[..n_numbers], &up[..n_numbers]);
    }

    fn rope(&self, x: &mut Vec<f32>, turns: &Vec<f32>, n_heads: usize, head_dim: usize, n: usize) {
        rope::rope(&mut x[..n * n_heads * head_dim], turns, n_heads, head_dim);
    }

    fn store(&self, pages: &mut Pages, layer: usize, slots: &[u32], keys: &Vec<f32>, values: &Vec<f32>) {
        pages.store(layer, slots, keys, values);
    }

    fn copy_slots(&self, pages: &mut Pages, moves: &[(u32, u32)]) {
        pages.copy_slots(moves);
    }

    fn attend(&self, pages: &Pages, at: Heads, q: &Vec<f32>, queries: &Queries, out: &mut Vec<f32>) {
        let width = at.n_heads * pages.shape().head_dim;
        let inputs = attention::Inputs { pages, layer: at.layer, q, queries, width };
        attention::attend(self, &inputs, &mut out[..queries.rows.len() * width]);
    }

    fn take_rows(&self, x: &Vec<f32>, rows: &[u32], width: usize, out: &mut Vec<f32>) {
        for (&row_idx, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
            out.copy_from_slice(&x[row_idx as usize * width..][..width]);
        }
    }
}
