//! MCPToolBench++ (Fan et al., arXiv 2508.07575), read as its files are. Its own metrics stand in a table of their own;
//! what counts as solved here is stricter: every call, in the order of the steps, bindings met.
//!
//! Not copied from its runner: the cut after the first 50 tasks, the end after one step, and timeouts of five seconds.

mod data;
mod paper;

use crate::score::{Gate, Judgement};
use crate::suite::{Opened, Setting, Suite, Tally};
use crate::task::Task;
use crate::trace::Trace;

/// The suite.
pub struct McpToolBench;

impl Suite for McpToolBench {
    fn name(&self) -> &'static str {
        "mcp-tool-bench"
    }

    fn about(&self) -> &'static str {
        "MCPToolBench++: calls of MCP tools, with the paper's metrics and stricter ones"
    }

    fn data(&self) -> Option<&'static str> {
        Some("a folder with MCPToolBench++'s JSON files")
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("MCPToolBench++'s JSON files")?;
        Ok(Opened::Tasks(data::tasks(files.clone())?))
    }

    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        let judged = crate::score::judge(task, trace);
        // Multi-step accuracy is about the calls; whether tools worked is another question.
        let dag = judged.solved || judged.stopped == Some(Gate::Executed);
        let mut numbers = paper::numbers(task, trace);
        numbers.insert("dag".to_owned(), f64::from(u8::from(dag)));
        Judgement { numbers, ..judged }
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::<paper::PassAtK>::default())
    }
}

#[cfg(test)]
mod tests;
