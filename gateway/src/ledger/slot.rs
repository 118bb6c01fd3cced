//! Which of the gateways on one data folder this is: the first free number, held by the lock of a file.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use crate::store::{StoreError, lock_file};

/// More gateways on one folder are a mistake.
const MAX_GATEWAYS: u32 = 64;

fn file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("gateway-{number}.lock"))
}

/// Whether no gateway has this number now.
pub fn is_free(folder: &Path, number: u32) -> bool {
    lock_file(&file(folder, number)).is_ok_and(|lock| lock.is_some())
}

pub struct Slot {
    pub number: u32,
    /// The operating system gives the lock back when the process ends, in whatever way.
    pub(super) _lock: Option<File>,
}

impl Slot {
    /// The only one, where no other can be.
    pub fn alone() -> Self {
        Self { number: 0, _lock: None }
    }

    /// Takes the first free one below `folder`, and with it what its last holder counted.
    ///
    /// # Errors
    /// That none is free, or that the folder cannot be used.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        for number in 0..MAX_GATEWAYS {
            let lock = lock_file(&file(folder, number))?;
            if lock.is_some() {
                return Ok(Self { number, _lock: lock });
            }
        }
        let what = format!("is used by {MAX_GATEWAYS} gateways already");
        Err(StoreError::new(folder, what, "end some, or give others a `store.folder` of their own"))
    }
}
