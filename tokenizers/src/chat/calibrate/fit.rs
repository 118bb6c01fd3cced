//! A robust line through reports: medians only, so that fewer than half of the reports can be anything at all.

/// An estimate and what the provider charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Sample(pub u32, pub u32);

/// `actual = ratio * predicted + offset`, and how far off that was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    ratio: f64,
    offset: f64,
    /// Nine of ten residuals, relative to the estimate, are not above this.
    spread: f64,
    /// How much of the correction is believed: a single report is not proof.
    weight: f64,
}

/// What each further degree of freedom must gain, as a share of the error.
const DOUBT: f64 = 0.25;

/// From so many reports on, their median is taken; fewer must agree.
const LEAST_FOR_MEDIAN: usize = 4;

/// From so many reports on, a ratio and an offset can be told from each other.
const LEAST_FOR_LINE: usize = 5;

impl Fit {
    /// The best of no correction, a pure offset, a pure ratio, and a line by Theil and Sen (Sen 1968). A correction must
    /// earn its place: with typical errors alike, the simpler one stays.
    pub fn of(samples: &[Sample]) -> Self {
        let weight = samples.len() as f64 / (samples.len() as f64 + 0.5);
        let offset = cautious(samples.iter().map(|sample| actual(sample) - predicted(sample)).collect());
        let ratio = 1.0 + cautious(samples.iter().map(|sample| actual(sample) / predicted(sample) - 1.0).collect());
        let lines = [(1.0, 0.0), (1.0, offset), (ratio, 0.0)].into_iter().chain(line(samples));
        let rated = lines.enumerate().map(|(idx, (ratio, offset))| {
            let (error, fit) = Self { ratio, offset, spread: 0.0, weight }.rated(samples);
            (error * (1.0 + DOUBT * idx as f64), fit)
        });
        let best = rated.min_by(|(a, _), (b, _)| a.total_cmp(b));
        best.map_or(Self { ratio: 1.0, offset: 0.0, spread: 1.0, weight: 0.0 }, |(_, fit)| fit)
    }

    /// The corrected estimate.
    pub fn apply(self, tokens: usize) -> f64 {
        let tokens = tokens as f64;
        tokens + self.weight * (self.ratio * tokens + self.offset - tokens)
    }

    /// How far off it may be.
    pub fn bound(self, tokens: usize) -> usize {
        (self.spread * tokens as f64).ceil().clamp(1.0, 1e12) as usize
    }

    /// The typical error, and the fit with its spread. Few reports say little about the worst case.
    fn rated(mut self, samples: &[Sample]) -> (f64, Self) {
        let residual =
            |sample: &Sample| (self.ratio * predicted(sample) + self.offset - actual(sample)).abs() / predicted(sample);
        let mut residuals: Vec<f64> = samples.iter().map(residual).collect();
        residuals.sort_by(f64::total_cmp);
        let worst = residuals.get(residuals.len() * 9 / 10).or(residuals.last()).copied().unwrap_or(1.0);
        let few = 0.1 / samples.len().max(1) as f64;
        self.spread = worst * 2.0f64.powf(1.0 / samples.len().max(1) as f64) + few;
        (residuals.iter().sum::<f64>().min(1e9), self)
    }
}

fn predicted(sample: &Sample) -> f64 {
    f64::from(sample.0)
}

fn actual(sample: &Sample) -> f64 {
    f64::from(sample.1)
}

/// The median of all slopes between two reports that are far enough apart, and the median offset for it.
fn line(samples: &[Sample]) -> Option<(f64, f64)> {
    if samples.len() < LEAST_FOR_LINE {
        return None;
    }
    let mut slopes = Vec::new();
    for (idx, a) in samples.iter().enumerate() {
        let apart = samples[idx + 1..].iter().filter(|b| (predicted(b) - predicted(a)).abs() >= 8.0);
        slopes.extend(apart.map(|b| (actual(b) - actual(a)) / (predicted(b) - predicted(a))));
    }
    if slopes.len() < samples.len() {
        return None;
    }
    let slope = median(slopes).clamp(0.5, 2.0);
    let offset = median(samples.iter().map(|sample| actual(sample) - slope * predicted(sample)).collect());
    Some((slope, offset))
}

/// The median of many values; of few, the one nearest to zero, and zero where they do not agree on the direction.
fn cautious(values: Vec<f64>) -> f64 {
    if values.len() >= LEAST_FOR_MEDIAN {
        return median(values);
    }
    let agree = values.iter().all(|value| *value > 0.0) || values.iter().all(|value| *value < 0.0);
    let nearest = values.into_iter().min_by(|a, b| a.abs().total_cmp(&b.abs()));
    nearest.filter(|_| agree).unwrap_or(0.0)
}

/// Zero for no values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(*value, values[middle - 1]),
    }
}
