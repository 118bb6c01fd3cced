//! What a client lets a server do: on or off, for how long, with which tools.

use serde_json::Value;

use super::server::Server;
use super::{ignored, scalars};

/// Limits of `call_timeout_s`.
const MAX_TIMEOUT_S: u64 = 24 * 60 * 60;

/// Larger numbers can only be milliseconds.
const MAX_PLAUSIBLE_S: u64 = 999;

pub(super) fn read(server: &mut Server) {
    enabled(server);
    timeout(server);
    tools(server, "allow", &["includeTools", "allowedTools", "enabled_tools"]);
    tools(server, "deny", &["excludeTools", "disabledTools", "disabled_tools"]);
    approvals(server);
}

fn enabled(server: &mut Server) {
    let disabled = server.take(&["disabled"]).and_then(|(_, value)| value.as_bool());
    let enabled = server.take(&["enabled"]).and_then(|(_, value)| value.as_bool());
    if disabled == Some(true) || enabled == Some(false) {
        server.set("enabled", false);
    }
}

/// Clients write seconds or milliseconds under the same name.
fn timeout(server: &mut Server) {
    let keys = ["timeout", "connectionTimeout", "tool_timeout_sec"];
    let Some((key, value)) = server.take(&keys) else {
        return;
    };
    let Some(number) = value.as_u64().filter(|number| *number > 0) else {
        server.note(ignored(key, &value));
        return;
    };
    let (seconds, unit) = match number > MAX_PLAUSIBLE_S {
        true => (number.div_ceil(1000), "milliseconds"),
        false => (number, "seconds"),
    };
    let seconds = seconds.min(MAX_TIMEOUT_S);
    server.note(format!("`{key} = {number}` was read as {unit}"));
    server.set("call_timeout_s", i64::try_from(seconds).unwrap_or(i64::MAX));
}

/// Names there, globs here.
fn tools(server: &mut Server, ours: &str, theirs: &[&'static str]) {
    let Some((key, value)) = server.take(theirs) else {
        return;
    };
    match scalars(&value).map(|names| names.into_iter().filter(|name| !name.is_empty())) {
        Some(names) => {
            let globs: Vec<String> = names.map(|name| escape(&name)).collect();
            if !globs.is_empty() {
                server.set(ours, globs);
            }
        }
        None => server.note(ignored(key, &value)),
    }
}

/// A bare `*` means all tools to clients too. `globset` does not escape its own escape.
fn escape(name: &str) -> String {
    if name == "*" { name.to_owned() } else { globset::escape(&name.replace('\\', r"\\")) }
}

/// Whether a person is asked before a call is the client's business, before and after the import.
fn approvals(server: &mut Server) {
    for key in ["autoApprove", "alwaysAllow", "trust"] {
        let is_empty = |value: &Value| match value {
            Value::Array(items) => items.is_empty(),
            value => *value == Value::Bool(false),
        };
        if server.take(&[key]).is_some_and(|(_, value)| !is_empty(&value)) {
            server.note(format!("`{key}` was dropped: the client, not the gateway, asks before calls"));
        }
    }
}
