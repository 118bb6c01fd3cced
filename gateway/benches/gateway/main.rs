//! The gateway measured from outside, as a process.
//!
//! `cargo build --release --workspace`, then
//! `cargo bench -p tollgate --bench gateway -- overhead [--peers VENV] [--calls N] [--json]` or
//! `cargo bench -p tollgate --bench gateway -- footprint [--peers VENV]`, where VENV is a Python environment with
//! `mcp-compressor` and `mcp-proxy`. Linux only: CPU time and memory come from `/proc`.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "what cannot be measured ends the run")]

mod client;
mod footprint;
mod overhead;
#[path = "../shared/process.rs"]
mod process;

use std::path::PathBuf;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|it| it == name).and_then(|at| args.get(at + 1)).cloned();
    let has = |name: &str| args.iter().any(|it| it == name);
    let peers = option("--peers").map(PathBuf::from);
    let calls: usize = option("--calls").map_or(2_000, |it| it.parse().expect("--calls N"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    if !has("footprint") {
        runtime.block_on(overhead::run(calls, peers.clone(), has("--json")));
    }
    if !has("overhead") {
        runtime.block_on(footprint::run(peers));
    }
}
