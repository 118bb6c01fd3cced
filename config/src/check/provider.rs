//! `[providers.*]` and `[provider_defaults]`: LLM APIs.

use std::time::Duration;

use super::Context;
use super::reader::{self, Reader};
use super::rules;
use super::upstream;
use crate::config::Backoff;
use crate::error::{list, quoted};
use crate::raw::{Node, Table};
use crate::rest::{AuthStyle, Provider, ProviderKey, Secret, WireFormat};
use crate::section::Section;

const MAX_TIMEOUT_S: u64 = 24 * 60 * 60;
const MAX_BACKOFF_MS: u64 = 10 * 60 * 1000;
const AUTH: &[(&str, AuthStyle)] =
    &[("protocol", AuthStyle::Protocol), ("bearer", AuthStyle::Bearer), ("x-api-key", AuthStyle::XApiKey)];

/// What `[provider_defaults]` and a provider's own table have in common.
struct Common {
    connect_timeout: Duration,
    first_byte_timeout: Duration,
    idle_timeout: Duration,
    max_in_flight: usize,
    attempts: u32,
    retry: Backoff,
    breaker_failures: u32,
    breaker_pause: Duration,
}

/// Checks one provider over the defaults.
pub(super) fn check(name: &str, node: &Node, defaults: Option<&Table>, context: Context<'_>) -> Option<Provider> {
    let section = Section::open("providers.*", name, node, context.report)?.over("provider_defaults", defaults);
    if !rules::is_id(name) {
        let message = format!("illegal provider name {}", quoted(name));
        context.report.fail(section.origin, message, rules::ID_REMEDY);
    }
    let reader = Reader { section: &section, context, expands: true };
    let base_url = reader::url(&reader, "base_url").filter(|url| is_base(&section, url));
    let protocols = protocols(&section);
    let tool_search = tool_search(&section, protocols.as_deref());
    let key = key(&reader);
    let auth = section.choice("auth", AUTH);
    let headers = reader::headers(&reader);
    let common = common(&section);
    section.finish();
    let common = common?;
    Some(Provider {
        name: name.to_owned(),
        base_url: base_url?.trim_end_matches('/').to_owned(),
        protocols: protocols?,
        tool_search: tool_search?,
        key: key?,
        auth: auth?,
        headers: headers?.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        connect_timeout: common.connect_timeout,
        first_byte_timeout: common.first_byte_timeout,
        idle_timeout: common.idle_timeout,
        max_in_flight: common.max_in_flight,
        attempts: common.attempts,
        retry: common.retry,
        breaker_failures: common.breaker_failures,
        breaker_pause: common.breaker_pause,
    })
}

/// Checks the defaults by themselves.
pub(super) fn check_defaults(section: Section<'_>) {
    common(&section);
    section.choice("auth", AUTH);
    section.finish();
}

fn common(section: &Section<'_>) -> Option<Common> {
    let seconds = |key| section.integer(key, 1..=MAX_TIMEOUT_S).map(|it| Duration::from_secs(it.value));
    let count = |key, least| section.integer(key, least..=1_000_000).and_then(|it| u32::try_from(it.value).ok());
    let (connect, first_byte, idle) =
        (seconds("connect_timeout_s"), seconds("first_byte_timeout_s"), seconds("idle_timeout_s"));
    let (max_in_flight, attempts) = (count("max_in_flight", 1), count("attempts", 1));
    let (failures, pause) = (count("breaker_failures", 0), seconds("breaker_pause_s"));
    let retry = retry(section);
    Some(Common {
        connect_timeout: connect?,
        first_byte_timeout: first_byte?,
        idle_timeout: idle?,
        max_in_flight: usize::try_from(max_in_flight?).ok()?,
        attempts: attempts?,
        retry: retry?,
        breaker_failures: failures?,
        breaker_pause: pause?,
    })
}

fn retry(section: &Section<'_>) -> Option<Backoff> {
    let initial = section.integer("retry_initial_ms", 1..=MAX_BACKOFF_MS);
    let max = section.integer("retry_max_ms", 1..=MAX_BACKOFF_MS);
    let (initial, max) = (initial?.value, max?.value);
    Some(Backoff { initial: Duration::from_millis(initial), max: Duration::from_millis(max.max(initial)) })
}

fn protocols(section: &Section<'_>) -> Option<Vec<WireFormat>> {
    section.require("protocols")?;
    let names: Vec<&str> = WireFormat::ALL.iter().map(|(name, _)| *name).collect();
    let texts = section.texts("protocols")?;
    if texts.is_empty() {
        let origin = section.find("protocols").map_or(section.origin, |node| &node.origin);
        section.fail(
            origin,
            format!("`{}` is empty", section.path_of("protocols")),
            format!("use {}", list(&names, "or")),
        );
        return None;
    }
    let found = texts.into_iter().map(|text| {
        let found = WireFormat::ALL.iter().find(|(name, _)| *name == text.value).map(|(_, format)| *format);
        if found.is_none() {
            let message = format!("unknown protocol {} in `{}`", quoted(text.value), section.path_of("protocols"));
            section.fail(text.origin, message, format!("use {}", list(&names, "or")));
        }
        found
    });
    let found: Vec<Option<WireFormat>> = found.collect();
    found.into_iter().collect()
}

/// What the gateway appends itself.
const ENDPOINTS: &[&str] = &["/chat/completions", "/completions", "/responses", "/messages", "/embeddings"];

/// Whether it is one, and not the address of an endpoint as vendors' examples show it.
fn is_base(section: &Section<'_>, url: &str) -> bool {
    let bare = url.trim_end_matches('/');
    let Some(endpoint) = ENDPOINTS.iter().find(|it| bare.ends_with(*it)) else { return true };
    let origin = section.find("base_url").map_or(section.origin, |node| &node.origin);
    let message = format!("`{}` ends in the endpoint `{endpoint}`", section.path_of("base_url"));
    section.fail(origin, message, "leave that off, it is appended; most end in `/v1`");
    false
}

/// Globs over models, where one of the protocols has tool search at all.
fn tool_search(section: &Section<'_>, protocols: Option<&[WireFormat]>) -> Option<Vec<String>> {
    let globs = upstream::globs(section, "tool_search")?;
    let is_known = protocols.is_none_or(|it| it.iter().any(|it| it.defers_tools()));
    if !globs.is_empty() && !is_known {
        let origin = section.find("tool_search").map_or(section.origin, |node| &node.origin);
        let message = format!("`{}` is of no use to these protocols", section.path_of("tool_search"));
        section.fail(origin, message, "leave it out, or add `openai-responses` or `anthropic` to `protocols`");
        return None;
    }
    Some(globs)
}

/// The first of `api_key`, `api_key_file` and `api_key_env` that is there: the catalogue names a variable, and a user's
/// own choice wins over that. The outer `None` is a mistake.
#[expect(clippy::option_option, reason = "no key is not the same as a key with a mistake")]
fn key(reader: &Reader<'_>) -> Option<Option<ProviderKey>> {
    let section = reader.section;
    let (given, file, variable) = (section.has("api_key"), section.has("api_key_file"), section.has("api_key_env"));
    if given {
        let text = section.text("api_key")?;
        let key = reader.expand(&section.path_of("api_key"), text)?;
        return Some((!key.is_empty()).then(|| ProviderKey::Given(Secret::new(key))));
    }
    if file {
        return Some(Some(ProviderKey::File(reader.folder("api_key_file")?)));
    }
    if !variable {
        return Some(None);
    }
    let name = section.text("api_key_env")?.value;
    let value = reader.context.env.get(name).filter(|value| !value.is_empty());
    let key = value.map(|value| ProviderKey::Given(Secret::new(value.to_owned())));
    Some(Some(key.unwrap_or_else(|| ProviderKey::Missing(name.to_owned()))))
}
