//! Logs: to stderr, always, since stdout is for data and, under `tollgate mcp`, for the protocol.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use tollgate_config::{Log, LogFormat};

/// Starts logging. A level that cannot be parsed falls back to `info`; checked configuration has none of those.
pub fn init(log: &Log) {
    // The built-in upstream speaks through rmcp, whose own news is of use only to who asks for it.
    let quiet = if log.level.contains("rmcp") { String::new() } else { ",rmcp=error".into() };
    let filter = EnvFilter::try_new(format!("{}{quiet}", log.level)).unwrap_or_else(|_| EnvFilter::new("info"));
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Text => base.with_target(false).compact().try_init(),
        LogFormat::Json => base.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
