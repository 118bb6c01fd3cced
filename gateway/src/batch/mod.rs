//! BatchPrompt behind the gate: one task over many items, many to a prompt. The planner decides, this sends.

mod drive;
mod http;
mod jobs;
mod mcp;
mod send;
mod simulated;
mod stored;
mod target;
mod wire;

pub use drive::{Answers, Outcome, now_ms, run};
pub use http::router;
pub use jobs::Jobs;
pub use mcp::serve;
pub use send::Sender;
pub use simulated::Simulated;
pub use target::{Target, is_simulated};
