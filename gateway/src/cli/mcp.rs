//! `tollgate mcp`.

use clap::Args;
use tokio::io::BufReader;

use super::{ConfigSource, Failure, runtime, start, watch};
use crate::{app::App, mcp::stdio, proxy::Proxy, serve::DEFAULT_PROFILE, signal};

/// Serve MCP on stdin and stdout.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, for a client's mcp.json; most clients start elsewhere, so paths are absolute:
  {\"mcpServers\": {\"tollgate\": {
    \"command\": \"/home/me/.cargo/bin/tollgate\", \"args\": [\"mcp\", \"-c\", \"/home/me/tollgate.toml\"]}}}")]
pub struct McpArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// The profile to serve
    #[arg(short, long, default_value = DEFAULT_PROFILE)]
    profile: String,
}

pub fn run(args: &McpArgs) -> Result<(), Failure> {
    let loaded = start::load(&args.source)?;
    watch::start(&loaded.files);
    let config = loaded.config;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let (app, gate) = App::of_profile(&config, &args.profile)?;
        let proxy = app.asks_models().then(|| Proxy::open(&config, &app.gates)).transpose()?;
        proxy.iter().for_each(|proxy| app.ask_through(proxy));
        app.start();
        let reader = BufReader::new(tokio::io::stdin());
        let serving = stdio::serve(gate, reader, tokio::io::stdout(), config.server.max_body_bytes);
        // A client that sends a signal has waited long enough for running calls.
        let served = signal::interruptible(serving).await.unwrap_or(Ok(()));
        app.stop().await;
        if let Some(proxy) = proxy {
            proxy.close().await;
        }
        served.map_err(|error| format!("the pipe to the client broke ({error})"))
    });
    // A thread of the runtime may still be reading stdin, which nothing can interrupt.
    runtime.shutdown_background();
    served.map_err(Failure::from)
}
