//! What a live profile's plan came to, for people: a line per upstream.

use super::table::{Table, count, thousands};
use crate::{
    mcp::{gate::Gate, view::View},
    upstream::{State, Upstream},
};
use tollgate_planners::tools::ListRequest;

/// The table that `serve` prints: per upstream its tools, their tokens in full, and under the plan.
pub fn summary(gate: &Gate, view: &View) -> String {
    let profile = &gate.profile;
    let mut table = Table::new(&["upstream", "state", ">tools", ">tokens in full", ">tokens planned"]);
    for upstream in &gate.upstreams {
        let (tools, full, planned) = tokens_of(view, upstream.id());
        table.row(&[
            upstream.id().to_owned(),
            state_word(upstream).into(),
            thousands(tools),
            thousands(full),
            thousands(planned),
        ]);
    }
    let total = match &view.plan {
        Ok(_) if view.catalogue.tools().is_empty() => "no tools".into(),
        Ok(plan) => format!(
            "{} of {}{}",
            thousands(plan.total_tokens),
            count(plan.full_tokens, "token"),
            profile.tools_budget_tokens.map_or_else(String::new, |it| format!(", budget {}", thousands(u64::from(it)))),
        ),
        Err(fault) => fault.message(),
    };
    let counted = if profile.count_is_exact { "" } else { ", an estimate for this model" };
    let head = format!("profile {} for {} ({}{counted}): {total}", profile.name, profile.model, profile.tokenizer);
    let reasons: String = gate.upstreams.iter().filter_map(|it| down_line(it)).collect();
    format!("\n{head}\n{table}{reasons}")
}

/// Below the table, which a long reason would spread.
fn down_line(upstream: &Upstream) -> Option<String> {
    match upstream.state() {
        State::Down { reason, .. } => Some(format!("{} is down: {reason}\n", upstream.id())),
        _ => None,
    }
}

fn tokens_of(view: &View, server: &str) -> (u64, u64, u64) {
    let mine = view.catalogue.tools().iter().enumerate().filter(|(_, it)| it.server == server);
    let whole = view.catalogue.plan(&ListRequest::everything());
    let (mut tools, mut full, mut planned) = (0, 0, 0);
    for (idx, _) in mine {
        tools += 1;
        full += whole.as_ref().ok().and_then(|it| it.entries.get(idx)).map_or(0, |it| u64::from(it.tokens));
        let entry = view.plan.as_ref().ok().and_then(|it| it.entries.get(idx));
        planned += entry.map_or(0, |it| u64::from(it.tokens));
    }
    (tools, full, planned)
}

fn state_word(upstream: &Upstream) -> &'static str {
    match upstream.state() {
        State::Idle => "on demand",
        State::Starting => "starting",
        State::Ready(_) => "up",
        State::Down { .. } => "down",
        State::Stopped => "stopped",
    }
}
