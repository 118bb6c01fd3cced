//! `[routes.*]` and `[route_defaults]`: what happens to the requests for one model name.

use std::time::Duration;

use indexmap::IndexMap;

use super::profile;
use crate::error::{Report, list, quoted};
use crate::raw::{Node, Table, Value};
use crate::rest::{Provider, Route, RouteRules, Target, ToolSearch, WindowPolicy};
use crate::section::{At, Section};
use crate::suggest::close_matches;

const MAX_TTL_S: u64 = 30 * 24 * 60 * 60;
const MAX_ROUNDS: u64 = 100;
const TOOL_SEARCH: &[(&str, ToolSearch)] =
    &[("off", ToolSearch::Off), ("gateway", ToolSearch::Gateway), ("provider", ToolSearch::Provider)];
const WINDOW: &[(&str, WindowPolicy)] = &[("refuse", WindowPolicy::Refuse), ("off", WindowPolicy::Off)];

/// What a route refers to: tables with or without mistakes of their own.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) providers: &'a Table,
    /// Those of them without a mistake.
    pub(super) checked: &'a IndexMap<String, Provider>,
    pub(super) profiles: &'a Table,
    pub(super) defaults: Option<&'a Table>,
}

/// Checks one route over the defaults.
pub(super) fn check(name: &str, node: &Node, known: Known<'_>, report: &Report) -> Option<Route> {
    let section = Section::open("routes.*", name, node, report)?.over("route_defaults", known.defaults);
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = format!("illegal route name {}", quoted(name));
        report.fail(section.origin, message, "write the model name that requests carry");
    }
    let targets = targets(&section, known.providers);
    let rules = rules(&section, known.profiles);
    check_tool_search(&section, targets.as_deref().unwrap_or_default(), known.checked);
    section.finish();
    Some(Route { name: name.to_owned(), targets: targets?, rules: rules? })
}

/// The rules of models that no route names.
pub(super) fn check_defaults(section: Section<'_>, profiles: &Table) -> Option<Route> {
    let rules = rules(&section, profiles);
    section.finish();
    Some(Route { name: String::new(), targets: Vec::new(), rules: rules? })
}

fn rules(section: &Section<'_>, profiles: &Table) -> Option<RouteRules> {
    let tools_budget = profile::tools_budget(section, None);
    let tool_search = section.choice("tool_search", TOOL_SEARCH);
    let search_budget = profile::budget(section, "search_budget_tokens", 1, None);
    let max_rounds = section.integer("max_rounds", 1..=MAX_ROUNDS);
    let profile = profile_name(section, profiles);
    let window = section.choice("window", WINDOW);
    let cache_ttl = section.integer("cache_ttl_s", 0..=MAX_TTL_S);
    let cache_is_shared = section.boolean("cache_shared");
    Some(RouteRules {
        tools_budget_tokens: Some(tools_budget?).filter(|tokens| *tokens > 0),
        tool_search: tool_search?,
        search_budget_tokens: search_budget?,
        max_rounds: u32::try_from(max_rounds?.value).ok()?,
        profile: Some(profile?).filter(|name| !name.is_empty()),
        window: window?,
        cache_ttl: Some(Duration::from_secs(cache_ttl?.value)).filter(|ttl| !ttl.is_zero()),
        cache_is_shared: cache_is_shared?,
    })
}

/// A route that asks for the providers' own search has targets with one. By default it is asked for where there is one.
fn check_tool_search(section: &Section<'_>, targets: &[Target], providers: &IndexMap<String, Provider>) {
    let is_asked = |node: &&Node| matches!(&node.value, Value::Text(text) if text == "provider");
    let Some(node) = section.own("tool_search").filter(is_asked) else { return };
    let without = |it: &&Target| providers.get(&it.provider).is_some_and(|known| !known.searches_tools(&it.model));
    for Target { provider, model } in targets.iter().filter(without) {
        let target = quoted(&format!("{provider}/{model}"));
        let message = format!("`{}` is `provider`, and {target} has no tool search", section.path_of("tool_search"));
        let remedy = format!("write `gateway`, or add the model to `tool_search` of `[providers.{provider}]`");
        section.fail(&node.origin, message, remedy);
    }
}

/// Empty for none.
fn profile_name(section: &Section<'_>, profiles: &Table) -> Option<String> {
    let text = section.text("profile")?;
    if text.value.is_empty() || profiles.contains_key(text.value) {
        return Some(text.value.to_owned());
    }
    let message = format!("unknown profile {} in `{}`", quoted(text.value), section.path_of("profile"));
    section.fail(text.origin, message, close_or_all(text.value, profiles));
    None
}

fn targets(section: &Section<'_>, providers: &Table) -> Option<Vec<Target>> {
    section.require("targets")?;
    let texts = section.texts("targets")?;
    if texts.is_empty() {
        let origin = section.find("targets").map_or(section.origin, |node| &node.origin);
        let message = format!("`{}` is empty", section.path_of("targets"));
        section.fail(origin, message, "name at least one, such as `\"openai/gpt-5-mini\"`");
        return None;
    }
    let targets: Vec<Option<Target>> = texts.into_iter().map(|text| target(section, text, providers)).collect();
    targets.into_iter().collect()
}

/// `provider/model`; the model's own name may have slashes.
fn target(section: &Section<'_>, text: At<'_, &str>, providers: &Table) -> Option<Target> {
    let path = section.path_of("targets");
    let split = text.value.split_once('/').filter(|(provider, model)| !provider.is_empty() && !model.is_empty());
    let Some((provider, model)) = split else {
        let message = format!("{} in `{path}` is no target", quoted(text.value));
        section.fail(text.origin, message, "write it as `provider/model`");
        return None;
    };
    if !providers.contains_key(provider) {
        let message = format!("unknown provider {} in `{path}`", quoted(provider));
        section.fail(text.origin, message, close_or_all(provider, providers));
        return None;
    }
    Some(Target { provider: provider.to_owned(), model: model.to_owned() })
}

fn close_or_all(name: &str, table: &IndexMap<String, Node>) -> String {
    let names: Vec<&str> = table.keys().map(String::as_str).collect();
    let close = close_matches(name, names.iter().copied());
    match close.is_empty() {
        true => format!("there is {}", list(&names, "and")),
        false => format!("did you mean {}?", list(&close, "or")),
    }
}
