//! The built-in upstream `context`: what an agent needs to spend tokens knowingly, with nothing to install.
//!
//! An ordinary MCP server, connected through a pipe inside the process, so that the gateway treats it like any other.

mod files;
mod server;

use std::{path::Path, sync::Arc};

use rmcp::ServiceExt;
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};

use tollgate_config::Models;

/// Bytes in flight between the gateway and the server, each way.
const PIPE_BYTES: usize = 64 << 10;

/// Starts the server over `root` and returns the gateway's end of the pipe.
///
/// # Errors
/// That `root` is no folder that can be opened.
pub fn serve(
    root: &Path,
    max_file_bytes: u64,
    models: &Arc<Models>,
) -> Result<(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>), String> {
    let files = files::Files::open(root, max_file_bytes)?;
    let server = server::ContextServer::new(files, Arc::clone(models));
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(async move {
        match server.serve(tokio::io::split(theirs)).await {
            // Ends when the gateway closes its end.
            Ok(running) => drop(running.waiting().await),
            Err(error) => tracing::warn!(%error, "the context upstream did not start"),
        }
    });
    Ok(tokio::io::split(ours))
}
