//! Who may talk to the endpoint: `Host` and `Origin` (against DNS rebinding), and content negotiation.

use http::{HeaderMap, StatusCode, Uri, header};

/// The hosts and origins that are let in.
#[derive(Clone, Debug)]
pub struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Guard {
    /// `hosts` are `host` (any port) or `host:port`; `origins` are `scheme://host`, with a port or `:*` for any.
    pub fn new(hosts: &[String], origins: &[String]) -> Self {
        let lower = |items: &[String]| items.iter().map(|it| it.to_ascii_lowercase()).collect();
        Self { hosts: lower(hosts), origins: lower(origins) }
    }

    /// Checks a request's `Host` and `Origin`.
    ///
    /// # Errors
    /// 403 and what to configure.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), (StatusCode, String)> {
        let text = |name| headers.get(name).and_then(|it: &http::HeaderValue| it.to_str().ok());
        let host = text(header::HOST).or_else(|| uri.authority().map(|it| it.as_str())).unwrap_or_default();
        if !self.admits_host(&host.to_ascii_lowercase()) {
            return Err(forbidden("host", host, "server.allowed_hosts"));
        }
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) => {
                let origin = origin.to_str().unwrap_or_default();
                let admitted = self.admits_origin(&origin.to_ascii_lowercase());
                if admitted { Ok(()) } else { Err(forbidden("origin", origin, "server.allowed_origins")) }
            }
        }
    }

    fn admits_host(&self, host: &str) -> bool {
        let (name, _) = split_port(host);
        self.hosts.iter().any(|allowed| allowed == "*" || allowed == host || allowed == name)
    }

    fn admits_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| match allowed.strip_suffix(":*") {
            Some(any_port) => {
                let rest = origin.strip_prefix(any_port);
                rest.is_some_and(|it| it.is_empty() || it.strip_prefix(':').is_some_and(is_port))
            }
            None => allowed == "*" || allowed == origin,
        })
    }
}

fn forbidden(what: &str, value: &str, key: &str) -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, format!("the {what} `{value}` is not allowed; add it to `{key}`\n"))
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// `host:port` apart; the colons of an IPv6 address stay inside its brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => (name, Some(port)),
        _ => (host, None),
    }
}

/// Whether `Accept` admits a media type; an absent header admits everything.
pub fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter().filter_map(|it| it.to_str().ok()).peekable();
    if values.peek().is_none() {
        return true;
    }
    let family = kind.split('/').next().unwrap_or_default();
    values.flat_map(|it| it.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|it| it.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
        !refused && (essence == kind || essence == "*/*" || essence == format!("{family}/*"))
    })
}

/// Whether the body is declared as JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_known_hosts_and_origins_pass() {
        let list = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
        let guard = Guard::new(
            &list(&["localhost", "127.0.0.1", "[::1]", "gw.example:8080"]),
            &list(&["http://localhost:*", "https://app.example"]),
        );
        for (host, origin, passes) in [
            ("localhost", None, true),
            ("LOCALHOST:7070", None, true),
            ("127.0.0.1:1", None, true),
            ("[::1]:7070", None, true),
            ("gw.example:8080", None, true),
            ("gw.example", None, false),
            ("gw.example:81", None, false),
            ("evil.example", None, false),
            ("localhost.evil.example", None, false),
            ("", None, false),
            ("localhost", Some("http://localhost:3000"), true),
            ("localhost", Some("http://localhost"), true),
            ("localhost", Some("https://localhost:3000"), false),
            ("localhost", Some("http://localhost:3000.evil.example"), false),
            ("localhost", Some("http://localhost.evil.example"), false),
            ("localhost", Some("https://app.example"), true),
            ("localhost", Some("null"), false),
        ] {
            let mut pairs = vec![("host", host)];
            pairs.extend(origin.map(|it| ("origin", it)));
            let checked = guard.check(&headers(&pairs), &Uri::from_static("/mcp"));
            assert_eq!(checked.is_ok(), passes, "{host} {origin:?}");
        }
    }

    #[test]
    fn accept_is_read_as_http_means_it() {
        for (accept, json, events) in [
            ("application/json, text/event-stream", true, true),
            ("application/json;q=0.9,text/*", true, true),
            ("*/*", true, true),
            ("application/json", true, false),
            ("text/html, text/event-stream;q=0", false, false),
        ] {
            let headers = headers(&[("accept", accept)]);
            assert_eq!(
                (accepts(&headers, "application/json"), accepts(&headers, "text/event-stream")),
                (json, events),
                "{accept}"
            );
        }
        assert!(accepts(&HeaderMap::new(), "application/json"));
        assert!(is_json(&headers(&[("content-type", "Application/JSON; charset=utf-8")])));
        assert!(!is_json(&headers(&[("content-type", "text/plain")])));
    }
}
