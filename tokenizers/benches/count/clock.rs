//! The time that this process has worked, which other work on the machine does not lengthen as it does the wall's.

use std::time::Duration;

/// Of all threads.
#[cfg(unix)]
pub fn worked() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("time does not run backwards")
}

/// The wall's, where the system's own cannot be had without unsafe code.
#[cfg(not(unix))]
pub fn worked() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}
