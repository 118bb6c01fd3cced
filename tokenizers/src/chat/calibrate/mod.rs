//! Learns from what providers charge: each request's true cost corrects the estimates of later ones.
//!
//! Memory is bounded, and so is what a wrong or hostile report can do: a correction is a median of the last reports of
//! requests of the same kind, and never leaves a fixed range around the estimate. What was learnt depends on which reports
//! are remembered, not on their order.

mod bound;
mod fit;
mod state;
mod subject;

use std::collections::BTreeMap;

use super::count::{Kind, RequestCount};
use fit::{Fit, Pair, Sample};
use subject::Key;

pub use state::StateError;
pub use subject::Subject;

/// Keys that are remembered, of which a subject has up to three; the one not reported for longest goes first.
pub const MOST_KEYS: usize = 512;

/// Different reports that are remembered for a key.
const MOST_SAMPLES: usize = 24;

/// A rule that is exact elsewhere is not doubted for less.
const LEAST_AGAINST_A_RULE: usize = 3;

/// A report further off than this is a mistake, or about another request.
const MOST_RATIO: usize = 4;
const MOST_OFFSET: usize = 2048;

/// A count after correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrected {
    /// The tokens.
    pub tokens: usize,
    /// How far off they may be, nine times of ten; `None` where nothing bounds it.
    pub error_bound: Option<usize>,
    /// How many reports the closest key had; none leave the count as it was.
    pub n_samples: usize,
}

/// What was learnt so far. [`Calibrator::to_bytes`] lets it outlive the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibrator {
    tracks: BTreeMap<Key, Track>,
    clock: u64,
}

/// The last reports about one key, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Track {
    used: u64,
    samples: Vec<Sample>,
}

impl Track {
    /// The same request sent again is no further evidence.
    fn add(&mut self, sample: Sample) {
        self.samples.retain(|it| *it != sample);
        self.samples.push(sample);
        if self.samples.len() > MOST_SAMPLES {
            self.samples.remove(0);
        }
    }
}

impl Calibrator {
    /// Takes down that a request estimated at `estimated` tokens was charged as `charged`. Reports that cannot be true are
    /// dropped.
    pub fn observe(&mut self, subject: &Subject, estimated: usize, charged: usize) {
        let Some(sample) = plausible(estimated, charged) else { return };
        self.clock = self.clock.saturating_add(1);
        for (key, _) in subject.keys() {
            self.make_room(&key);
            let track = self.tracks.entry(key).or_default();
            track.used = self.clock;
            track.add(sample);
        }
    }

    /// The count as earlier reports correct it: those about the family, then what those about the same model and the same
    /// tools say of the rest, each as far as it has reports.
    #[must_use]
    pub fn correct(&self, subject: &Subject, count: &RequestCount) -> Corrected {
        let mut fits: Vec<Fit> = Vec::new();
        let mut n_samples = 0;
        let mut bound = count.error_bound.map_or(0.0, |bound| bound as f64 / fit::usual(count.total as f64));
        for (key, least) in subject.keys().into_iter().rev() {
            let least = if count.kind == Kind::ExactRule { least.max(LEAST_AGAINST_A_RULE) } else { least };
            let Some(track) = self.tracks.get(&key).filter(|track| track.samples.len() >= least) else { continue };
            let pairs: Vec<Pair> = track.samples.iter().map(|sample| corrected(&fits, *sample)).collect();
            let fit = Fit::of(&pairs);
            bound = bound::of(&pairs, fit, bound);
            n_samples = pairs.len();
            fits.push(fit);
        }
        if n_samples == 0 {
            return Corrected { tokens: count.total, error_bound: count.error_bound, n_samples };
        }
        let tokens = through(&fits, count.total as f64);
        let error_bound = count.error_bound.map(|_| (bound * fit::usual(tokens)).round().min(1e12) as usize);
        Corrected { tokens: clamped(tokens, count.total), error_bound, n_samples }
    }

    /// How many keys it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Whether it has learnt nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    fn make_room(&mut self, key: &Key) {
        if self.tracks.len() < MOST_KEYS || self.tracks.contains_key(key) {
            return;
        }
        if let Some(oldest) =
            self.tracks.iter().min_by_key(|(key, track)| (track.used, *key)).map(|(key, _)| key.clone())
        {
            self.tracks.remove(&oldest);
        }
    }
}

fn through(fits: &[Fit], estimated: f64) -> f64 {
    fits.iter().fold(estimated, |tokens, fit| fit.apply(tokens)).max(1.0)
}

fn corrected(fits: &[Fit], sample: Sample) -> Pair {
    Pair { estimated: through(fits, f64::from(sample.0)), charged: f64::from(sample.1) }
}

fn plausible(estimated: usize, charged: usize) -> Option<Sample> {
    let reach = |tokens: usize| tokens.saturating_mul(MOST_RATIO).saturating_add(MOST_OFFSET);
    let sound = estimated > 0 && charged > 0 && charged <= reach(estimated) && estimated <= reach(charged);
    sound.then(|| Some(Sample(u32::try_from(estimated).ok()?, u32::try_from(charged).ok()?)))?
}

fn clamped(corrected: f64, estimated: usize) -> usize {
    let most = estimated.saturating_mul(MOST_RATIO).saturating_add(MOST_OFFSET);
    (corrected.round().max(0.0) as usize).clamp(estimated / MOST_RATIO, most)
}
