//! A rate limit: so many requests a minute, evenly spread, whoever asks.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::sync::lock;

/// The pace of requests.
pub struct Pace {
    /// Between two requests.
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many a minute; as fast as it goes without a number.
    pub fn per_minute(requests: Option<u32>) -> Self {
        let every = requests.map_or(Duration::ZERO, |it| Duration::from_secs(60) / it.max(1));
        Self { every, next: Mutex::default() }
    }

    /// Waits for the caller's turn.
    pub async fn turn(&self) {
        let at = self.book(Instant::now());
        tokio::time::sleep_until(at.into()).await;
    }

    /// The next free moment, which is then taken.
    fn book(&self, now: Instant) -> Instant {
        let mut next = lock(&self.next);
        let at = next.map_or(now, |it| it.max(now));
        *next = Some(at + self.every);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spread() {
        let now = Instant::now();
        let pace = Pace::per_minute(Some(120));
        let offsets: Vec<u128> = (0..3).map(|_| (pace.book(now) - now).as_millis()).collect();
        assert_eq!(offsets, [0, 500, 1000]);
        let later = now + Duration::from_secs(10);
        assert_eq!(pace.book(later), later);
        let free = Pace::per_minute(None);
        assert!((0..3).all(|_| free.book(now) == now));
    }
}
