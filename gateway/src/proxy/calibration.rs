//! What providers charged corrects later estimates: learnt from every settled request, kept in the store.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::{
    store::{Store, Write},
    sync::{read, write},
};
use tollgate_tokenizers::chat::{Calibrator, Corrected, RequestCount, Subject};

/// Where the store has it. Several gateways on one store take turns: the last to write wins, and each goes on with its own.
const PLACE: &[u8] = b"calibration";

/// Between two writes. What was learnt in between is learnt again soon.
const SAVE_EVERY_S: u64 = 10;

/// What this gateway has learnt.
pub struct Calibration {
    calibrator: RwLock<Calibrator>,
    store: Arc<dyn Store>,
    started: Instant,
    saved_s: AtomicU64,
}

impl Calibration {
    /// Goes on from what the store has; what cannot be read is told and left behind.
    pub fn open(store: Arc<dyn Store>) -> Self {
        let kept = store.get(PLACE).unwrap_or_else(|error| {
            tracing::warn!("{error}");
            None
        });
        let calibrator = kept.map_or_else(Calibrator::default, |bytes| {
            Calibrator::from_bytes(&bytes).unwrap_or_else(|error| {
                tracing::warn!("what was learnt of counts is left behind: {error}");
                Calibrator::default()
            })
        });
        Self { calibrator: RwLock::new(calibrator), store, started: Instant::now(), saved_s: AtomicU64::new(0) }
    }

    /// A count as earlier requests correct it.
    pub fn correct(&self, subject: &Subject, count: &RequestCount) -> Corrected {
        read(&self.calibrator).correct(subject, count)
    }

    /// Learns from a request that was estimated at `estimated` tokens, uncorrected, and charged as `charged`.
    pub fn observe(&self, subject: &Subject, estimated: usize, charged: u64) {
        let Ok(charged) = usize::try_from(charged) else { return };
        write(&self.calibrator).observe(subject, estimated, charged);
        let (now, saved) = (self.started.elapsed().as_secs(), self.saved_s.load(Ordering::Relaxed));
        let is_due = now >= saved + SAVE_EVERY_S;
        if is_due && self.saved_s.compare_exchange(saved, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.save();
        }
    }

    fn save(&self) {
        let bytes = read(&self.calibrator).to_bytes();
        if let Err(error) = self.store.write(&[Write::Put(PLACE, &bytes)]) {
            tracing::warn!("{error}");
        }
    }
}

impl Drop for Calibration {
    fn drop(&mut self) {
        self.save();
    }
}
