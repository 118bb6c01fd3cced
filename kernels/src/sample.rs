//! What is drawn from logits: penalties, temperature, top-k, top-p, min-p. Chance is a function of seed and position.

use rustc_hash::FxHashMap;

use crate::Error;

/// How a token is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0 takes the likeliest token.
    pub temperature: f32,
    /// Only so many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens that together have this probability; 1 for all.
    pub top_p: f32,
    /// Only tokens of at least this part of the likeliest one's probability; 0 for all.
    pub min_p: f32,
    /// Divides positive logits of tokens that were there, and multiplies negative ones (arXiv 1909.05858); 1 for none.
    pub repetition_penalty: f32,
    /// Subtracted for each time that a token was generated.
    pub frequency_penalty: f32,
    /// Subtracted if a token was generated.
    pub presence_penalty: f32,
    /// Equal seeds give equal texts.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 0,
        }
    }
}

/// How often tokens were there: in the prompt and in the answer.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    all: FxHashMap<u32, u32>,
    generated: FxHashMap<u32, u32>,
}

impl Counts {
    /// Of a prompt.
    #[must_use]
    pub fn of_prompt(prompt: &[u32]) -> Self {
        let mut counts = Self::default();
        for token in prompt {
            *counts.all.entry(*token).or_default() += 1;
        }
        counts
    }

    /// Counts a generated token.
    pub fn add(&mut self, token: u32) {
        *self.all.entry(token).or_default() += 1;
        *self.generated.entry(token).or_default() += 1;
    }

    /// Takes back what `add` did last for this token.
    pub fn remove(&mut self, token: u32) {
        for counts in [&mut self.all, &mut self.generated] {
            if let Some(count) = counts.get_mut(&token) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&token);
                }
            }
        }
    }
}

impl Sampling {
    /// # Errors
    /// [`Error::Request`] if a number is out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let rows = [
            ("temperature", self.temperature, 0.0, 100.0),
            ("top_p", self.top_p, 0.0, 1.0),
            ("min_p", self.min_p, 0.0, 1.0),
            ("repetition_penalty", self.repetition_penalty, 0.01, 100.0),
            ("frequency_penalty", self.frequency_penalty, -100.0, 100.0),
            ("presence_penalty", self.presence_penalty, -100.0, 100.0),
        ];
        for (name, value, low, high) in rows {
            // Not a number is in no range.
            if !(low..=high).contains(&value) {
                return Err(Error::Request(format!("`{name} = {value}`; it must be from {low} to {high}")));
            }
        }
        Ok(())
    }

    fn has_penalties(&self) -> bool {
        self.repetition_penalty != 1.0 || self.frequency_penalty != 0.0 || self.presence_penalty != 0.0
    }

    /// The token at `position`, of the distribution that the logits and these rules give.
    pub fn draw(&self, logits: &mut [f32], counts: &Counts, position: u64) -> u32 {
        if self.has_penalties() {
            self.penalise(logits, counts);
        }
        if self.temperature <= 0.0 {
            return likeliest(logits);
        }
        let tokens = self.distribution(logits);
        pick(&tokens, chance(self.seed, position))
    }

    fn penalise(&self, logits: &mut [f32], counts: &Counts) {
        for token in counts.all.keys() {
            if let Some(logit) = logits.get_mut(*token as usize) {
                *logit = if *logit > 0.0 { *logit / self.repetition_penalty } else { *logit * self.repetition_penalty };
            }
        }
        for (token, count) in &counts.generated {
            if let Some(logit) = logits.get_mut(*token as usize) {
                *logit -= *count as f32 * self.frequency_penalty + self.presence_penalty;
            }
        }
    }

    /// The tokens that may be drawn, likeliest first, with their probabilities before they are made to add up to 1.
    #[must_use]
    pub fn distribution(&self, logits: &[f32]) -> Vec<(u32, f64)> {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weight = |logit: f32| (f64::from(logit - max) / f64::from(self.temperature)).exp();
        let all = logits.iter().enumerate().map(|(token, logit)| (token as u32, weight(*logit)));
        let mut tokens: Vec<(u32, f64)> = all.filter(|(_, weight)| *weight > 0.0).collect();
        let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if self.top_k > 0 && self.top_k < tokens.len() {
            tokens.select_nth_unstable_by(self.top_k - 1, order);
            tokens.truncate(self.top_k);
        }
        if self.min_p > 0.0 {
            tokens.retain(|(_, weight)| *weight >= f64::from(self.min_p));
        }
        tokens.sort_unstable_by(order);
        if self.top_p < 1.0 {
            let limit = f64::from(self.top_p) * total(&tokens);
            let before = tokens.iter().scan(0.0, |sum, (_, weight)| {
                let before = *sum;
                *sum += weight;
                Some(before)
            });
            // The token that reaches the limit is still in.
            let n = before.take_while(|it| *it < limit).count();
            tokens.truncate(n.max(1));
        }
        tokens
    }
}

fn total(tokens: &[(u32, f64)]) -> f64 {
    tokens.iter().map(|it| it.1).sum()
}

/// The first of the likeliest tokens.
#[must_use]
pub fn likeliest(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, logit) in logits.iter().enumerate() {
        if *logit > best.1 {
            best = (token, *logit);
        }
    }
    best.0 as u32
}

fn pick(tokens: &[(u32, f64)], chance: f64) -> u32 {
    let mut left = chance * total(tokens);
    for (token, weight) in tokens {
        left -= weight;
        if left < 0.0 {
            return *token;
        }
    }
    tokens.last().map_or(0, |it| it.0)
}

/// A number from 0 to below 1 that looks random (splitmix64).
fn chance(seed: u64, position: u64) -> f64 {
    let mut z = mix(seed).wrapping_add(position.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = mix(z);
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_cut_the_tail() {
        let logits = [0.5_f32, 0.25, 0.125, 0.0625, 0.0625].map(f32::ln);
        let plain = Sampling { temperature: 1.0, ..Sampling::default() };
        for (rules, expected) in [
            (plain, vec![0, 1, 2, 3, 4]),
            (Sampling { top_k: 2, ..plain }, vec![0, 1]),
            (Sampling { top_p: 0.7, ..plain }, vec![0, 1]),
            (Sampling { top_p: 0.8, ..plain }, vec![0, 1, 2]),
            (Sampling { top_p: 0.0, ..plain }, vec![0]),
            (Sampling { min_p: 0.2, ..plain }, vec![0, 1, 2]),
            (Sampling { temperature: 0.01, top_p: 0.9, ..plain }, vec![0]),
        ] {
            let kept: Vec<u32> = rules.distribution(&logits).into_iter().map(|it| it.0).collect();
            assert_eq!(kept, expected, "{rules:?}");
        }
    }

    #[test]
    fn penalties_change_what_was_there() {
        let counts = {
            let mut counts = Counts::of_prompt(&[0]);
            counts.add(1);
            counts.add(1);
            counts
        };
        let rules =
            Sampling { repetition_penalty: 2.0, frequency_penalty: 0.25, presence_penalty: 0.5, ..Sampling::default() };
        let mut logits = [4.0, -1.0, 1.0];
        rules.penalise(&mut logits, &counts);
        assert_eq!(logits, [2.0, -3.0, 1.0]);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let rules = Sampling { temperature: f32::NAN, ..Sampling::default() };
        assert_eq!(rules.check(), Err(Error::Request("`temperature = NaN`; it must be from 0 to 100".to_owned())));
    }
}
