//! What a request is expected to need, and what it came to. Pure values.

use super::limit::Amount;
use tollgate_config::Price;

/// What a request may need at most, counted before it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Our count of the prompt.
    pub prompt_tokens: u64,
    /// The longest answer that it allows.
    pub completion_tokens: u64,
    pub cost_micro_usd: u64,
}

impl Estimate {
    pub fn amount(self) -> Amount {
        let tokens = self.prompt_tokens.saturating_add(self.completion_tokens);
        Amount { requests: 1, tokens, micro_usd: self.cost_micro_usd }
    }
}

/// Tokens as a provider returned them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everything that was sent, cached tokens included.
    pub prompt_tokens: u64,
    /// Everything that was answered, reasoning included.
    pub completion_tokens: u64,
    pub cached_tokens: u64,
    pub reasoning_tokens: u64,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request was wrong: a 4xx of the provider.
    Request,
    /// Too many requests, or no quota: 429.
    RateLimited,
    /// The provider failed: 5xx, or an answer that is none.
    Provider,
    /// No connection.
    Connection,
    /// Too slow.
    Timeout,
    /// The stream broke off.
    Cut,
    /// The client hung up.
    Cancelled,
    /// The gateway failed itself.
    Gateway,
}

impl Failure {
    /// Every failure by its name, in the order of the store.
    pub const ALL: [(&str, Self); 8] = [
        ("request", Self::Request),
        ("rate_limited", Self::RateLimited),
        ("provider", Self::Provider),
        ("connection", Self::Connection),
        ("timeout", Self::Timeout),
        ("cut", Self::Cut),
        ("cancelled", Self::Cancelled),
        ("gateway", Self::Gateway),
    ];
}

/// What a request came to.
#[derive(Clone, Copy, Debug)]
pub struct Settlement<'a> {
    /// The model that answered, or was asked last.
    pub model: &'a str,
    /// `None` where the provider told none.
    pub returned: Option<Usage>,
    /// Whether an answer of before was given again: nothing was sent, and `returned` is what that answer was charged.
    pub is_cache_hit: bool,
    pub failure: Option<Failure>,
    /// What the plan left out of the prompt.
    pub saved_tokens: u64,
    pub cost_micro_usd: u64,
}

impl Settlement<'_> {
    /// What counts against limits: nothing of a hit of the cache; what was returned; the estimate of a success that told nothing; nothing of a failure that
    /// told nothing, beyond the request itself.
    pub fn amount(&self, estimate: Estimate) -> Amount {
        if self.is_cache_hit {
            return Amount::default();
        }
        let tokens = match (self.returned, self.failure) {
            (Some(usage), _) => usage.prompt_tokens.saturating_add(usage.completion_tokens),
            (None, None) => estimate.amount().tokens,
            (None, Some(_)) => 0,
        };
        Amount { requests: 1, tokens, micro_usd: self.cost_micro_usd }
    }
}

/// What tokens cost, rounded up to a millionth of a dollar. Dollars for a million tokens are millionths for one.
pub fn cost_micro_usd(price: &Price, usage: &Usage) -> u64 {
    let cached = usage.cached_tokens.min(usage.prompt_tokens);
    let parts = [
        (usage.prompt_tokens - cached, price.input_usd),
        (cached, price.cached_input_usd.unwrap_or(price.input_usd)),
        (usage.completion_tokens, price.output_usd),
    ];
    let cost: f64 = parts.iter().map(|(tokens, usd)| *tokens as f64 * usd).sum();
    // A price such as 0.1 is a little more in binary, which is not worth a millionth.
    (cost - 1e-6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_have_a_price_of_their_own() {
        let price = |cached_input_usd| Price { input_usd: 2.5, output_usd: 10.0, cached_input_usd };
        let usage = |prompt_tokens, cached_tokens, completion_tokens| Usage {
            prompt_tokens,
            completion_tokens,
            cached_tokens,
            reasoning_tokens: 0,
        };
        for (usage, cached, expected) in [
            (usage(1000, 0, 100), None, 3500),
            (usage(1000, 400, 100), Some(0.25), 2600),
            (usage(1000, 400, 100), None, 3500),
            (usage(1, 0, 0), None, 3),
            (usage(0, 0, 0), None, 0),
            (usage(10, 99, 0), Some(0.1), 1),
            (usage(30, 30, 0), Some(0.1), 3),
            (usage(1_000_000_000_000, 0, 0), None, 2_500_000_000_000),
        ] {
            assert_eq!(cost_micro_usd(&price(cached), &usage), expected, "{usage:?}");
        }
    }

    #[test]
    fn failures_have_the_places_of_the_store() {
        Failure::ALL.iter().enumerate().for_each(|(place, (_, failure))| assert_eq!(*failure as usize, place));
    }
}
