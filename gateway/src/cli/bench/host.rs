//! Who runs the tools: a mock made from their definitions.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::Value;

use tollgate_benchmarks::{episode::Ran, host::Mock, task::Task};

/// A tool host.
pub trait Host: Send + Sync {
    /// Calls a tool.
    ///
    /// # Errors
    /// That the host itself is gone, which says nothing about the model.
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>>;
}

impl Host for Mock {
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>> {
        let (ran, latency_ms) = Mock::call(self, task, tool, arguments);
        async move {
            if latency_ms > 0 {
                tokio::time::sleep(Duration::from_millis(latency_ms)).await;
            }
            Ok(ran)
        }
        .boxed()
    }
}
