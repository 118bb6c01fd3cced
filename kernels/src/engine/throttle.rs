//! When drafting pays: the size of the tree that promises most tokens a second, and a limit on what guessing may lose.

/// Sizes of trees that are tried, in drafted nodes.
const SIZES: [usize; 6] = [2, 4, 8, 16, 32, 64];

/// The part of all decoding time that drafting may have lost at any moment, against plain decoding.
const MAX_LOSS: f64 = 0.03;

/// How fast averages forget.
const FORGET: f64 = 0.1;

/// Steps with drafts after which a plain one renews its time.
const RENEW: u32 = 64;

/// Steps without drafts after which one is tried again.
const RETRY: u32 = 24;

/// What was learnt of one request.
#[derive(Debug, Clone)]
pub struct Throttle {
    /// Seconds of a plain step.
    plain_s: Option<f64>,
    /// For each size: seconds of a step and accepted tokens.
    sizes: [Option<(f64, f64)>; SIZES.len()],
    /// Seconds of all steps, and those that plain decoding would not have taken.
    total_s: f64,
    lost_s: f64,
    n_since_plain: u32,
    n_since_draft: u32,
    max_nodes: usize,
}

impl Throttle {
    /// Nothing is known yet; trees have up to `max_nodes` drafted nodes.
    #[must_use]
    pub fn new(max_nodes: usize) -> Self {
        Self {
            plain_s: None,
            sizes: [None; SIZES.len()],
            total_s: 0.0,
            lost_s: 0.0,
            n_since_plain: 0,
            n_since_draft: 0,
            max_nodes,
        }
    }

    /// How many nodes the next tree may have; 0 for a plain step.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        let Some(plain_s) = self.plain_s else { return 0 };
        if self.n_since_plain >= RENEW || self.lost_s > MAX_LOSS * self.total_s {
            return 0;
        }
        let sizes = || SIZES.iter().zip(&self.sizes).filter(|(size, _)| **size <= self.max_nodes);
        let gain = |known: &Option<(f64, f64)>| {
            known.map_or(f64::NEG_INFINITY, |(step_s, accepted)| (1.0 + accepted) * plain_s / step_s)
        };
        let best = sizes().max_by(|a, b| gain(a.1).total_cmp(&gain(b.1)));
        // What was never tried is tried from the middle on, and then beside the best.
        let Some((best, known)) = best.filter(|it| it.1.is_some()) else { return self.max_nodes.min(8) };
        if gain(known) < 1.0 && self.n_since_draft < RETRY {
            return 0;
        }
        let near = |size: usize| size == best / 2 || size == best * 2;
        sizes().find(|(size, known)| near(**size) && known.is_none()).map_or(*best, |it| *it.0)
    }

    /// Learns from a step: its drafted nodes, accepted tokens and seconds. `asked` is what [`Self::n_nodes`] said.
    pub fn learn(&mut self, asked: usize, n_drafted: usize, n_accepted: usize, step_s: f64) {
        self.total_s += step_s;
        if asked == 0 {
            (self.n_since_plain, self.n_since_draft) = (0, self.n_since_draft + 1);
        } else {
            (self.n_since_plain, self.n_since_draft) = (self.n_since_plain + 1, 0);
        }
        let blend = |old: f64, new: f64| old + FORGET * (new - old);
        if n_drafted == 0 {
            self.plain_s = Some(self.plain_s.map_or(step_s, |it| blend(it, step_s)));
        } else {
            let size = SIZES.iter().position(|it| n_drafted <= *it).unwrap_or(SIZES.len() - 1);
            let new = (step_s, n_accepted as f64);
            self.sizes[size] = Some(self.sizes[size].map_or(new, |old| (blend(old.0, new.0), blend(old.1, new.1))));
        }
        if asked > 0
            && let Some(plain_s) = self.plain_s
        {
            self.lost_s = (self.lost_s + step_s - (1 + n_accepted) as f64 * plain_s).max(-self.total_s * MAX_LOSS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of a run of 2,000 tokens over those of plain decoding.
    fn ratio(step_s: impl Fn(usize) -> f64, accepted: impl Fn(usize) -> f64) -> f64 {
        let (mut throttle, mut time_s, mut n_tokens, mut left) = (Throttle::new(64), 0.0, 0.0, 0.0);
        while n_tokens < 2000.0 {
            let n = throttle.n_nodes();
            left += if n > 0 { accepted(n) } else { 0.0 };
            let n_accepted = f64::floor(left);
            left -= n_accepted;
            throttle.learn(n, n, n_accepted as usize, step_s(n));
            time_s += step_s(n);
            n_tokens += 1.0 + n_accepted;
        }
        time_s / (n_tokens * step_s(0))
    }

    #[test]
    fn drafting_never_loses_much() {
        for cost in [0.01, 0.1, 0.5, 2.0] {
            let lost = ratio(|n| 1.0 + cost * n as f64, |_| 0.0);
            assert!(lost < 1.0 / 0.95, "{lost} of plain decoding at {cost} a node");
        }
    }

    #[test]
    fn drafting_is_used_where_it_pays() {
        let won = ratio(|n| 1.0 + 0.02 * n as f64, |n| (n as f64).min(3.0));
        assert!(won < 0.33, "{won}");
        let won = ratio(|n| 1.0 + 0.3 * n as f64, |n| (n as f64).min(1.5));
        assert!(won < 0.85, "{won}");
    }
}
