//! A robust correction learnt from reports: medians only, so that fewer than half of the reports can be anything at all.

/// An estimate and what the provider charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Sample(pub u32, pub u32);

/// An estimate as wider corrections left it, and what was charged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub estimated: f64,
    pub charged: f64,
}

/// `charged = ratio * estimated + offset`, believed as far as `weight`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    ratio: f64,
    offset: f64,
    weight: f64,
}

/// What each further degree of freedom must gain, as a share of the error.
const DOUBT: f64 = 0.25;

/// From so many reports on, their median is taken; fewer must agree.
const LEAST_FOR_MEDIAN: usize = 4;

/// From so many reports on, a ratio and an offset can be told from each other.
const LEAST_FOR_LINE: usize = 6;

/// Errors beyond this many usual ones count as this many.
const WORST: f64 = 5.0;

/// The usual error before anything is known of it, and the reports that this is worth.
const PRIOR_ERROR: f64 = 0.5;
const PRIOR_REPORTS: f64 = 1.0;

/// The error that a count of so many tokens usually has: half a token and two in a hundred. It makes errors of short and of
/// long requests comparable.
pub(super) fn usual(tokens: f64) -> f64 {
    0.5 + 0.02 * tokens
}

const NONE: Fit = Fit { ratio: 1.0, offset: 0.0, weight: 0.0 };

type Form = fn(&[Pair]) -> Option<Fit>;

/// No correction, a pure offset, a pure ratio, and a line; the simplest first.
const FORMS: [Form; 4] = [|_| Some(NONE), offset, ratio, line];

impl Fit {
    /// The form that foretells each report best from the others, shrunk towards no correction where reports scatter more
    /// than they differ from the estimates (empirical Bayes; Efron and Morris 1975).
    pub fn of(pairs: &[Pair]) -> Self {
        let rated = FORMS.iter().enumerate().filter_map(|(idx, form)| {
            let fit = form(pairs)?;
            let errors = held_out(pairs, *form)?;
            let sum: f64 = errors.iter().map(|error| error.min(WORST)).sum();
            Some((sum * (1.0 + DOUBT * idx as f64), fit, errors))
        });
        let best = rated.min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(NONE, |(_, fit, errors)| fit.shrunk(pairs, errors))
    }

    /// The corrected estimate.
    pub fn apply(self, estimated: f64) -> f64 {
        estimated + self.weight * (self.ratio * estimated + self.offset - estimated)
    }

    fn shrunk(self, pairs: &[Pair], errors: Vec<f64>) -> Self {
        let n = pairs.len() as f64;
        let full = Self { weight: 1.0, ..self };
        let effect = |pair: &Pair| (full.apply(pair.estimated) - pair.estimated).abs() / usual(pair.estimated);
        let effect = median(pairs.iter().map(effect).collect());
        let error = if pairs.len() < 2 { 0.0 } else { median(errors) };
        let noise = (n * error * error + PRIOR_REPORTS * PRIOR_ERROR * PRIOR_ERROR) / (n + PRIOR_REPORTS);
        let signal = n * effect * effect;
        Self { weight: if signal > 0.0 { signal / (signal + noise) } else { 0.0 }, ..self }
    }
}

/// The error of each report under what the others say; a single report is held against itself.
fn held_out(pairs: &[Pair], form: Form) -> Option<Vec<f64>> {
    if pairs.len() < 2 {
        return pairs.iter().map(|pair| Some(error(form(pairs)?, pair))).collect();
    }
    let without = |idx: usize| {
        let others: Vec<Pair> = pairs.iter().enumerate().filter(|(at, _)| *at != idx).map(|(_, pair)| *pair).collect();
        Some(error(form(&others)?, &pairs[idx]))
    };
    (0..pairs.len()).map(without).collect()
}

fn error(fit: Fit, pair: &Pair) -> f64 {
    let corrected = Fit { weight: 1.0, ..fit }.apply(pair.estimated);
    (corrected - pair.charged).abs() / usual(pair.estimated)
}

#[expect(clippy::unnecessary_wraps, reason = "one of the forms, of which others need more reports")]
fn offset(pairs: &[Pair]) -> Option<Fit> {
    Some(Fit { offset: cautious(pairs.iter().map(|pair| pair.charged - pair.estimated).collect()), ..NONE })
}

#[expect(clippy::unnecessary_wraps, reason = "one of the forms, of which others need more reports")]
fn ratio(pairs: &[Pair]) -> Option<Fit> {
    let ratio = 1.0 + cautious(pairs.iter().map(|pair| pair.charged / pair.estimated - 1.0).collect());
    Some(Fit { ratio, ..NONE })
}

/// The median of all slopes between two reports that are far enough apart, and the median offset for it (Sen 1968).
fn line(pairs: &[Pair]) -> Option<Fit> {
    if pairs.len() + 1 < LEAST_FOR_LINE {
        return None;
    }
    let mut slopes = Vec::new();
    for (idx, a) in pairs.iter().enumerate() {
        let apart = pairs[idx + 1..].iter().filter(|b| (b.estimated - a.estimated).abs() >= 8.0);
        slopes.extend(apart.map(|b| (b.charged - a.charged) / (b.estimated - a.estimated)));
    }
    if slopes.len() < pairs.len() {
        return None;
    }
    let ratio = median(slopes).clamp(0.5, 2.0);
    let offset = median(pairs.iter().map(|pair| pair.charged - ratio * pair.estimated).collect());
    Some(Fit { ratio, offset, ..NONE })
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
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(*value, values[middle - 1]),
    }
}
