//! The two eras of MCP and what tells them apart: versions, reserved `_meta` keys, methods.
//!
//! Sources: the specification's revisions 2025-11-25 (lifecycle) and 2026-07-28 (versioning, `_meta`, error codes).

use super::{
    jsonrpc::{Fault, Raw, raw},
    object::RawObject,
};

/// Which lifecycle a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// `initialize` and sessions: 2025-11-25 and before.
    Legacy,
    /// Every request carries its own version and capabilities: 2026-07-28 and after.
    Modern,
}

/// The revisions served, newest first.
pub const MODERN_VERSIONS: &[&str] = &["2026-07-28"];
pub const LEGACY_VERSIONS: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
pub const LATEST_MODERN: &str = "2026-07-28";
pub const LATEST_LEGACY: &str = "2025-11-25";

pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
pub const META_CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
pub const META_SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
pub const META_SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

pub const HEADER_MISMATCH: i64 = -32020;
pub const MISSING_CAPABILITY: i64 = -32021;
pub const UNSUPPORTED_VERSION: i64 = -32022;
/// 2025-11-25 and before; 2026-07-28 uses `-32602` instead.
pub const RESOURCE_NOT_FOUND: i64 = -32002;

/// Log levels of RFC 5424 as MCP names them, quietest last.
pub const LOG_LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Where `level` stands in [`LOG_LEVELS`].
pub fn log_level(level: &str) -> Option<u8> {
    LOG_LEVELS.iter().position(|it| *it == level).and_then(|it| u8::try_from(it).ok())
}

/// The version to answer an `initialize` with: the one asked for if it is served, else the newest of its era.
pub fn negotiate_legacy(requested: &str) -> &'static str {
    LEGACY_VERSIONS.iter().find(|it| **it == requested).copied().unwrap_or(LATEST_LEGACY)
}

/// Whether a version string names the modern era (dates compare as text).
pub fn is_modern_version(version: &str) -> bool {
    version >= LATEST_MODERN
}

/// The error that names what is spoken here.
pub fn unsupported_version(requested: &str) -> Fault {
    let supported: Vec<_> = MODERN_VERSIONS.iter().chain(LEGACY_VERSIONS).collect();
    Fault::with_data(
        UNSUPPORTED_VERSION,
        format!("unsupported protocol version `{requested}`"),
        serde_json::json!({"supported": supported, "requested": requested}),
    )
}

/// Who this gateway is, as `serverInfo` and `clientInfo`.
pub fn implementation() -> Raw {
    raw(&serde_json::json!({
        "name": "tollgate",
        "title": "Tollgate",
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// Marks a result as final for a modern client, where a legacy server did not.
pub fn complete_result(result: Raw, cacheable: bool) -> Raw {
    let Some(mut object) = RawObject::parse(&result) else { return result };
    let mut changed = false;
    for (key, value) in [("resultType", "\"complete\""), ("ttlMs", "0"), ("cacheScope", "\"private\"")] {
        let wanted = key == "resultType" || cacheable;
        if wanted && object.get(key).is_none() {
            object.set(key, json_literal(value));
            changed = true;
        }
    }
    if changed { object.to_raw() } else { result }
}

/// Raw JSON from text that is JSON by construction.
fn json_literal(text: &str) -> Raw {
    serde_json::from_str(text).unwrap_or_else(|_| raw(&()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legacy_client_gets_its_version_or_the_newest() {
        for (asked, given) in [
            ("2025-11-25", "2025-11-25"),
            ("2024-11-05", "2024-11-05"),
            ("2026-07-28", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
        ] {
            assert_eq!(negotiate_legacy(asked), given, "{asked}");
        }
    }

    #[test]
    fn results_are_completed_once() {
        let check = |input: &str, cacheable, expected: &str| {
            assert_eq!(complete_result(serde_json::from_str(input).unwrap(), cacheable).get(), expected);
        };
        check(r#"{"content":[]}"#, false, r#"{"content":[],"resultType":"complete"}"#);
        check(r#"{"resultType":"input_required"}"#, false, r#"{"resultType":"input_required"}"#);
        check(
            r#"{"contents":[],"ttlMs":5}"#,
            true,
            r#"{"contents":[],"ttlMs":5,"resultType":"complete","cacheScope":"private"}"#,
        );
    }
}
