//! `[upstreams.*]` and `[upstream_defaults]`: everything about an upstream but how it is reached.

use std::time::Duration;

use indexmap::IndexMap;

use super::{Context, rules, transport};
use crate::config::{Backoff, Start, Upstream};
use crate::error::quoted;
use crate::glob::glob;
use crate::raw::{Node, Table};
use crate::section::Section;

const MAX_TIMEOUT_S: u64 = 24 * 60 * 60;
const MAX_BACKOFF_MS: u64 = 60 * 60 * 1000;
const MAX_MESSAGE_BYTES: u64 = 1024 * 1024 * 1024;
const STARTS: &[(&str, Start)] = &[("eager", Start::Eager), ("lazy", Start::Lazy)];

/// What `[upstream_defaults]` and an upstream's own table have in common.
struct Common {
    enabled: bool,
    start: Start,
    startup_timeout: Duration,
    call_timeout: Duration,
    restart: Backoff,
    allow: Vec<String>,
    deny: Vec<String>,
    pins: Vec<String>,
    validate_arguments: bool,
    max_message_bytes: usize,
}

/// Checks one upstream over the defaults.
pub(super) fn check(id: &str, node: &Node, defaults: Option<&Table>, context: Context<'_>) -> Option<Upstream> {
    let section = Section::open("upstreams.*", id, node, context.report)?.over("upstream_defaults", defaults);
    if !rules::is_id(id) {
        let message = format!("illegal upstream id {}", quoted(id));
        context.report.fail(section.origin, message, rules::ID_REMEDY);
    }
    let common = common(&section);
    let rename = rename(&section);
    let enabled = common.as_ref().is_none_or(|common| common.enabled);
    let transport = transport::check(&section, enabled, context);
    section.finish();
    let common = common?;
    Some(Upstream {
        id: id.to_owned(),
        enabled: common.enabled,
        transport: transport?,
        start: common.start,
        startup_timeout: common.startup_timeout,
        call_timeout: common.call_timeout,
        restart: common.restart,
        allow: common.allow,
        deny: common.deny,
        pins: common.pins,
        rename: rename?,
        validate_arguments: common.validate_arguments,
        max_message_bytes: common.max_message_bytes,
    })
}

/// Checks the defaults by themselves, so that they are right even if every upstream overrides them.
pub(super) fn check_defaults(section: Section<'_>) {
    common(&section);
    transport::check_defaults(&section);
    section.finish();
}

fn common(section: &Section<'_>) -> Option<Common> {
    let enabled = section.boolean("enabled");
    let start = section.choice("start", STARTS);
    let startup_timeout = section.integer("startup_timeout_s", 1..=MAX_TIMEOUT_S);
    let call_timeout = section.integer("call_timeout_s", 1..=MAX_TIMEOUT_S);
    let restart = backoff(section);
    let allow = globs(section, "allow").filter(|allow| allows_something(section, allow));
    let deny = globs(section, "deny");
    let pins = globs(section, "pins");
    let validate_arguments = section.boolean("validate_arguments");
    let max_message_bytes = section.integer("max_message_bytes", 1024..=MAX_MESSAGE_BYTES);
    Some(Common {
        enabled: enabled?,
        start: start?,
        startup_timeout: Duration::from_secs(startup_timeout?.value),
        call_timeout: Duration::from_secs(call_timeout?.value),
        restart: restart?,
        allow: allow?,
        deny: deny?,
        pins: pins?,
        validate_arguments: validate_arguments?,
        max_message_bytes: usize::try_from(max_message_bytes?.value).ok()?,
    })
}

fn backoff(section: &Section<'_>) -> Option<Backoff> {
    let initial = section.integer("restart_initial_ms", 1..=MAX_BACKOFF_MS);
    let max = section.integer("restart_max_ms", 1..=MAX_BACKOFF_MS);
    let (initial, max) = (initial?, max?);
    if max.value < initial.value {
        let origin = if max.origin.is_default() { initial.origin } else { max.origin };
        let message =
            format!("`restart_max_ms` of `{}` is shorter than `restart_initial_ms` of `{}`", max.value, initial.value);
        section.fail(origin, message, "set `restart_max_ms` beside it");
        return None;
    }
    let milliseconds = Duration::from_millis;
    Some(Backoff { initial: milliseconds(initial.value), max: milliseconds(max.value) })
}

/// An empty `allow` reads as "everything" to some and as "nothing" to others.
fn allows_something(section: &Section<'_>, allow: &[String]) -> bool {
    if let (true, Some(node)) = (allow.is_empty(), section.find("allow")) {
        let message = format!("`{}` is empty, which allows no tool", section.path_of("allow"));
        let remedy = "write `[\"*\"]` for all tools, or set `enabled = false`";
        section.fail(&node.origin, message, remedy);
    }
    !allow.is_empty()
}

/// A list of globs, each of which compiles.
pub(super) fn globs(section: &Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let mut good = true;
    let patterns = section.texts(key)?;
    for pattern in &patterns {
        let error = match glob(pattern.value) {
            _ if pattern.value.is_empty() => "it is empty".to_owned(),
            Ok(_) => continue,
            Err(error) => error.kind().to_string().replace("; ", ", "),
        };
        let message = format!("bad glob {} in `{}`: {error}", quoted(pattern.value), section.path_of(key));
        section.fail(pattern.origin, message, "write a name with `*` or `?`, such as `read_*`");
        good = false;
    }
    good.then(|| patterns.into_iter().map(|pattern| pattern.value.to_owned()).collect())
}

fn rename(section: &Section<'_>) -> Option<IndexMap<String, String>> {
    let mut names: IndexMap<String, String> = IndexMap::new();
    let pairs = section.pairs("rename")?;
    let count = pairs.len();
    for (old, new) in pairs {
        let value = quoted(new.value);
        if !rules::is_tool_name(new.value) {
            let message = format!("illegal tool name {value} in `{}`", section.path_of("rename"));
            section.fail(new.origin, message, "use 1 to 64 of `A-Z`, `a-z`, `0-9`, `_` and `-`");
        } else if let Some((other, _)) = names.iter().find(|(_, taken)| *taken == new.value) {
            let message = format!("two tools are renamed to {value}: {} and {}", quoted(other), quoted(old.value));
            section.fail(new.origin, message, "give each its own name");
        } else {
            names.insert(old.value.to_owned(), new.value.to_owned());
        }
    }
    (names.len() == count).then_some(names)
}
