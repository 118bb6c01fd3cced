//! Where a draft agrees with the target, and how many tokens a step of decoding gains by it.

use std::ops::Range;

use serde_json::{Value, json};

use crate::{
    draft::best,
    error::Result,
    model::{Draft, Seen, Target},
};

/// Sums over places.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    /// Places where draft and target agree, by lag from 1.
    agreed: Vec<usize>,
    n_places: usize,
    n_steps: usize,
}

/// For each lag from 1 to `depth` and each place of the row, whether the draft's best token is the target's.
pub(super) fn agreements((target, draft): (&Target, &Draft), row: &[u32], depth: usize) -> Result<Vec<Vec<bool>>> {
    let rows = [row.to_vec()];
    let positions: Vec<u32> = (0..row.len() as u32).collect();
    let angles = target.angles(&positions);
    let hidden = target.run(&rows, &angles)?;
    let embedded = target.embed(&rows)?;
    let own = choices(target, &hidden.states)?;
    (1..=depth)
        .map(|lag| {
            let seen = Seen { last: (&hidden.last.0, &hidden.last.1), lag };
            let guesses = choices(target, &draft.run(&embedded, seen, &angles)?)?;
            Ok(own.iter().zip(guesses).map(|(own, guess)| *own == guess).collect())
        })
        .collect()
}

fn choices(target: &Target, states: &candle_core::Tensor) -> Result<Vec<u32>> {
    let logits: Vec<Vec<f32>> = target.logits(states)?.to_vec2()?;
    Ok(logits.iter().map(|it| best(it)).collect())
}

impl Agreement {
    pub(super) fn new(depth: usize) -> Self {
        Self { agreed: vec![0; depth], n_places: 0, n_steps: 0 }
    }

    /// Decodes along `places`: each step takes the tokens that the draft guessed right one after the other, the first
    /// with a cache that lacks one token, the next with one that lacks two, and one token of the target's own.
    pub(super) fn add(&mut self, agree: &[Vec<bool>], places: Range<usize>) {
        for (sum, agree) in self.agreed.iter_mut().zip(agree) {
            *sum += agree[places.clone()].iter().filter(|it| **it).count();
        }
        self.n_places += places.len();
        let mut at = places.start;
        while at < places.end {
            let guessed = agree.iter().enumerate().take_while(|(idx, agree)| agree.get(at + idx) == Some(&true));
            at += guessed.count() + 1;
            self.n_steps += 1;
        }
    }

    fn rates(&self) -> Vec<f64> {
        self.agreed.iter().map(|it| *it as f64 / self.n_places.max(1) as f64).collect()
    }

    /// Tokens of a step.
    fn length(&self) -> f64 {
        self.n_places as f64 / self.n_steps.max(1) as f64
    }

    pub(super) fn line(&self) -> String {
        let rates: Vec<String> = self.rates().iter().map(|it| format!("{:.1} %", it * 100.0)).collect();
        format!("agreement by lag {}, acceptance length {:.2}", rates.join(", "), self.length())
    }

    pub(super) fn json(&self) -> Value {
        json!({"agreement_by_lag": self.rates(), "acceptance_length": self.length(), "places": self.n_places})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_what_was_guessed_and_one() {
        let check = |agree: [&[u8]; 2], n_steps, rates: [f64; 2]| {
            let agree = agree.map(|it| it.iter().map(|it| *it == 1).collect::<Vec<_>>());
            let mut sums = Agreement::new(2);
            sums.add(&agree, 0..4);
            assert_eq!((sums.n_steps, sums.rates()), (n_steps, rates.to_vec()));
        };
        check([&[0, 0, 0, 0], &[1, 1, 1, 1]], 4, [0.0, 1.0]);
        check([&[1, 1, 1, 1], &[0, 0, 0, 0]], 2, [1.0, 0.0]);
        check([&[1, 1, 1, 1], &[1, 1, 1, 1]], 2, [1.0, 1.0]);
        check([&[1, 0, 0, 0], &[0, 1, 0, 0]], 2, [0.25, 0.25]);
    }
}
