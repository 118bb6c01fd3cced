//! The signals that ask this process to end: Ctrl-C and SIGTERM.

/// Waits for one; `false` where they cannot be heard.
#[cfg(unix)]
pub async fn asked_to_end() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.is_ok() };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
        told = terminate.recv() => told.is_some(),
    }
}

/// Waits for one; `false` where they cannot be heard.
#[cfg(not(unix))]
pub async fn asked_to_end() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

/// What `work` comes to; `None` where the process was asked to end first, so that its children can be ended in order.
pub async fn interruptible<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = work => Some(outcome),
        true = asked_to_end() => None,
    }
}
