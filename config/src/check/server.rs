//! `[server]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::rules;
use crate::config::{RequireKeys, Server};
use crate::error::{Report, quoted};
use crate::origin::Origin;
use crate::section::{At, Section};

const DAY_S: u64 = 24 * 60 * 60;
const KIB: u64 = 1024;
const GIB: u64 = KIB * KIB * KIB;

const REQUIRE_KEYS: &[(&str, RequireKeys)] =
    &[("auto", RequireKeys::Auto), ("always", RequireKeys::Always), ("never", RequireKeys::Never)];

pub(super) fn check(section: Section<'_>) -> Option<Server> {
    let listen = section.text("listen").and_then(|text| listen_address(&section, text));
    let allowed_hosts = names(&section, "allowed_hosts", rules::host);
    let allowed_origins = names(&section, "allowed_origins", rules::origin);
    let require_keys = section.choice("require_keys", REQUIRE_KEYS);
    let max_body_bytes = section.integer("max_body_bytes", KIB..=GIB);
    let cache_max_bytes = section.integer("cache_max_bytes", 0..=64 * GIB);
    let max_sessions = section.integer("max_sessions", 1..=1_000_000);
    let session_idle = section.integer("session_idle_s", 1..=7 * DAY_S);
    let lists_wait = section.integer("lists_wait_s", 0..=DAY_S);
    let shutdown_grace = section.integer("shutdown_grace_s", 0..=DAY_S);
    let keep_alive = section.integer("keep_alive_s", 1..=DAY_S);
    let report = section.report;
    let listen_origin = section.find("listen").map(|node| &node.origin);
    section.finish();
    let server = Server {
        listen: listen?,
        allowed_hosts: allowed_hosts?,
        allowed_origins: allowed_origins?,
        require_keys: require_keys?,
        max_body_bytes: usize::try_from(max_body_bytes?.value).ok()?,
        cache_max_bytes: usize::try_from(cache_max_bytes?.value).ok()?,
        max_sessions: usize::try_from(max_sessions?.value).ok()?,
        session_idle: Duration::from_secs(session_idle?.value),
        lists_wait: Duration::from_secs(lists_wait?.value),
        shutdown_grace: Duration::from_secs(shutdown_grace?.value),
        keep_alive: Duration::from_secs(keep_alive?.value),
    };
    listen_origin.into_iter().for_each(|origin| warn_of_others(&server, origin, report));
    Some(server)
}

/// Others reach anything but a loopback address, if by a name that is allowed.
fn warn_of_others(server: &Server, origin: &Origin, report: &Report) {
    if server.listen.ip().is_loopback() {
        return;
    }
    if server.require_keys == RequireKeys::Never {
        let message =
            format!("other machines reach `server.listen` of `{}`, and nobody is asked who they are", server.listen);
        let remedy = "set `server.require_keys` to `auto`, or let only a proxy with authentication reach it";
        report.warn(origin, message, remedy);
    }
    if server.hosts_for_others().next().is_none() {
        let message = "`server.allowed_hosts` has no host by which other machines reach it, so that they are refused";
        report.warn(origin, message, "add the host that stands in their URL");
    }
}

/// `localhost` is read as 127.0.0.1: resolving names is not a matter of configuration.
fn listen_address(section: &Section<'_>, text: At<'_, &str>) -> Option<SocketAddr> {
    let local = text.value.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let address = local.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let address = address.or_else(|| text.value.parse().ok());
    if address.is_none() {
        let message = format!("`server.listen` is not an address with a port: {}", quoted(text.value));
        section.fail(text.origin, message, "write it as `127.0.0.1:7070`");
    }
    address
}

fn names(
    section: &Section<'_>,
    key: &'static str,
    rule: impl Fn(&str) -> Result<(), &'static str>,
) -> Option<Vec<String>> {
    let check = |text: At<'_, &str>| match rule(text.value) {
        Ok(()) => Some(text.value.to_owned()),
        Err(remedy) => {
            let message = format!("illegal value {} in `{}`", quoted(text.value), section.path_of(key));
            section.fail(text.origin, message, remedy);
            None
        }
    };
    let checked: Vec<Option<String>> = section.texts(key)?.into_iter().map(check).collect();
    checked.into_iter().collect()
}
