//! The engine from outside: its numbers beside another implementation's, its tokens beside plain decoding's.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod common;
mod distribution;
mod faults;
mod lossless;
mod parity;
mod random;
mod requests;
