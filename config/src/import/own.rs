//! Recognises the gateway among a client's servers: behind itself it would wait for its own list.

use serde_json::Value;

use super::launch::URLS;
use super::shape::Entry;
use crate::check::rules::split_port;

/// What `server.listen` says unless a user changes it.
const DEFAULT_PORT: &str = "7070";
const LOOPBACK: &[&str] = &["127.0.0.1", "localhost", "[::1]"];
/// The program, and the name that the greeting proposes for the entry.
const NAME: &str = "tollgate";

pub(super) fn is_gateway(entry: &Entry) -> bool {
    let text = |key: &&str| entry.value.get(key).and_then(Value::as_str);
    let by_url = URLS.iter().find_map(text).is_some_and(|url| is_own_url(url, entry.name == NAME));
    by_url || text(&"command").is_some_and(is_own_command)
}

/// Another port is the gateway's if the entry has its name.
fn is_own_url(url: &str, has_name: bool) -> bool {
    let Some((authority, path)) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let (host, port) = split_port(authority);
    let is_endpoint = path == "mcp" || path.starts_with("mcp/");
    is_endpoint && LOOPBACK.contains(&host) && (has_name || port == Some(DEFAULT_PORT))
}

fn is_own_command(command: &str) -> bool {
    let program = command.rsplit(['/', '\\']).next().unwrap_or_default();
    program.strip_suffix(".exe").unwrap_or(program) == NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_knows_itself() {
        let rows = [
            ("tollgate", r#"{"type": "http", "url": "http://127.0.0.1:7070/mcp"}"#, true),
            ("gate", r#"{"url": "http://localhost:7070/mcp/work"}"#, true),
            ("tollgate", r#"{"url": "http://[::1]:9000/mcp"}"#, true),
            ("gate", r#"{"url": "http://localhost:9000/mcp"}"#, false),
            ("gate", r#"{"url": "http://localhost:7070/other"}"#, false),
            ("tollgate", r#"{"url": "https://tollgate.example/mcp"}"#, false),
            ("gate", r#"{"command": "/opt/bin/tollgate", "args": ["mcp"]}"#, true),
            ("gate", r#"{"command": "C:\\bin\\tollgate.exe"}"#, true),
            ("tollgate", r#"{"command": "other"}"#, false),
            ("tollgate", "5", false),
        ];
        for (name, json, expected) in rows {
            let entry = Entry { name: name.to_owned(), value: serde_json::from_str(json).unwrap() };
            assert_eq!(is_gateway(&entry), expected, "{name} {json}");
        }
    }
}
