//! Means with their intervals, and how far a series lies from another.

/// The mean of `values`, and half of its 95 % interval (Student's; the quantile by its expansion around the
/// normal: Abramowitz and Stegun, 26.7.5).
#[must_use]
pub fn mean_interval(values: &[f64]) -> (f64, f64) {
    let n_values = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n_values.max(1.0);
    let freedom = n_values - 1.0;
    if freedom < 1.0 {
        return (mean, f64::INFINITY);
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom;
    let normal: f64 = 1.959_964;
    let first = (normal.powi(3) + normal) / 4.0;
    let second = (5.0 * normal.powi(5) + 16.0 * normal.powi(3) + 3.0 * normal) / 96.0;
    let quantile = normal + first / freedom + second / freedom.powi(2);
    (mean, quantile * (variance / n_values).sqrt())
}

/// The root of the mean squared difference of two series.
#[must_use]
pub fn rmse(ours: &[f64], theirs: &[f64]) -> f64 {
    let squares = ours.iter().zip(theirs).map(|(one, other)| (one - other).powi(2));
    (squares.sum::<f64>() / ours.len().min(theirs.len()).max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        let (mean, half) = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!((mean - 3.0).abs() < 1e-12);
        // 2.776 * sqrt(2.5 / 5); the expansion is within 2 % at four degrees of freedom.
        assert!((half - 1.963).abs() < 0.04, "{half}");
        assert!(mean_interval(&[1.0]).1.is_infinite());
    }

    #[test]
    fn distances_are_roots_of_mean_squares() {
        assert!((rmse(&[1.0, 2.0], &[4.0, 6.0]) - 12.5_f64.sqrt()).abs() < 1e-12);
    }
}
