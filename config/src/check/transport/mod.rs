//! How an upstream is reached: exactly one of `command`, `url` and `builtin`, and the keys that go
//! with it.

mod builtin;
mod http;
mod stdio;

use super::{Context, reader::Reader};
use crate::config::Transport;
use crate::error::list;
use crate::raw::Node;
use crate::section::Section;

/// The key that decides, and the keys that go with it.
const KINDS: &[(&str, &[&str])] = &[
    ("command", &["args", "env", "inherit_env", "cwd"]),
    ("url", &["headers"]),
    ("builtin", &["root", "max_file_bytes", "models"]),
];

pub(super) fn check(section: &Section<'_>, expands: bool, context: Context<'_>) -> Option<Transport> {
    let foreign = keys_and_owners(section);
    let kind = kind(section)?;
    report_foreign(section, kind, &foreign);
    let reader = Reader { section, context, expands };
    match kind {
        "command" => stdio::check(&reader),
        "url" => http::check(&reader),
        _ => builtin::check(&reader),
    }
}

/// The transport keys that make sense for all upstreams at once.
pub(super) fn check_defaults(section: &Section<'_>) {
    stdio::inherited_names(section);
    builtin::max_file_bytes(section);
}

/// The one deciding key.
fn kind(section: &Section<'_>) -> Option<&'static str> {
    let kinds = KINDS.iter().map(|(kind, _)| *kind);
    let given: Vec<(&str, &Node)> = kinds.filter_map(|kind| Some((kind, section.own(kind)?))).collect();
    match given[..] {
        [(kind, _)] => return Some(kind),
        [] => section.fail(
            section.origin,
            format!("`{}` has no `command`, `url` or `builtin`", section.path),
            "add one of the three",
        ),
        _ => report_several(section, &given),
    }
    None
}

/// Two layers may each have said one. What stands in the defaults cannot be removed.
fn report_several(section: &Section<'_>, given: &[(&str, &Node)]) {
    let own = given.iter().rev().find(|(_, node)| !node.origin.is_default());
    let origin = own.map_or(section.origin, |(_, node)| &node.key_origin);
    let names: Vec<&str> = given.iter().map(|(kind, _)| *kind).collect();
    let remedy = match given.iter().any(|(_, node)| node.origin.is_default()) {
        true => "choose another id, this one is built in",
        false => "keep one of them",
    };
    let message = format!("`{}` has both {}", section.path, list(&names, "and"));
    section.fail(origin, message, remedy);
}

/// Every key that belongs to a kind, where the upstream says it.
fn keys_and_owners<'a>(section: &Section<'a>) -> Vec<(&'static str, &'static str, &'a Node)> {
    let keys = KINDS.iter().flat_map(|(owner, keys)| keys.iter().map(move |key| (*owner, *key)));
    keys.filter_map(|(owner, key)| Some((owner, key, section.own(key)?))).collect()
}

fn report_foreign(section: &Section<'_>, kind: &str, keys: &[(&str, &'static str, &Node)]) {
    for (owner, key, node) in keys.iter().filter(|(owner, ..)| *owner != kind) {
        section.fail(
            &node.key_origin,
            format!("`{}` does not go with `{kind}`", section.path_of(key)),
            format!("remove it, it belongs to `{owner}`"),
        );
    }
}
