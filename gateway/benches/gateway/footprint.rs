//! Memory at rest and time to start, beside a peer.
//!
//! The upstreams' own processes are not counted; the tokenizer's tables are loaded, since a list was planned before.

use std::{
    fmt::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::client::{Client, median, start_gateway};
use crate::process::{Process, binary, free_port};

const UPSTREAMS: usize = 5;
const STARTS: usize = 11;

/// Prints start-up time, memory, and a peer's memory.
pub async fn run(peers: Option<PathBuf>) {
    start_up().await;
    memory().await;
    if let Some(peers) = peers {
        peer_memory(&peers).await;
    }
}

/// From the start of the process to the first answer, with no upstream.
async fn start_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[profiles.default]\nupstreams = [\"none\"]\n[upstreams.none]\nenabled = true\nbuiltin = \"context\"\nroot = \".\"\nstart = \"lazy\"\n";
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let (_process, url) = start_gateway(folder.path(), "none", config);
        let health = url.replace("/mcp", "/healthz");
        while answers(&health).await.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("start-up without upstreams: median {:.1} ms of {STARTS}", median(&mut times));
}

async fn answers(url: &str) -> Option<()> {
    // Installed once for the whole process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().ok()?.get(url).send().await.ok().map(|_| ())
}

async fn memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = binary("tollgate-fixture");
    let mut config = String::from("[profiles.default]\nupstreams = [\"u*\"]\ntools_budget_tokens = 4000\n");
    for it in 0..UPSTREAMS {
        write!(config, "[upstreams.u{it}]\ncommand = {fixture:?}\nargs = [\"stdio\"]\n").expect("a string");
    }
    let (process, url) = start_gateway(folder.path(), "five", &config);
    let client = Client::open(&url).await;
    let list = client.list_tools().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!(
        "RSS at rest, {UPSTREAMS} upstreams, list of {} bytes planned: {:.1} MB",
        list.len(),
        process.pid.rss_mb()
    );
}

async fn peer_memory(venv: &std::path::Path) {
    let fixture = binary("tollgate-fixture");
    let port = free_port();
    let mut command = Command::new(venv.join("bin/mcp-compressor"));
    command.args(["--transport", "streamable-http", "--port", &port.to_string()]);
    for it in 0..UPSTREAMS {
        command.args(["--multi-server", &format!("u{it}={} stdio", fixture.display())]);
    }
    let process = Process::start(command.stdout(Stdio::null()));
    let client = Client::open(&format!("http://127.0.0.1:{port}/mcp")).await;
    client.list_tools().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("RSS at rest, mcp-compressor (no tokenizer), {UPSTREAMS} upstreams: {:.1} MB", process.pid.rss_mb());
}
