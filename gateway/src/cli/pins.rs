//! Pins that pin nothing: mostly a tool's name mistyped, or changed by its server.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::{
    mcp::{gate::Gate, view::View},
    upstream::{State, Upstream},
};

/// Globs that match no tool of any profile or upstream that has them. Profiles inherit pins and upstreams share
/// defaults, so that one match is enough; where an upstream is not up, its tools may match.
pub fn unmatched(shown: &[(Arc<Gate>, Arc<View>)]) -> Vec<String> {
    let mut may_match: IndexMap<&String, bool> = IndexMap::new();
    for (gate, view) in shown {
        let are_up = gate.upstreams.iter().all(|it| is_up(it));
        for pin in &gate.profile.pins {
            *may_match.entry(pin).or_default() |= !are_up || pins_listed(pin, view);
        }
        for upstream in &gate.upstreams {
            for pin in &upstream.config.pins {
                *may_match.entry(pin).or_default() |= !is_up(upstream) || pins_own(pin, upstream, view);
            }
        }
    }
    may_match.into_iter().filter(|(_, may)| !may).map(|(pin, _)| pin.clone()).collect()
}

fn is_up(upstream: &Upstream) -> bool {
    matches!(upstream.state(), State::Ready(_))
}

fn pins_listed(pin: &str, view: &View) -> bool {
    let names = view.catalogue.tools().iter().flat_map(|it| [it.exposed.clone(), format!("{}/{}", it.server, it.name)]);
    matches(pin, names)
}

fn pins_own(pin: &str, upstream: &Upstream, view: &View) -> bool {
    let own = view.routes.iter().filter(|it| it.upstream.id() == upstream.id());
    matches(pin, own.map(|it| it.tool.name.clone()))
}

/// Checked configuration has no bad glob; one would be no reason to warn here.
fn matches(pin: &str, mut names: impl Iterator<Item = String>) -> bool {
    tollgate_config::glob_set(&[pin.to_owned()]).is_ok_and(|globs| names.any(|name| globs.is_match(name)))
}
