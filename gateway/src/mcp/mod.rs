//! The front: MCP as clients see it, in both eras, over streamable HTTP and stdio.
//!
//! `jsonrpc`, `era`, `headers` are pure; `gate` decides; `http` and `stdio` move bytes and decide nothing.

pub mod jsonrpc;
pub(crate) use crate::object;

pub mod era;
pub mod headers;

pub mod caller;
pub mod session;

pub mod gate;
pub mod methods;
pub mod view;

pub mod http;
pub mod sse;
pub mod stdio;
