//! RawConfig -> Config: every rule about a value, one file per section. A check that reported a
//! mistake returns `None`; all sections are checked, so that one run tells all mistakes.

mod log;
mod model;
mod profile;
mod provider;
mod reader;
mod route;
pub(crate) mod rules;
mod server;
mod store;
mod telemetry;
mod transport;
mod upstream;

use std::path::Path;

use indexmap::IndexMap;

use crate::config::Config;
use crate::env::Env;
use crate::error::{Report, quoted};
use crate::raw::{Node, RawConfig, Table};
use crate::rest::{Provider, Route};
use crate::section::{Section, table_of};
use crate::suggest::unknown_key_remedy;

/// What the checks know beside the tree.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) report: &'a Report,
    pub(crate) env: &'a Env,
    pub(crate) working_dir: &'a Path,
    pub(crate) known_tokenizers: &'a [&'a str],
}

const SECTIONS: &[&str] = &[
    "server",
    "log",
    "telemetry",
    "store",
    "profiles",
    "upstream_defaults",
    "upstreams",
    "provider_defaults",
    "providers",
    "route_defaults",
    "routes",
    "models",
];

/// Checks everything. `None` means that the report has at least one error.
pub(crate) fn check(raw: &RawConfig, context: Context<'_>) -> Option<Config> {
    let report = context.report;
    unknown_sections(&raw.root, report);
    let server = section("server", raw, report).and_then(server::check);
    let log = section("log", raw, report).and_then(log::check);
    let telemetry = section("telemetry", raw, report).and_then(|section| telemetry::check(section, context));
    let store = section("store", raw, report).and_then(|section| store::check(section, context));
    let models = model::check_all(table("models", raw, report)?, context);
    let defaults = table("upstream_defaults", raw, report);
    if let Some(section) = section("upstream_defaults", raw, report) {
        upstream::check_defaults(section);
    }
    let raw_upstreams = table("upstreams", raw, report)?;
    let upstreams = each(raw_upstreams, |id, node| upstream::check(id, node, defaults, context));
    let raw_profiles = table("profiles", raw, report)?;
    let known = profile::Known { models: models.as_ref(), raw_upstreams, upstreams: &upstreams };
    let profiles = each(raw_profiles, |name, node| profile::check(name, node, raw_profiles, &known, report));
    let providers = providers(raw, context)?;
    let (default_route, routes) = routes(raw, &providers, context)?;
    let (server, log, telemetry, store, models) = (server?, log?, telemetry?, store?, models?);
    let config =
        Config { server, log, telemetry, store, profiles, upstreams, providers, routes, default_route, models };
    report.is_empty().then_some(config)
}

fn providers(raw: &RawConfig, context: Context<'_>) -> Option<IndexMap<String, Provider>> {
    let report = context.report;
    let defaults = table("provider_defaults", raw, report);
    if let Some(section) = section("provider_defaults", raw, report) {
        provider::check_defaults(section);
    }
    let raw_providers = table("providers", raw, report)?;
    Some(each(raw_providers, |name, node| provider::check(name, node, defaults, context)))
}

fn routes(
    raw: &RawConfig,
    checked: &IndexMap<String, Provider>,
    context: Context<'_>,
) -> Option<(Route, IndexMap<String, Route>)> {
    let report = context.report;
    let known = route::Known {
        providers: table("providers", raw, report)?,
        checked,
        profiles: table("profiles", raw, report)?,
        defaults: table("route_defaults", raw, report),
    };
    let section = section("route_defaults", raw, report);
    let default_route = section.and_then(|section| route::check_defaults(section, known.profiles));
    // Nobody has to have routes.
    let no_routes = Table::default();
    let raw_routes = raw.root.get("routes").map_or(Some(&no_routes), |_| table("routes", raw, report))?;
    let routes = each(raw_routes, |name, node| route::check(name, node, known, report));
    Some((default_route?, routes))
}

fn table<'a>(name: &str, raw: &'a RawConfig, report: &Report) -> Option<&'a Table> {
    table_of(name, raw.root.get(name)?, report)
}

fn section<'a>(name: &'static str, raw: &'a RawConfig, report: &'a Report) -> Option<Section<'a>> {
    Section::open(name, "", raw.root.get(name)?, report)
}

/// Checks each entry of a table of names and keeps those that passed.
fn each<T>(table: &Table, mut check: impl FnMut(&str, &Node) -> Option<T>) -> IndexMap<String, T> {
    table.iter().filter_map(|(name, node)| Some((name.clone(), check(name, node)?))).collect()
}

fn unknown_sections(root: &Table, report: &Report) {
    for (key, node) in root.iter().filter(|(key, _)| !SECTIONS.contains(&key.as_str())) {
        let message = format!("unknown key {}", quoted(key));
        report.fail(&node.key_origin, message, unknown_key_remedy(key, SECTIONS));
    }
}
