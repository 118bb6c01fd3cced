//! One key's use of the current periods: what is settled, what running requests hold, and what other gateways settled. Pure.
//!
//! Periods are fixed, by the calendar in UTC: four numbers a key are all they need, and when one ends is exact. The price is
//! that a key may use two periods' worth around the moment where one ends and the next begins.
//!
//! A request counts in the periods in which it began, wherever it ends.

use super::{
    limit::{Amount, Limit, LimitExceeded},
    moment::{Moment, Period},
    totals::Tally,
};

/// A number for each period of [`Period::ALL`].
pub type Indexes = [u64; Period::ALL.len()];

/// As [`Indexes`].
pub type Tallies = [Tally; Period::ALL.len()];

#[derive(Clone, Copy, Debug, Default)]
pub struct Periods {
    current: Indexes,
    used: [Amount; Period::ALL.len()],
    reserved: [Amount; Period::ALL.len()],
    /// Settled by other gateways; replaced as a whole from time to time.
    others: Tallies,
}

impl Periods {
    /// Goes on from what the store knows.
    pub fn of(used: &Tallies, others: Tallies) -> Self {
        Self { current: used.map(|it| it.index), used: used.map(|it| it.amount), reserved: Default::default(), others }
    }

    pub fn set_others(&mut self, others: Tallies) {
        self.others = others;
    }

    /// Holds `asked` in the periods of `now`, and tells which these are.
    ///
    /// # Errors
    /// The first limit that does not have it.
    pub fn reserve(&mut self, limits: &[Limit], now: Moment, asked: Amount) -> Result<Indexes, LimitExceeded> {
        self.roll(now);
        limits.iter().try_for_each(|limit| self.check(limit, now, asked))?;
        self.reserved = self.reserved.map(|it| it.plus(asked));
        Ok(self.current)
    }

    fn check(&self, limit: &Limit, now: Moment, asked: Amount) -> Result<(), LimitExceeded> {
        let at = limit.period as usize;
        let used = self.used[at].plus(self.others[at].at(self.current[at])).of(limit.measure);
        let (reserved, asked) = (self.reserved[at].of(limit.measure), asked.of(limit.measure));
        if used.saturating_add(reserved).saturating_add(asked) <= limit.most {
            return Ok(());
        }
        Err(LimitExceeded { limit: *limit, used, reserved, asked, resets_at: limit.period.end(now) })
    }

    /// Gives back what a request held, and counts what it used, in those of its periods that are not over.
    pub fn settle(&mut self, periods: &Indexes, held: Amount, used: Amount) {
        for (at, period) in periods.iter().enumerate() {
            if *period == self.current[at] {
                self.reserved[at] = self.reserved[at].minus(held);
                self.used[at] = self.used[at].plus(used);
            }
        }
    }

    /// What is used, by this gateway and by others, in the periods of `now`.
    #[cfg(test)]
    pub fn used(&self, now: Moment, period: Period) -> Amount {
        let mut rolled = *self;
        rolled.roll(now);
        let at = period as usize;
        rolled.used[at].plus(rolled.others[at].at(rolled.current[at]))
    }

    /// Begins the periods of `now`. Threads pass a border in any order, so that one period back is still the current one;
    /// anything else is another time.
    fn roll(&mut self, now: Moment) {
        for (at, period) in Period::ALL.into_iter().enumerate() {
            let index = period.index(now);
            if index != self.current[at] && index + 1 != self.current[at] {
                self.current[at] = index;
                (self.used[at], self.reserved[at]) = Default::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(requests: u64) -> Amount {
        Amount { requests, tokens: requests * 10, micro_usd: requests * 100 }
    }

    fn limits(text: &str) -> Vec<Limit> {
        text.split_whitespace().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn a_limit_holds_in_its_period() {
        const HOUR: u64 = 3_600_000;
        let limits = limits("requests=3/minute tokens=50/hour");
        let mut periods = Periods::default();
        let rows = [
            (0, 1, None),
            (1, 2, None),
            (2, 1, Some("requests=3/minute")),
            (60_000, 2, None),
            (60_001, 1, Some("tokens=50/hour")),
            // A thread that is late across a border does not bring the old minute back.
            (59_999, 1, Some("tokens=50/hour")),
            (3 * HOUR, 3, None),
            (3 * HOUR + 1, 1, Some("requests=3/minute")),
            // A clock that was set back begins anew.
            (30_000, 3, None),
        ];
        for (now, requests, refused) in rows {
            let reserved = periods.reserve(&limits, Moment(now), amount(requests));
            let by = reserved.err().map(|it| it.limit.to_string());
            assert_eq!(by.as_deref(), refused, "{requests} at {now}");
        }
    }

    #[test]
    fn a_request_counts_where_it_began() {
        let limits = limits("requests=2/minute");
        let mut periods = Periods::default();
        let held = periods.reserve(&limits, Moment(59_000), amount(2)).unwrap();
        periods.reserve(&limits, Moment(61_000), amount(1)).unwrap();
        periods.settle(&held, amount(2), amount(2));
        let used = |period| periods.used(Moment(61_000), period);
        assert_eq!((used(Period::Minute), used(Period::Hour)), (amount(0), amount(2)));
        periods.reserve(&limits, Moment(61_001), amount(1)).unwrap();
    }

    #[test]
    fn what_others_used_counts_in_their_period_only() {
        let limits = limits("requests=2/minute");
        let mut periods = Periods::default();
        let others = Period::ALL.map(|it| Tally { index: it.index(Moment(60_000)), amount: amount(2) });
        periods.set_others(others);
        assert!(periods.reserve(&limits, Moment(0), amount(2)).is_ok());
        let refused = periods.reserve(&limits, Moment(60_000), amount(1)).unwrap_err();
        assert_eq!((refused.used, refused.reserved, refused.resets_at), (2, 0, Moment(120_000)));
        assert!(periods.reserve(&limits, Moment(120_000), amount(2)).is_ok());
    }
}
