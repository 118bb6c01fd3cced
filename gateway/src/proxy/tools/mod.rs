//! The gate on REST: tools planned under a budget, those left out still reachable, and the gateway's own answers to the
//! model's searches and calls, round by round.

mod assemble;
mod calls;
mod deferred;
mod listing;
mod plan;
mod rounds;
mod shelf;
mod stream;

pub use assemble::Assembler;
pub use calls::run as run_tool;
pub use plan::{Gated, Planner, Rules, Shown, apply};
pub use rounds::{Round, Rounds};
pub use stream::{Work, relay, stop_of};
