//! The suites: a file and a line each.

mod bfcl;
mod generated;
mod longins;
mod longproc;
mod mcp_tool_bench;
mod needle;
mod nestful;
mod noise;
pub mod own;
mod retrieval;
mod ruler;
mod synthetic;
mod token_counts;

use crate::suite::Suite;

/// All suites, in the order in which they are listed.
pub static SUITES: &[&dyn Suite] = &[
    &synthetic::SyntheticTools,
    &needle::NeedleThreading,
    &ruler::Ruler,
    &longproc::LongProc,
    &longins::LongIns,
    &mcp_tool_bench::McpToolBench,
    &bfcl::Bfcl,
    &nestful::Nestful,
    &retrieval::Retrieval,
    &token_counts::TokenCounts,
    &own::OwnTasks,
];

/// The suite of that name.
///
/// # Errors
/// The names that there are.
pub fn suite(name: &str) -> Result<&'static dyn Suite, String> {
    SUITES.iter().copied().find(|it| it.name() == name).ok_or_else(|| {
        let known: Vec<&str> = SUITES.iter().map(|it| it.name()).collect();
        format!("unknown suite `{name}`; there are {}", known.join(", "))
    })
}
