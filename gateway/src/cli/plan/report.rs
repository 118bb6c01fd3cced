//! A plan for people and for programs.

use serde_json::{Value, json};

use super::Planned;
use crate::cli::table::{Table, count, thousands};
use tollgate_planners::tools::{PlannedTool, ToolDef, ToolView};

/// The word for a tool that has no view.
const OMITTED: &str = "omitted";

/// One line of JSON.
pub fn as_json(planned: &Planned) -> String {
    let Planned { plan, budget, down, .. } = planned;
    let tool = |(entry, def): (&PlannedTool, &ToolDef)| {
        let view = entry.view.map_or(OMITTED, ToolView::name);
        json!({"server": def.server, "name": def.exposed, "view": view, "tokens": entry.tokens})
    };
    let down = down.iter().map(|(server, reason)| json!({"server": server, "reason": reason}));
    let out = json!({
        "budget": budget,
        "total_tokens": plan.total_tokens,
        "full_tokens": plan.full_tokens,
        "gap": plan.gap,
        "down": down.collect::<Vec<Value>>(),
        "tools": entries(planned).map(tool).collect::<Vec<Value>>(),
    });
    format!("{out}\n")
}

/// A table of the tools and what it comes to.
pub fn as_text(planned: &Planned) -> String {
    let lines = match planned.catalogue.tools().is_empty() {
        true => vec![Some("there are no tools to list".to_owned()), down_line(planned)],
        false => vec![
            Some(table(planned)),
            meta_line(planned),
            omitted_line(planned),
            Some(total_line(planned)),
            Some(counted_line(planned)),
            gap_line(planned),
            down_line(planned),
        ],
    };
    lines.into_iter().flatten().map(|it| format!("{it}\n")).collect()
}

fn entries(planned: &Planned) -> impl Iterator<Item = (&PlannedTool, &ToolDef)> {
    let tools = planned.catalogue.tools();
    planned.plan.entries.iter().filter_map(|entry| Some((entry, tools.get(entry.idx)?)))
}

fn table(planned: &Planned) -> String {
    let mut table = Table::new(&["tool", "server", "view", ">tokens"]);
    for (entry, def) in entries(planned) {
        let Some(view) = entry.view else { continue };
        table.row(&[def.exposed.clone(), def.server.clone(), view.name().into(), thousands(u64::from(entry.tokens))]);
    }
    table.to_string()
}

fn meta_line(planned: &Planned) -> Option<String> {
    let tokens = count(planned.plan.meta_tools_tokens, "token");
    let told =
        format!("{tokens} for search_tools, describe_tool and call_tool; the rows `name` and `summary` are in it");
    planned.plan.has_meta_tools().then_some(told)
}

fn omitted_line(planned: &Planned) -> Option<String> {
    let omitted = entries(planned).filter(|(entry, _)| entry.view.is_none()).count() as u64;
    let are = if omitted == 1 { "is" } else { "are" };
    let told = format!(
        "{} {are} {OMITTED}: the budget buys more with those above; search_tools finds them",
        count(omitted, "tool")
    );
    (omitted > 0).then_some(told)
}

fn total_line(planned: &Planned) -> String {
    let Planned { plan, budget, .. } = planned;
    let budget =
        budget.map_or_else(|| " (no budget)".into(), |it| format!(" of {} budgeted", thousands(u64::from(it))));
    let total = plan.total_tokens;
    let share = if plan.full_tokens > 0 { 100.0 * total as f64 / plan.full_tokens as f64 } else { 100.0 };
    let frame = frame_tokens(planned);
    let frame = if frame > 0 { format!(" ({frame} for the list's own brackets)") } else { String::new() };
    format!("{}{frame}{budget}, {share:.1} % of {} in full", count(total, "token"), thousands(plan.full_tokens))
}

/// What the total has beyond its parts. Rows of the index are part of the meta-tools.
fn frame_tokens(planned: &Planned) -> u64 {
    let listed = entries(planned).filter(|(entry, _)| entry.view.is_some_and(ToolView::is_entry));
    let parts: u64 = listed.map(|(entry, _)| u64::from(entry.tokens)).sum();
    planned.plan.total_tokens.saturating_sub(parts + planned.plan.meta_tools_tokens)
}

fn counted_line(planned: &Planned) -> String {
    let Planned { catalogue, model, is_exact, .. } = planned;
    let estimate = match is_exact {
        true => "exact",
        false => "an estimate: this model's own tokenizer is not public or not read yet",
    };
    format!("counted for {model} ({}), {estimate}", catalogue.tokenizer().name())
}

fn gap_line(planned: &Planned) -> Option<String> {
    planned.budget.map(|_| format!("at most {:.2} % from the best plan that is possible", 100.0 * planned.plan.gap))
}

fn down_line(planned: &Planned) -> Option<String> {
    let Planned { down, n_upstreams, .. } = planned;
    let each: Vec<_> =
        down.iter().map(|(server, reason)| format!("{server} ({})", reason.replace('\n', " "))).collect();
    let are = if down.len() == 1 { "is" } else { "are" };
    let told = format!("{} of {} {are} down: {}", down.len(), count(*n_upstreams as u64, "upstream"), each.join(", "));
    (!down.is_empty()).then_some(told)
}
