//! Which headers pass the gate, and which it writes itself.
//!
//! Both ways by list: a credential of the client's, a cookie or a hop-by-hop header never passes because nobody thought of
//! it.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use indexmap::IndexMap;

use tollgate_config::{Secret, WireFormat};

/// The version of Anthropic's API that is asked for where the client names none.
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
const ANTHROPIC_VERSION_NAME: HeaderName = HeaderName::from_static("anthropic-version");

/// Headers of a request that reach the provider; a `-` at the end stands for all that begin so.
pub const ASK_HEADERS: &[&str] =
    &["anthropic-beta", "anthropic-version", "idempotency-key", "openai-beta", "traceparent", "tracestate"];

/// Headers of an answer that reach the client.
pub const ANSWER_HEADERS: &[&str] = &[
    "anthropic-ratelimit-",
    "content-type",
    "openai-processing-ms",
    "openai-version",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "should-retry",
    "x-ratelimit-",
    "x-request-id",
    "x-should-retry",
];

/// The headers that are on the list.
pub fn keep(headers: &HeaderMap, list: &[&str]) -> HeaderMap {
    let is_kept = |name: &str| list.iter().any(|it| if it.ends_with('-') { name.starts_with(it) } else { name == *it });
    headers
        .iter()
        .filter(|(name, _)| is_kept(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Adds what every request needs, and what the configuration says on top.
pub(super) fn complete(headers: &mut HeaderMap, format: WireFormat, configured: &IndexMap<String, Secret>) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Answers are read here; no header at all would leave the coding to the provider (RFC 9110, section 12.5.3).
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if format == WireFormat::Anthropic {
        headers.entry(ANTHROPIC_VERSION_NAME).or_insert(ANTHROPIC_VERSION);
    }
    for (name, value) in configured {
        // Both were checked when the configuration was read.
        if let (Ok(name), Ok(mut value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value.expose())) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_passes() {
        let names = [
            "authorization",
            "cookie",
            "x-api-key",
            "host",
            "connection",
            "anthropic-beta",
            "anthropic-betas",
            "x-ratelimit-remaining",
            "set-cookie",
            "request-id",
        ];
        let headers: HeaderMap =
            names.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("v"))).into_iter().collect();
        let kept = |list| {
            let mut names: Vec<_> = keep(&headers, list).keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(kept(ASK_HEADERS), ["anthropic-beta"]);
        assert_eq!(kept(ANSWER_HEADERS), ["request-id", "x-ratelimit-remaining"]);
    }

    #[test]
    fn anthropic_is_told_a_version_unless_the_client_did() {
        let version = |headers: &mut HeaderMap, format| {
            complete(headers, format, &IndexMap::new());
            headers.get("anthropic-version").cloned()
        };
        assert_eq!(version(&mut HeaderMap::new(), WireFormat::Anthropic), Some(ANTHROPIC_VERSION));
        assert_eq!(version(&mut HeaderMap::new(), WireFormat::OpenaiChat), None);
        let mut told = HeaderMap::from_iter([(ANTHROPIC_VERSION_NAME, HeaderValue::from_static("x"))]);
        assert_eq!(version(&mut told, WireFormat::Anthropic).unwrap(), "x");
    }
}
