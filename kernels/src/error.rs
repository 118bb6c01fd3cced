//! What can go wrong, by what a caller can do about it.

/// An error names the value and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// These files are no model that this engine can run.
    #[error("{0}")]
    Model(String),
    /// This request cannot be served, now or later.
    #[error("{0}")]
    Request(String),
    /// There is no room at the moment.
    #[error("{0}")]
    Busy(String),
}
