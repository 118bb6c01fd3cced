//! Training of a Binary BPE vocabulary: the pair of tokens that is most often side by side becomes a token, again and
//! again. What is learned is a function of the set of chunks, the options and the seed; neither the order of files nor
//! the number of threads changes it.

mod field;
mod learn;
mod pairs;
mod sample;

pub use sample::{CHUNK_BYTES, Sample};

use super::merges::Merges;

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Merges to learn; fewer where nothing is left that is frequent enough.
    pub n_merges: usize,
    /// How often a pair must occur.
    pub least_count: u32,
    /// The longest token, in bytes.
    pub longest_token: u8,
    /// No token ends in ASCII white space unless it is nothing else, as the `bbpe` crate has it.
    pub no_trailing_space: bool,
    /// Threads to work with.
    pub n_threads: usize,
}

impl Default for TrainOptions {
    /// What the published family is trained with, but for its rule on white space.
    fn default() -> Self {
        Self { n_merges: super::MOST_MERGES, least_count: 4, longest_token: 32, no_trailing_space: false, n_threads: 1 }
    }
}

/// How far training is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Merges that were learned.
    pub n_merges: usize,
    /// How often the last one's pair occurred.
    pub count: u32,
}

/// Learns merges from `sample`, which is used up; `watch` is called now and then.
#[must_use]
pub fn train(sample: Sample, options: &TrainOptions, watch: impl FnMut(Progress)) -> Merges {
    let chunks = sample.into_chunks();
    learn::learn(field::Field::new(chunks), options, watch)
}
