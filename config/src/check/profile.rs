//! `[profiles.*]`. What a profile does not say, it takes from `[profiles.default]`.

use indexmap::IndexMap;

use super::{rules, upstream};
use crate::config::{NamePolicy, Profile, Upstream};
use crate::error::{Report, list, quoted};
use crate::glob::glob;
use crate::models::{Model, Models};
use crate::raw::{Node, Table, Value};
use crate::section::{At, Section};
use crate::suggest::close_matches;

const MAX_BUDGET_TOKENS: u64 = 10_000_000;
const NAMES: &[(&str, NamePolicy)] = &[("always", NamePolicy::Always), ("on_collision", NamePolicy::OnCollision)];

/// What a profile refers to.
pub(super) struct Known<'a> {
    /// `None` if the catalogue itself is wrong; models are then not looked up.
    pub(super) models: Option<&'a Models>,
    /// Every upstream, including those with mistakes.
    pub(super) raw_upstreams: &'a Table,
    pub(super) upstreams: &'a IndexMap<String, Upstream>,
}

pub(super) fn check(name: &str, node: &Node, profiles: &Table, known: &Known<'_>, report: &Report) -> Option<Profile> {
    let default = profiles.get("default").filter(|_| name != "default");
    let fallback = default.and_then(|node| match &node.value {
        Value::Table(table) => Some(table),
        _ => None,
    });
    let section = Section::open("profiles.*", name, node, report)?.over("profiles.default", fallback);
    if !rules::is_id(name) {
        let message = format!("illegal profile name {}, it is part of a URL", quoted(name));
        report.fail(section.origin, message, rules::ID_REMEDY);
    }
    let upstreams = upstreams(&section, known);
    let model_name = section.text("model");
    let model = model_name.and_then(|text| find_model(&section, text, known.models?));
    let window = model_name.zip(model.and_then(|model| model.window_tokens));
    let tools_budget = tools_budget(&section, window);
    let search_budget = budget(&section, "search_budget_tokens", 1, window);
    let pins = upstream::globs(&section, "pins");
    let names = section.choice("names", NAMES);
    section.finish();
    let model = model?;
    Some(Profile {
        name: name.to_owned(),
        upstreams: upstreams?,
        model: model_name?.value.to_owned(),
        tokenizer: model.tokenizer.clone(),
        count_is_exact: model.exact,
        window_tokens: model.window_tokens,
        tools_budget_tokens: Some(tools_budget?).filter(|tokens| *tokens > 0),
        search_budget_tokens: search_budget?,
        pins: pins?,
        names: names?,
    })
}

fn find_model<'a>(section: &Section<'_>, text: At<'_, &str>, models: &'a Models) -> Option<&'a Model> {
    let found = models.find(text.value);
    if let Err(unknown) = &found {
        let message = format!("unknown model {}", quoted(text.value));
        section.fail(text.origin, message, unknown.remedy());
    }
    found.ok()
}

/// `"off"` is 0 here.
pub(super) fn tools_budget(section: &Section<'_>, window: Option<Window<'_>>) -> Option<u32> {
    let node = section.find("tools_budget_tokens");
    match node.map(|node| (&node.value, node)) {
        Some((Value::Text(text), _)) if text == "off" => Some(0),
        Some((Value::Text(_), node)) => {
            let message = format!(
                "expected a whole number or `off` for `{}`, found text",
                section.path_of("tools_budget_tokens")
            );
            section.fail(&node.origin, message, "write digits only, or `\"off\"`");
            None
        }
        _ => budget(section, "tools_budget_tokens", 0, window),
    }
}

/// A model as it is named, and its window in tokens.
pub(super) type Window<'a> = (At<'a, &'a str>, u32);

/// More than the window of the model is a mistake, not a generous budget. An inherited budget is
/// not to blame, the model is.
pub(super) fn budget(section: &Section<'_>, key: &'static str, least: u64, window: Option<Window<'_>>) -> Option<u32> {
    let tokens = section.integer(key, least..=MAX_BUDGET_TOKENS)?;
    if let Some((model, window)) = window
        && tokens.value > u64::from(window)
    {
        let is_own = section.has(key) && !tokens.origin.is_default();
        let origin = if is_own { tokens.origin } else { model.origin };
        let message = format!("`{key}` of `{}` is beyond the window of `{}`", tokens.value, model.value);
        let remedy = format!("set `{}.{key}` to at most {window}", section.path);
        section.fail(origin, message, remedy);
        return None;
    }
    u32::try_from(tokens.value).ok()
}

/// The ids that the patterns match, in config order, without those that are disabled.
fn upstreams(section: &Section<'_>, known: &Known<'_>) -> Option<Vec<String>> {
    let patterns = upstream::globs(section, "upstreams")?;
    if patterns.is_empty() {
        let origin = section.find("upstreams").map_or(section.origin, |node| &node.origin);
        let message = format!("`{}` is empty", section.path_of("upstreams"));
        section.fail(origin, message, "name at least one upstream, `[\"*\"]` means all");
        return None;
    }
    let ids: Vec<&str> = known.raw_upstreams.keys().map(String::as_str).collect();
    let mut matched = vec![false; ids.len()];
    for pattern in section.texts("upstreams")? {
        let matcher = glob(pattern.value).ok()?.compile_matcher();
        let hits: Vec<usize> = (0..ids.len()).filter(|i| matcher.is_match(ids[*i])).collect();
        if hits.is_empty() {
            no_match(section, pattern, &ids);
        }
        hits.into_iter().for_each(|hit| matched[hit] = true);
    }
    let enabled = |id: &str| known.upstreams.get(id).is_some_and(|upstream| upstream.enabled);
    let resolved = ids.iter().zip(matched).filter(|(id, hit)| *hit && enabled(id));
    Some(resolved.map(|(id, _)| (*id).to_owned()).collect())
}

fn no_match(section: &Section<'_>, pattern: At<'_, &str>, ids: &[&str]) {
    let (name, path) = (quoted(pattern.value), section.path_of("upstreams"));
    let is_glob = pattern.value.contains(['*', '?', '[', '{']);
    let message = match is_glob {
        true => format!("{name} in `{path}` matches no upstream"),
        false => format!("unknown upstream {name} in `{path}`"),
    };
    let close = close_matches(pattern.value, ids.iter().copied());
    let remedy = match (is_glob, close.is_empty()) {
        (false, false) => format!("did you mean {}?", list(&close, "or")),
        (false, true) => format!("add `[upstreams.{}]`, or use {}", pattern.value, list(ids, "or")),
        (true, _) => format!("the upstreams are {}", list(ids, "and")),
    };
    section.fail(pattern.origin, message, remedy);
}
