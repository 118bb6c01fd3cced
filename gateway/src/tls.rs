//! The one implementation of cryptography that all TLS of this process uses.

/// Chooses it. Every client must be made after this.
pub fn init() {
    // Another part of the process may have installed the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
