//! `tollgate serve`, the default command.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{ConfigSource, Failure, live, print, runtime, start, watch};
use crate::{
    app::App,
    serve::{self, DEFAULT_PROFILE},
    signal, upstream,
};
use tollgate_config::Config;

/// Serve MCP over streamable HTTP.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  tollgate serve
  tollgate serve --config tollgate.toml --listen 127.0.0.1:9000
  tollgate serve --set profiles.default.tools_budget_tokens=2000")]
pub struct ServeArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(short, long, value_name = "ADDRESS")]
    pub(super) listen: Option<SocketAddr>,
}

pub fn run(args: ServeArgs) -> Result<(), Failure> {
    let mut source = args.source;
    if let Some(listen) = args.listen {
        source.overrides.push(("server.listen".into(), format!("\"{listen}\"")));
    }
    let loaded = start::load(&source)?;
    watch::start(&loaded.files);
    runtime()?.block_on(serve_until_stopped(&loaded.config))
}

async fn serve_until_stopped(config: &Config) -> Result<(), Failure> {
    let app = Arc::new(App::new(config)?);
    let listener = serve::bind(config.server.listen).await?;
    let address = listener.local_addr().map_err(|error| format!("the listener has no address ({error})"))?;
    app.start();
    print(&greeting(config, address))?;
    let closing = CancellationToken::new();
    let reporting = tokio::spawn(report(Arc::clone(&app)));
    tokio::spawn(close_on_signal(closing.clone()));
    let served = serve::run(Arc::clone(&app), listener, &config.server, closing).await;
    reporting.abort();
    app.stop().await;
    served.map_err(|error| format!("the server broke ({error})").into())
}

fn greeting(config: &Config, address: SocketAddr) -> String {
    let base = format!("http://{address}/mcp");
    let mut text = format!("tollgate {} serves MCP at\n", env!("CARGO_PKG_VERSION"));
    for name in config.profiles.keys() {
        let url = if name == DEFAULT_PROFILE { base.clone() } else { format!("{base}/{name}") };
        text.push_str(&format!("  {url}\n"));
    }
    text.push_str(&format!("Claude Code:\n  claude mcp add --transport http tollgate {base}\n"));
    text
}

/// Says what the plans came to, once the upstreams are up.
async fn report(app: Arc<App>) {
    app.settled().await;
    for gate in app.gates.values() {
        let lazy = gate.upstreams.iter().any(|it| matches!(it.state(), crate::upstream::State::Idle));
        if lazy {
            tracing::info!(profile = gate.profile.name, "upstreams that start on demand are not counted yet");
        }
        match gate.view().await {
            // Nobody reading stdout is no reason to stop serving.
            Ok(view) => drop(print(&live::summary(gate, &view))),
            Err(fault) => tracing::error!(reason = fault.message(), "no plan"),
        }
    }
}

/// The first signal lets running calls finish; a second one ends the process.
async fn close_on_signal(closing: CancellationToken) {
    if signal::asked_to_end().await {
        tracing::info!("shutting down; running calls may finish, press Ctrl-C again to end them");
        closing.cancel();
        if signal::asked_to_end().await {
            upstream::kill_all();
            std::process::exit(130);
        }
    }
}
