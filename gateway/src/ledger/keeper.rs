//! The thread behind an open ledger: takes over what other gateways settled, and forgets old days. The only part of the
//! ledger that reads the clock.

use std::{sync::Arc, thread, time::Duration};

use super::{
    Ledger,
    moment::{Day, Moment},
};
use crate::store::StoreError;

/// So late a gateway learns what another one settled.
const EVERY: Duration = Duration::from_millis(500);

/// Starts the thread; it ends with the ledger.
pub fn start(ledger: &Arc<Ledger>, keep_days: u32) {
    let weak = Arc::downgrade(ledger);
    let keep = move || {
        let mut kept = Kept::default();
        while let Some(ledger) = weak.upgrade() {
            if let Err(error) = kept.step(&ledger, Moment::now(), keep_days) {
                tracing::error!("{error}");
            }
            drop(ledger);
            thread::sleep(EVERY);
        }
    };
    if let Err(error) = thread::Builder::new().name("ledger".into()).spawn(keep) {
        tracing::error!(%error, "no thread keeps the ledger; limits do not see what other gateways use");
    }
}

/// What was done last.
#[derive(Default)]
pub struct Kept {
    version: u64,
    day: Option<Day>,
}

impl Kept {
    pub fn step(&mut self, ledger: &Ledger, now: Moment, keep_days: u32) -> Result<(), StoreError> {
        let version = ledger.store.foreign_version()?;
        if version != self.version {
            ledger.refresh(now)?;
            self.version = version;
        }
        if self.day != Some(now.day()) {
            ledger.forget(Day(now.day().0.saturating_sub(keep_days)), now)?;
            self.day = Some(now.day());
        }
        Ok(())
    }
}
