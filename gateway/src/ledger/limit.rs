//! What a key may use: so much of one measure in one period of time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::moment::{Moment, Period};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Requests,
    /// Prompt and completion together.
    Tokens,
    /// Millionths of a US dollar.
    MicroUsd,
}

/// So much of one measure in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub measure: Measure,
    pub period: Period,
    pub most: u64,
}

/// Something of every measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub requests: u64,
    pub tokens: u64,
    pub micro_usd: u64,
}

impl Amount {
    pub fn of(self, measure: Measure) -> u64 {
        match measure {
            Measure::Requests => self.requests,
            Measure::Tokens => self.tokens,
            Measure::MicroUsd => self.micro_usd,
        }
    }

    /// Both together; what no number can hold stays the largest.
    pub fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            micro_usd: self.micro_usd.saturating_add(other.micro_usd),
        }
    }

    pub fn minus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            tokens: self.tokens.saturating_sub(other.tokens),
            micro_usd: self.micro_usd.saturating_sub(other.micro_usd),
        }
    }
}

/// A request does not fit what is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitExceeded {
    pub limit: Limit,
    /// Settled in this period.
    pub used: u64,
    /// Held by requests that are running.
    pub reserved: u64,
    /// What this request may need.
    pub asked: u64,
    /// When the period is over.
    pub resets_at: Moment,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, used, reserved, asked, resets_at } = self;
        let shown = |amount: &u64| shown(limit.measure, *amount);
        write!(
            f,
            "the api key's limit of {limit} does not hold this request: {} used, {} held by running requests, {} asked",
            shown(used),
            shown(reserved),
            shown(asked)
        )?;
        match *asked > limit.most {
            true => write!(f, "; send a shorter request, or raise the limit"),
            false => write!(f, "; wait until {resets_at}, or raise the limit"),
        }
    }
}

fn shown(measure: Measure, amount: u64) -> String {
    match measure {
        Measure::MicroUsd => usd(amount),
        Measure::Requests | Measure::Tokens => amount.to_string(),
    }
}

/// Millionths of a dollar as dollars: `1.5`, `0.000125`.
pub fn usd(micro_usd: u64) -> String {
    let text = format!("{}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `requests=100/minute`, `tokens=1000000/day`, `usd=25/month`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.measure {
            Measure::Requests => "requests",
            Measure::Tokens => "tokens",
            Measure::MicroUsd => "usd",
        };
        write!(f, "{name}={}/{}", shown(self.measure, self.most), self.period.name())
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no limit; write one such as `requests=100/minute`, `tokens=1000000/day` or `usd=25/month`"
            )
        };
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (most, period) = rest.split_once('/').ok_or_else(wrong)?;
        let period = Period::ALL.into_iter().find(|it| it.name() == period.trim()).ok_or_else(wrong)?;
        let whole = || most.trim().parse().ok();
        let (measure, most) = match name.trim() {
            "requests" => (Measure::Requests, whole()),
            "tokens" => (Measure::Tokens, whole()),
            "usd" => (Measure::MicroUsd, micro_usd(most.trim())),
            _ => return Err(wrong()),
        };
        Ok(Self { measure, period, most: most.ok_or_else(wrong)? })
    }
}

/// `12.5` as millionths, without a detour over binary fractions.
fn micro_usd(text: &str) -> Option<u64> {
    let (dollars, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    if dollars.is_empty() || fraction.len() > 6 || !is_digits(dollars) || !is_digits(fraction) {
        return None;
    }
    let millionths: u64 = format!("{fraction:0<6}").parse().ok()?;
    dollars.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(millionths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_they_are_read() {
        for (text, most) in [
            ("requests=100/minute", 100),
            ("tokens=1000000/day", 1_000_000),
            ("usd=25/month", 25_000_000),
            ("usd=0.000001/hour", 1),
            ("usd=12.5/day", 12_500_000),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!((limit.most, limit.to_string().as_str()), (most, text));
        }
        for text in [
            "",
            "requests",
            "requests=1",
            "requests=/day",
            "requests=-1/day",
            "usd=1.0000001/day",
            "usd=./day",
            "usd=1e3/day",
            "tokens=5/week",
            "euro=5/day",
            "usd=99999999999999999999/day",
        ] {
            let told = text.parse::<Limit>().unwrap_err();
            assert!(told.starts_with(&format!("`{text}` is no limit; write one such as")), "{told}");
        }
    }

    #[test]
    fn a_refusal_says_what_would_help() {
        let limit: Limit = "usd=2.5/day".parse().unwrap();
        let resets_at = Moment(86_400_000);
        let mut refusal = LimitExceeded { limit, used: 2_000_000, reserved: 400_000, asked: 200_000, resets_at };
        assert_eq!(
            refusal.to_string(),
            "the api key's limit of usd=2.5/day does not hold this request: 2 used, 0.4 held by running requests, 0.2 asked; \
             wait until 1970-01-02T00:00:00Z, or raise the limit"
        );
        refusal.asked = 2_500_001;
        assert!(refusal.to_string().ends_with("2.500001 asked; send a shorter request, or raise the limit"));
    }
}
