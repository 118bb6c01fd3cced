//! The built-in upstream `context`: what an agent needs to spend tokens knowingly, with nothing to install.
//!
//! An ordinary MCP server, connected through a pipe inside the process, so that the gateway treats it like any other.
//! `tollgate pack` uses the same parts.

mod binaries;
mod files;
mod folder;
mod kept;
mod packing;
mod pages;
mod server;
mod walk;
mod watch;

use std::{path::Path, sync::Arc};

use rmcp::ServiceExt;
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};

pub use binaries::{Ask as BinaryAsk, pack as pack_binary};
pub use files::Files;
pub use folder::Folder;
pub use packing::{Ask, pack};

use crate::store;
use kept::Kept;
use tollgate_config::{Models, Store as StoreConfig, StoreKind};

/// Bytes in flight between the gateway and the server, each way.
const PIPE_BYTES: usize = 64 << 10;

/// Where outlines are kept, below the data folder: apart from what must not be lost.
const KEPT_FOLDER: &str = "context";

/// Starts the server over `root` and returns the gateway's end of the pipe.
///
/// # Errors
/// That `root` is no folder that can be opened.
pub fn serve(
    root: &Path,
    max_file_bytes: u64,
    models: &Arc<Models>,
    store: &StoreConfig,
) -> Result<(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>), String> {
    let files = Files::open(root, max_file_bytes)?;
    let server = server::ContextServer::new(files, Arc::clone(models), store.clone());
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

/// The folder under `files`. Without a store that can be opened its outlines are made anew by each process.
pub fn open_folder(files: Files, store: &StoreConfig) -> Folder {
    let kept = match store.kind {
        StoreKind::Memory => None,
        _ => keep(&files, store),
    };
    Folder::new(files, kept)
}

fn keep(files: &Files, config: &StoreConfig) -> Option<Kept> {
    let folder = store::data_folder(config).ok()?.join(KEPT_FOLDER);
    let config = StoreConfig { kind: StoreKind::Sqlite, folder: Some(folder), ..config.clone() };
    let opened = store::open(&config).inspect_err(|error| tracing::debug!("outlines are not kept: {error}"));
    Some(Kept::new(opened.ok()?, files.root()))
}
