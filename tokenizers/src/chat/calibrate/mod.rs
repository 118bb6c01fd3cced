//! Learns from what providers charge: each request's true cost corrects the estimates of later ones.
//!
//! Memory is bounded, and so is what a wrong or hostile report can do: a correction is a median of the last reports of
//! requests of the same kind, and never leaves a fixed range around the estimate.

mod fit;
mod subject;

use std::collections::HashMap;

use super::count::RequestCount;
use fit::{Fit, Sample};
use subject::Key;

pub use subject::Subject;

/// Keys that are remembered; the one not used for longest goes first.
const MOST_KEYS: usize = 512;

/// Reports that are remembered for a key.
const MOST_SAMPLES: usize = 24;

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
    /// From how many reports this was learnt; none leave the count as it was.
    pub n_samples: usize,
}

/// What was learnt so far. It serialises, so that it outlives the process.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Calibrator {
    tracks: HashMap<Key, Track>,
    clock: u64,
}

/// The last reports about one key, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Track {
    used: u64,
    samples: Vec<Sample>,
}

impl Calibrator {
    /// Takes down that a request estimated at `predicted` tokens cost `actual`.
    pub fn observe(&mut self, subject: &Subject, predicted: usize, actual: usize) {
        let Some(sample) = plausible(predicted, actual) else { return };
        self.clock = self.clock.saturating_add(1);
        for (key, _) in subject.keys() {
            self.make_room(&key);
            let track = self.tracks.entry(key).or_default();
            track.used = self.clock;
            track.samples.push(sample);
            if track.samples.len() > MOST_SAMPLES {
                track.samples.remove(0);
            }
        }
    }

    /// The count as earlier reports correct it: those about the same tools, else the same model, else its family.
    #[must_use]
    pub fn correct(&self, subject: &Subject, count: &RequestCount) -> Corrected {
        let learnt = subject.keys().into_iter().find_map(|(key, least)| {
            let samples = &self.tracks.get(&key)?.samples;
            (samples.len() >= least).then_some(samples)
        });
        let Some(samples) = learnt else {
            return Corrected { tokens: count.total, error_bound: count.error_bound, n_samples: 0 };
        };
        let fit = Fit::of(samples);
        let error_bound = count.error_bound.map(|_| fit.bound(count.total));
        Corrected { tokens: clamped(fit.apply(count.total), count.total), error_bound, n_samples: samples.len() }
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
        if let Some(oldest) = self.tracks.iter().min_by_key(|(_, track)| track.used).map(|(key, _)| key.clone()) {
            self.tracks.remove(&oldest);
        }
    }
}

fn plausible(predicted: usize, actual: usize) -> Option<Sample> {
    let reach = |tokens: usize| tokens.saturating_mul(MOST_RATIO).saturating_add(MOST_OFFSET);
    let sound = predicted > 0 && actual > 0 && actual <= reach(predicted) && predicted <= reach(actual);
    sound.then(|| Some(Sample(u32::try_from(predicted).ok()?, u32::try_from(actual).ok()?)))?
}

fn clamped(corrected: f64, predicted: usize) -> usize {
    let most = predicted.saturating_mul(MOST_RATIO).saturating_add(MOST_OFFSET);
    (corrected.round().max(0.0) as usize).clamp(predicted / MOST_RATIO, most)
}

/// The form in which it is kept: JSON takes no structures as keys.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Saved {
    clock: u64,
    tracks: Vec<(Key, Track)>,
}

impl From<Calibrator> for Saved {
    fn from(from: Calibrator) -> Self {
        let mut tracks: Vec<_> = from.tracks.into_iter().collect();
        tracks.sort_by(|a, b| (b.1.used, &a.0).cmp(&(a.1.used, &b.0)));
        Self { clock: from.clock, tracks }
    }
}

/// A file may have been edited: limits hold for it as well.
impl From<Saved> for Calibrator {
    fn from(saved: Saved) -> Self {
        let sound = |sample: Sample| plausible(sample.0 as usize, sample.1 as usize);
        let tracks = saved.tracks.into_iter().take(MOST_KEYS).map(|(key, track)| {
            let samples = track.samples.into_iter().filter_map(sound).take(MOST_SAMPLES).collect();
            (key, Track { used: track.used.min(saved.clock), samples })
        });
        Self { tracks: tracks.collect(), clock: saved.clock }
    }
}
