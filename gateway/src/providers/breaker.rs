//! A circuit breaker: a provider that failed many times in a row is left alone for a while, then tried with one request.
//!
//! Pure: the clock is an argument.

use std::time::{Duration, Instant};

/// The state of one provider.
#[derive(Debug)]
pub struct Breaker {
    /// So many failures in a row open it; 0 never does.
    limit: u32,
    pause: Duration,
    failures: u32,
    /// Closed where `None`.
    opened: Option<Instant>,
}

/// It is open.
#[derive(Debug, PartialEq, Eq)]
pub struct Open {
    pub failures: u32,
    pub left: Duration,
}

impl Breaker {
    pub const fn new(limit: u32, pause: Duration) -> Self {
        Self { limit, pause, failures: 0, opened: None }
    }

    /// Whether a request may be sent now. After the pause one request is let through; the pause starts again with it, so
    /// that others wait for how it ends.
    ///
    /// # Errors
    /// For how long it may not.
    pub fn admit(&mut self, now: Instant) -> Result<(), Open> {
        let Some(opened) = self.opened else { return Ok(()) };
        let left = (opened + self.pause).saturating_duration_since(now);
        if !left.is_zero() {
            return Err(Open { failures: self.failures, left });
        }
        self.opened = Some(now);
        Ok(())
    }

    /// A request got a good head. That closes it, and one more failure opens it again: the answer may still break off, so
    /// failures in a row are forgotten only when one has come to its end.
    pub fn answered(&mut self) {
        if self.opened.take().is_some() {
            self.failures = self.limit.saturating_sub(1);
        }
    }

    /// How a request ended.
    pub fn note(&mut self, went_well: bool, now: Instant) {
        if went_well {
            (self.failures, self.opened) = (0, None);
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.limit > 0 && self.failures >= self.limit {
            self.opened = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_one_success() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::new(2, PAUSE);
        let open = |seconds| Err(Open { failures: 2, left: Duration::from_secs(seconds) });
        breaker.note(false, at(0));
        breaker.note(true, at(0));
        breaker.note(false, at(0));
        assert_eq!(breaker.admit(at(0)), Ok(()), "one failure in a row");
        breaker.note(false, at(1));
        assert_eq!(breaker.admit(at(4)), open(7));
        assert_eq!(breaker.admit(at(11)), Ok(()), "one to try");
        assert_eq!(breaker.admit(at(11)), open(10), "and no other");
        breaker.note(true, at(12));
        assert_eq!(breaker.admit(at(12)), Ok(()));
    }

    #[test]
    fn a_good_head_closes_it_and_does_not_forget() {
        let start = Instant::now();
        let mut breaker = Breaker::new(2, PAUSE);
        for _ in 0..2 {
            breaker.answered();
            breaker.note(false, start);
        }
        assert!(breaker.admit(start).is_err(), "two that broke off");
        assert_eq!(breaker.admit(start + PAUSE), Ok(()));
        breaker.answered();
        assert_eq!(breaker.admit(start + PAUSE), Ok(()), "others need not wait for the end");
        breaker.note(false, start + PAUSE);
        assert!(breaker.admit(start + PAUSE).is_err(), "it broke off again");
        breaker.answered();
        breaker.note(true, start + PAUSE);
        breaker.note(false, start + PAUSE);
        assert_eq!(breaker.admit(start + PAUSE), Ok(()), "one failure after an end");
    }

    #[test]
    fn a_failed_trial_opens_it_again_and_zero_never_opens() {
        let start = Instant::now();
        let mut breaker = Breaker::new(1, PAUSE);
        breaker.note(false, start);
        assert_eq!(breaker.admit(start + PAUSE), Ok(()));
        breaker.note(false, start + PAUSE);
        assert_eq!(breaker.admit(start + PAUSE), Err(Open { failures: 2, left: PAUSE }));
        let mut never = Breaker::new(0, PAUSE);
        (0..100).for_each(|_| never.note(false, start));
        assert_eq!(never.admit(start), Ok(()));
    }
}
