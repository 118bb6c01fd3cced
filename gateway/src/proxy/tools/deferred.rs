//! Tools that are left to the provider's own search: sent whole and marked, so that the model meets them when it has looked
//! for them. What is listed is chosen by the first turn alone and stays, since the search finds what later turns need.

use crate::protocols::{At, Format, Json, Tool, ToolKind};
use tollgate_planners::{
    budget::OverBudget,
    tools::{Catalogue, ListRequest, TurnsPlan, TurnsRequest},
};

/// The search tool of each format that has one: its type, its name, and its definition.
///
/// Anthropic: platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool. OpenAI:
/// developers.openai.com/api/docs/guides/tools-tool-search.
const SEARCHES: &[(Format, &str, Option<&str>, &str)] = &[
    (
        Format::Anthropic,
        "tool_search_tool_bm25_20251119",
        Some("tool_search_tool_bm25"),
        r#"{"type":"tool_search_tool_bm25_20251119","name":"tool_search_tool_bm25"}"#,
    ),
    (Format::OpenAiResponses, "tool_search", None, r#"{"type":"tool_search"}"#),
];

/// How the types of all search tools begin; a client may have brought one.
const SEARCH: &str = "tool_search";

/// Plans the whole tools that are listed at once.
pub fn plan(catalogue: &Catalogue, asked: &TurnsRequest<'_>) -> Result<TurnsPlan, OverBudget> {
    let query = asked.turns.first().map(|turn| turn.text);
    let first = catalogue.plan_whole(&ListRequest { budget: Some(asked.budget), pins: asked.pins, query })?;
    Ok(TurnsPlan { total_tokens: first.total_tokens, first, added: Vec::new() })
}

/// The tools of a request in `format`: the search, what is listed, and the rest of `own`, marked.
pub fn with_the_rest(listed: Vec<Tool>, own: &[&Tool], format: Format) -> Vec<Tool> {
    let has_search = listed.iter().any(is_search);
    let search = SEARCHES.iter().filter(|it| it.0 == format && !has_search).filter_map(search_tool);
    let is_left = |tool: &&&Tool| listed.iter().all(|it| it.name() != tool.name());
    let rest: Vec<Tool> = own.iter().filter(is_left).map(|tool| marked(tool, format)).collect();
    search.chain(listed).chain(rest).collect()
}

fn search_tool((format, kind, name, json): &(Format, &str, Option<&str>, &str)) -> Option<Tool> {
    let (kind, name) = ((*kind).to_owned(), name.map(str::to_owned));
    let kind = ToolKind::Native { format: *format, kind, name, json: Json::parse(json)? };
    Some(Tool { kind, at: At::whole("tools"), extras: Default::default() })
}

fn is_search(tool: &Tool) -> bool {
    matches!(&tool.kind, ToolKind::Native { kind, .. } if kind.starts_with(SEARCH))
}

/// A tool that is not in the prompt can have no mark of the prompt's cache.
fn marked(tool: &Tool, format: Format) -> Tool {
    let mut tool = tool.clone();
    tool.extras.remove("cache_control");
    if let Some(yes) = Json::parse("true") {
        tool.extras.set(format, "defer_loading", yes);
    }
    tool
}
