//! What single words may look like. Pure predicates; where a rule has several ways to fail, the
//! error is the remedy.

use std::net::IpAddr;

/// Upstream ids and profile names appear in URLs and in tool names: `^[a-z0-9][a-z0-9_-]{0,31}$`.
pub(crate) fn is_id(text: &str) -> bool {
    let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    text.len() <= 32 && text.chars().all(tail) && !text.starts_with(['_', '-']) && !text.is_empty()
}

pub(super) const ID_REMEDY: &str = "use 1 to 32 of `a-z`, `0-9`, `_` and `-`, starting with a letter or digit";

/// What every model provider accepts as a function name.
pub(super) fn is_tool_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A host name or address, with or without a port.
pub(super) fn host(text: &str) -> Result<(), &'static str> {
    let (host, port) = split_port(text);
    let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c));
    let bracketed = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    match named && bracketed && port.is_none_or(is_port) {
        true => Ok(()),
        false => Err("write a host name or address such as `example.org` or `example.org:8443`"),
    }
}

/// A host, with or without a port, that only this machine calls itself.
pub(crate) fn is_loopback_host(text: &str) -> bool {
    let (host, _) = split_port(text);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

/// `scheme://host`, `scheme://host:port` or `scheme://host:*`.
pub(super) fn origin(text: &str) -> Result<(), &'static str> {
    let remedy = "write an origin such as `https://example.org` or `http://localhost:*`";
    let (scheme, rest) = text.split_once("://").ok_or(remedy)?;
    let rest = rest.strip_suffix(":*").unwrap_or(rest);
    let scheme_is_legal = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match scheme_is_legal && host(rest).is_ok() {
        true => Ok(()),
        false => Err(remedy),
    }
}

/// The last colon starts a port unless it stands inside brackets.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `http` or `https`, a host, and nothing that cannot stand in a request line.
pub(crate) fn url(text: &str) -> Result<(), &'static str> {
    let scheme = "write a URL that starts with `https://` or `http://`";
    let lower = text.to_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).ok_or(scheme)?;
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("percent-encode everything but visible ASCII");
    }
    if text.contains('#') {
        return Err("remove the `#` fragment, servers never see it");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host_and_port = authority.rsplit('@').next().unwrap_or_default();
    host(host_and_port).map_err(|_| "give it a host, such as `https://example.org/mcp`")
}

/// Several words, of which a program without arguments cannot be one: paths may hold spaces.
pub(crate) fn is_command_line(command: &str) -> bool {
    command.split_whitespace().count() > 1 && !command.contains(['/', '\\'])
}

/// A token of RFC 9110, section 5.6.2.
pub(crate) fn is_header_name(text: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(token)
}

/// Headers that the gateway writes itself.
const OWN_HEADERS: &[&str] =
    &["accept", "connection", "content-length", "content-type", "host", "last-event-id", "transfer-encoding"];

pub(crate) fn is_own_header(name: &str) -> bool {
    let name = name.to_lowercase();
    OWN_HEADERS.contains(&name.as_str()) || name.starts_with("mcp-")
}

/// Visible ASCII, spaces and tabs: RFC 9110, section 5.5, without the obsolete bytes.
pub(crate) fn is_header_value(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: impl Fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule(text), "{text:?} should pass");
        }
        for text in bad {
            assert!(!rule(text), "{text:?} should not pass");
        }
    }

    #[test]
    fn words() {
        check(
            is_id,
            &["a", "0", "my-docs_2", &"x".repeat(32)],
            &["", "-a", "_a", "A", "a b", "a.b", "é", &"x".repeat(33)],
        );
        check(is_tool_name, &["a", "A-b_1", &"x".repeat(64)], &["", "a.b", "a/b", "a b", &"x".repeat(65)]);
        check(is_header_name, &["Authorization", "X-Api_Key"], &["", "a b", "a:", "é", "a\n"]);
        check(is_header_value, &["", "Bearer x", "a\tb"], &["a\nb", "a\rb", "é", "\0"]);
        check(is_own_header, &["Host", "MCP-Session-Id"], &["Authorization", "Cookie"]);
    }

    #[test]
    fn network_names() {
        check(
            |text| host(text).is_ok(),
            &["localhost", "127.0.0.1", "[::1]", "[::1]:80", "a.example:8443"],
            &["", "http://a", "a/b", "*", "a:0", "a:x", "::1", "a b"],
        );
        check(
            is_loopback_host,
            &["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:80"],
            &["a.example", "192.168.1.5:80", "[fe80::1]", "0.0.0.0", "localhost.example"],
        );
        check(
            |text| origin(text).is_ok(),
            &["http://localhost", "http://localhost:*", "https://a.example:8443", "vscode-webview://x"],
            &["", "*", "localhost", "http://", "https://a/", "https://a:0", "://a"],
        );
        check(
            |text| url(text).is_ok(),
            &["https://a.example/mcp", "HTTP://localhost:1/x?y=z", "https://u:p@a.example/", "http://[::1]:8/"],
            &[
                "",
                "a.example",
                "ftp://a",
                "ws://a",
                "https://",
                "https:///x",
                "https://a b",
                "https://a/#x",
                "https://é",
            ],
        );
    }
}
