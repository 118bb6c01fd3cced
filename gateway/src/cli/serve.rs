//! `tollgate serve`, the default command.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{ConfigSource, Failure, live, pins, print, runtime, start, watch};
use crate::{
    app::App,
    model_files,
    proxy::Proxy,
    serve::{self, DEFAULT_PROFILE},
    signal, upstream,
};
use tollgate_config::{Config, Server};

/// Serve MCP over streamable HTTP, and LLM APIs over REST.
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
    loaded.missing_keys().iter().for_each(|it| tracing::warn!("{it}"));
    model_files::read_all(&loaded.config).map_err(Failure)?;
    watch::start(&loaded.files);
    runtime()?.block_on(serve_until_stopped(&loaded.config))
}

async fn serve_until_stopped(config: &Config) -> Result<(), Failure> {
    let app = Arc::new(App::new(config)?);
    let proxy = Proxy::open(config, &app.gates)?;
    let listener = serve::bind(config.server.listen).await?;
    let address = listener.local_addr().map_err(|error| format!("the listener has no address ({error})"))?;
    app.ask_through(&proxy);
    app.start();
    proxy.jobs.resume(&proxy);
    print(&greeting(config, address))?;
    let closing = CancellationToken::new();
    let reporting = tokio::spawn(report(Arc::clone(&app)));
    tokio::spawn(close_on_signal(closing.clone()));
    let served = serve::run(Arc::clone(&app), &proxy, listener, &config.server, closing).await;
    reporting.abort();
    app.stop().await;
    proxy.close().await;
    served.map_err(|error| format!("the server broke ({error})").into())
}

fn greeting(config: &Config, address: SocketAddr) -> String {
    let bases: Vec<_> = hosts(&config.server, address).iter().map(|host| format!("http://{host}/mcp")).collect();
    let mut text = format!("tollgate {} serves MCP at\n", env!("CARGO_PKG_VERSION"));
    for (base, name) in bases.iter().flat_map(|base| config.profiles.keys().map(move |name| (base, name))) {
        let url = if name == DEFAULT_PROFILE { base.clone() } else { format!("{base}/{name}") };
        text.push_str(&format!("  {url}\n"));
    }
    let base = bases.last().map(String::as_str).unwrap_or_default();
    text.push_str(&format!("Claude Code:\n  claude mcp add --transport http tollgate {base}\n"));
    let root = base.trim_end_matches("/mcp");
    text.push_str("and LLM APIs, for clients of OpenAI and of Anthropic, at\n");
    text.push_str(&format!("  OPENAI_BASE_URL={root}/v1\n  ANTHROPIC_BASE_URL={root}\n"));
    text
}

/// The hosts of URLs that are answered: `0.0.0.0` is no destination, and a host that is not allowed is refused.
fn hosts(server: &Server, address: SocketAddr) -> Vec<String> {
    let loopback = match address {
        _ if !address.ip().is_unspecified() => None,
        SocketAddr::V4(_) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))),
        SocketAddr::V6(_) => Some(SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))),
    };
    let mut hosts: Vec<_> = loopback.iter().map(ToString::to_string).collect();
    if !address.ip().is_loopback() {
        hosts.extend(server.hosts_for_others().map(|host| with_port(host, address.port())));
    }
    if hosts.is_empty() { vec![address.to_string()] } else { hosts }
}

/// A colon after the brackets of an IPv6 address, or anywhere else, starts a port.
fn with_port(host: &str, port: u16) -> String {
    let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

/// Says what the plans came to, once the upstreams are up.
async fn report(app: Arc<App>) {
    app.settled().await;
    let mut shown = Vec::new();
    for gate in app.gates.values() {
        let lazy = gate.upstreams.iter().any(|it| matches!(it.state(), crate::upstream::State::Idle));
        if lazy {
            tracing::info!(profile = gate.profile.name, "upstreams that start on demand are not counted yet");
        }
        match gate.view().await {
            // Nobody reading stdout is no reason to stop serving.
            Ok(view) => {
                drop(print(&live::summary(gate, &view)));
                shown.push((Arc::clone(gate), view));
            }
            Err(fault) => tracing::error!(reason = fault.message(), "no plan"),
        }
    }
    for pin in pins::unmatched(&shown) {
        tracing::warn!("no tool matches the pin `{pin}`; `tollgate plan` shows their names");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_hosts_that_are_answered() {
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let named = ["localhost", "gate.example", "192.168.1.5", "[fd00::5]", "gate.example:443"];
        let ports = ["gate.example:7070", "192.168.1.5:7070", "[fd00::5]:7070", "gate.example:443"];
        let rows: &[(&str, &[&str], &[&str])] = &[
            ("127.0.0.1:7070", &named, &["127.0.0.1:7070"]),
            ("0.0.0.0:7070", &local, &["127.0.0.1:7070"]),
            ("[::]:7070", &local, &["[::1]:7070"]),
            ("0.0.0.0:7070", &named, &[&["127.0.0.1:7070"], &ports[..]].concat()),
            ("192.168.1.5:7070", &named, &ports),
            ("192.168.1.5:7070", &local, &["192.168.1.5:7070"]),
        ];
        let sources = tollgate_config::Sources { working_dir: "/".into(), ..Default::default() };
        let tokenizers: Vec<&str> = tollgate_tokenizers::TOKENIZERS.iter().map(|it| &*it.name).collect();
        let defaults = tollgate_config::parse(&sources, &tokenizers).unwrap().config.server;
        for (address, allowed, expected) in rows {
            let allowed_hosts = allowed.iter().map(ToString::to_string).collect();
            let server = Server { allowed_hosts, ..defaults.clone() };
            assert_eq!(hosts(&server, address.parse().unwrap()), *expected, "{address} {allowed:?}");
        }
    }
}
