//! The gateway: the only crate of Tollgate that does IO.
//!
//! `cli` reads the command line, `app` wires configuration to upstreams and gates, `mcp` faces clients, `upstream` faces
//! MCP servers, `context` is the server that ships with the gateway.

pub mod cli;

mod access;
mod app;
mod auth;
mod batch;
mod context;
mod ledger;
mod linger;
mod mcp;
mod model_files;
mod object;
#[expect(dead_code, reason = "parts that nothing asks for yet")]
mod protocols;
mod providers;
mod proxy;
mod recent;
mod serve;
mod signal;
mod store;
mod sync;
mod telemetry;
mod tls;
mod upstream;
