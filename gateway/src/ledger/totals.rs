//! What one key used of one model on one day, and its form in the store. A settled request is added; nothing is taken away.

use super::{
    limit::Amount,
    moment::Period,
    settlement::{Failure, Settlement},
};

/// Sums over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub requests: u64,
    /// Tokens as the provider returned them, cached ones included.
    pub prompt_tokens: u64,
    /// Likewise, reasoning included.
    pub completion_tokens: u64,
    pub cached_tokens: u64,
    pub reasoning_tokens: u64,
    /// What the plan left out of the prompts.
    pub saved_tokens: u64,
    pub cost_micro_usd: u64,
    /// Requests whose usage was not returned, so that their estimate stands in the sums of limits.
    pub unreported_requests: u64,
    /// Our own count of the prompts whose usage was returned.
    pub estimated_tokens: u64,
    /// By how much these counts were off, in either direction.
    pub estimate_off_tokens: u64,
    /// Failed requests by [`Failure`].
    pub failures: [u64; Failure::ALL.len()],
    /// Requests that the exact cache answered; they are not among `requests`.
    pub cache_hits: u64,
    /// Tokens that these answers were charged once and not again.
    pub cache_unspent_tokens: u64,
}

impl Totals {
    /// Counts one request. A provider may return any number; no sum runs over.
    pub fn add(&mut self, settlement: &Settlement<'_>, estimated_prompt_tokens: u64) {
        if settlement.is_cache_hit {
            let spent = settlement.returned.unwrap_or_default();
            let cache_unspent_tokens = spent.prompt_tokens.saturating_add(spent.completion_tokens);
            return self.merge(&Self { cache_hits: 1, cache_unspent_tokens, ..Self::default() });
        }
        let mut one = Self {
            requests: 1,
            saved_tokens: settlement.saved_tokens,
            cost_micro_usd: settlement.cost_micro_usd,
            unreported_requests: u64::from(settlement.returned.is_none()),
            ..Self::default()
        };
        if let Some(failure) = settlement.failure {
            one.failures[failure as usize] = 1;
        }
        if let Some(usage) = settlement.returned {
            one.prompt_tokens = usage.prompt_tokens;
            one.completion_tokens = usage.completion_tokens;
            one.cached_tokens = usage.cached_tokens;
            one.reasoning_tokens = usage.reasoning_tokens;
            one.estimated_tokens = estimated_prompt_tokens;
            one.estimate_off_tokens = estimated_prompt_tokens.abs_diff(usage.prompt_tokens);
        }
        self.merge(&one);
    }

    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.numbers_mut().into_iter().zip(other.numbers()) {
            *mine = mine.saturating_add(theirs);
        }
    }

    pub fn errors(&self) -> u64 {
        self.failures.iter().sum()
    }

    /// All numbers, in the order of the store. New ones go to the end: what an old row lacks is zero.
    pub fn numbers(&self) -> [u64; N_NUMBERS] {
        let mut copy = *self;
        copy.numbers_mut().map(|it| *it)
    }

    fn numbers_mut(&mut self) -> [&mut u64; N_NUMBERS] {
        let [a, b, c, d, e, f, g, h] = &mut self.failures;
        [
            &mut self.requests,
            &mut self.prompt_tokens,
            &mut self.completion_tokens,
            &mut self.cached_tokens,
            &mut self.reasoning_tokens,
            &mut self.saved_tokens,
            &mut self.cost_micro_usd,
            &mut self.unreported_requests,
            &mut self.estimated_tokens,
            &mut self.estimate_off_tokens,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            &mut self.cache_hits,
            &mut self.cache_unspent_tokens,
        ]
    }
}

const N_NUMBERS: usize = 12 + Failure::ALL.len();

/// What was used in one period of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As [`Period::index`] tells it.
    pub index: u64,
    pub amount: Amount,
}

impl Tally {
    /// The amount, if it is of the period `index`.
    pub fn at(&self, index: u64) -> Amount {
        if self.index == index { self.amount } else { Amount::default() }
    }

    /// Adds to the period `index`, leaving an older one behind.
    pub fn add(&mut self, index: u64, amount: Amount) {
        *self = Self { index, amount: self.at(index).plus(amount) };
    }
}

/// A row of the store: sums, and the use in the newest of each period, from which limits go on after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub totals: Totals,
    pub tallies: [Tally; Period::ALL.len()],
}

/// The form of a row; what follows is numbers of seven bits a byte, the lowest first (LEB128).
const VERSION: u8 = 1;

impl Row {
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.push(VERSION);
        let tallies = self.tallies.iter();
        let tallies = tallies.flat_map(|it| [it.index, it.amount.requests, it.amount.tokens, it.amount.micro_usd]);
        tallies.chain(self.totals.numbers()).for_each(|number| push(into, number));
    }

    /// `None` for what is no row.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, mut rest) = bytes.split_first()?;
        if version != VERSION {
            return None;
        }
        let mut row = Self::default();
        for tally in &mut row.tallies {
            let [index, requests, tokens, micro_usd] = [(); 4].map(|()| pull(&mut rest));
            *tally =
                Tally { index: index?, amount: Amount { requests: requests?, tokens: tokens?, micro_usd: micro_usd? } };
        }
        for number in row.totals.numbers_mut() {
            if rest.is_empty() {
                break;
            }
            *number = pull(&mut rest)?;
        }
        Some(row)
    }
}

fn push(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn pull(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(numbers: &[u64]) -> Row {
        let mut row = Row::default();
        let mut numbers = numbers.iter().copied().cycle();
        row.totals.numbers_mut().into_iter().zip(&mut numbers).for_each(|(it, number)| *it = number);
        for (tally, number) in row.tallies.iter_mut().zip(&mut numbers) {
            *tally = Tally { index: number, amount: Amount { requests: !number, tokens: number / 3, micro_usd: 127 } };
        }
        row
    }

    proptest! {
        #[test]
        fn rows_are_read_as_they_were_written(numbers in prop::collection::vec(any::<u64>().prop_flat_map(|it| 0..=it), 1..30)) {
            let row = row(&numbers);
            let mut bytes = Vec::new();
            row.encode(&mut bytes);
            prop_assert_eq!(Row::decode(&bytes), Some(row));
        }

        #[test]
        fn any_bytes_are_a_row_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Row::decode(&bytes);
        }
    }

    #[test]
    fn what_is_no_row_is_none() {
        let mut bytes = Vec::new();
        row(&[300, 5]).encode(&mut bytes);
        for (bytes, is_row) in
            [(&bytes[..], true), (&bytes[..10], false), (&[], false), (&[2, 0, 0], false), (&[1; 17], true)]
        {
            assert_eq!(Row::decode(bytes).is_some(), is_row, "{bytes:?}");
        }
    }
}
