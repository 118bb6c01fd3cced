//! Locks that a panic elsewhere does not poison, since what they guard is never left half done; and working memory
//! that is kept from one text to the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets of working memory that are kept for the next text; each is about 1 MiB.
const KEPT: usize = 16;

/// Working memory of one text at a time.
pub(crate) struct Pool<T>(Mutex<Vec<Box<T>>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    /// Does `work` with a set that is kept, or with a new one.
    pub(crate) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let kept = lock(&self.0).pop();
        let mut room = kept.unwrap_or_else(|| Box::new(make()));
        let done = work(&mut room);
        let mut idle = lock(&self.0);
        if idle.len() < KEPT {
            idle.push(room);
        }
        done
    }
}
