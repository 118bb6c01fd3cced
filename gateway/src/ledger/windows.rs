//! One key's use of the current windows: what is settled, what running requests hold, and what other gateways settled. Pure.
//!
//! Windows are fixed, by the calendar in UTC: four numbers a key are all they need, and when one ends is exact. The price is
//! that a key may use two windows' worth around the moment where one ends and the next begins.
//!
//! A request counts in the windows in which it began, wherever it ends.

use super::{
    limit::{Amount, Limit, LimitExceeded},
    moment::{Moment, Window},
    totals::Tally,
};

/// A number for each window of [`Window::ALL`].
pub type Indexes = [u64; Window::ALL.len()];

/// As [`Indexes`].
pub type Tallies = [Tally; Window::ALL.len()];

#[derive(Clone, Copy, Debug, Default)]
pub struct Windows {
    current: Indexes,
    used: [Amount; Window::ALL.len()],
    reserved: [Amount; Window::ALL.len()],
    /// Settled by other gateways; replaced as a whole from time to time.
    others: Tallies,
}

impl Windows {
    /// Goes on from what the store knows.
    pub fn of(used: &Tallies, others: Tallies) -> Self {
        Self { current: used.map(|it| it.index), used: used.map(|it| it.amount), reserved: Default::default(), others }
    }

    pub fn set_others(&mut self, others: Tallies) {
        self.others = others;
    }

    /// Holds `asked` in the windows of `now`, and tells which these are.
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
        let at = limit.window as usize;
        let used = self.used[at].plus(self.others[at].at(self.current[at])).of(limit.measure);
        let (reserved, asked) = (self.reserved[at].of(limit.measure), asked.of(limit.measure));
        if used.saturating_add(reserved).saturating_add(asked) <= limit.most {
            return Ok(());
        }
        Err(LimitExceeded { limit: *limit, used, reserved, asked, resets_at: limit.window.end(now) })
    }

    /// Gives back what a request held, and counts what it used, in those of its windows that are not over.
    pub fn settle(&mut self, windows: &Indexes, held: Amount, used: Amount) {
        for (at, window) in windows.iter().enumerate() {
            if *window == self.current[at] {
                self.reserved[at] = self.reserved[at].minus(held);
                self.used[at] = self.used[at].plus(used);
            }
        }
    }

    /// What is used, by this gateway and by others, in the windows of `now`.
    pub fn used(&self, now: Moment, window: Window) -> Amount {
        let mut rolled = *self;
        rolled.roll(now);
        let at = window as usize;
        rolled.used[at].plus(rolled.others[at].at(rolled.current[at]))
    }

    /// Begins the windows of `now`. Threads pass a border in any order, so that one window back is still the current one;
    /// anything else is another time.
    fn roll(&mut self, now: Moment) {
        for (at, window) in Window::ALL.into_iter().enumerate() {
            let index = window.index(now);
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
    fn a_limit_holds_in_its_window() {
        const HOUR: u64 = 3_600_000;
        let limits = limits("requests=3/minute tokens=50/hour");
        let mut windows = Windows::default();
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
            let reserved = windows.reserve(&limits, Moment(now), amount(requests));
            let by = reserved.err().map(|it| it.limit.to_string());
            assert_eq!(by.as_deref(), refused, "{requests} at {now}");
        }
    }

    #[test]
    fn a_request_counts_where_it_began() {
        let limits = limits("requests=2/minute");
        let mut windows = Windows::default();
        let held = windows.reserve(&limits, Moment(59_000), amount(2)).unwrap();
        windows.reserve(&limits, Moment(61_000), amount(1)).unwrap();
        windows.settle(&held, amount(2), amount(2));
        let used = |window| windows.used(Moment(61_000), window);
        assert_eq!((used(Window::Minute), used(Window::Hour)), (amount(0), amount(2)));
        windows.reserve(&limits, Moment(61_001), amount(1)).unwrap();
    }

    #[test]
    fn what_others_used_counts_in_their_window_only() {
        let limits = limits("requests=2/minute");
        let mut windows = Windows::default();
        let others = Window::ALL.map(|it| Tally { index: it.index(Moment(60_000)), amount: amount(2) });
        windows.set_others(others);
        assert!(windows.reserve(&limits, Moment(0), amount(2)).is_ok());
        let refused = windows.reserve(&limits, Moment(60_000), amount(1)).unwrap_err();
        assert_eq!((refused.used, refused.reserved, refused.resets_at), (2, 0, Moment(120_000)));
        assert!(windows.reserve(&limits, Moment(120_000), amount(2)).is_ok());
    }
}
