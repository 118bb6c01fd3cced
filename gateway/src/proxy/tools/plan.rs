//! The tools of one request under its route's budget: ranked against the conversation, shown in the detail that they are
//! worth, and the same for the rest of the conversation.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::value::RawValue;

use super::{
    deferred,
    shelf::{Origin, Shelf, Shelves, functions},
};
use crate::{
    mcp::view::View,
    object::RawObject,
    protocols::{ApiError, At, ErrorKind, Format, Function, Json, PartKind, Request, Role, Tool, ToolChoice, ToolKind},
};
use tollgate_config::{RouteRules, ToolSearch};
use tollgate_planners::tools::{META_TOOLS, ToolDef, ToolView, Turn, TurnsPlan, TurnsRequest};
use tollgate_tokenizers::Tokenizer;

/// Bytes of one turn that tools are ranked against; its beginning says what is wanted.
const TURN_BYTES: usize = 16 << 10;

/// Beyond so many tokens of messages it does not matter how many more there are.
const COUNTED_TOKENS: usize = 4096;

/// How often the plan is corrected where what is sent costs more than what was planned.
const CORRECTIONS: usize = 3;

/// A request whose tools were planned.
pub struct Gated {
    pub shelf: Arc<Shelf>,
    pub plan: TurnsPlan,
    /// Whether the gateway answers searches.
    pub answers: bool,
    /// Whether the provider does, so that nothing is left for the gateway to answer.
    pub is_deferred: bool,
}

/// How many tools are shown in which detail.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Shown {
    pub full: usize,
    pub shortened: usize,
    /// Reached by search only.
    pub left_out: usize,
    /// Whose search that is: `gateway`, `provider`, or `off`.
    pub search: &'static str,
    /// Tokens of all tools as they came, and of those that were sent.
    pub tokens_before: u64,
    pub tokens_sent: u64,
}

/// Plans the request's tools, and the profile's, in place. `None` where there is nothing to change. `can_defer` says whether
/// the provider can be left to search the client's own tools; tools of a profile are the gateway's to call.
///
/// # Errors
/// That the budget does not hold what has to be listed.
pub fn apply(
    shelves: &Shelves,
    request: &mut Request,
    rules: &RouteRules,
    view: Option<&Arc<View>>,
    tokenizer: Tokenizer,
    can_defer: bool,
) -> Result<Option<Gated>, ApiError> {
    let own = functions(&request.tools);
    let is_gated_already = own.iter().any(|it| META_TOOLS.contains(&it.name.as_str()));
    if is_gated_already || own.is_empty() && view.is_none() {
        return Ok(None);
    }
    let shelf = shelves.get(&own, view, tokenizer);
    let adds_none = shelf.origins.iter().all(|it| matches!(it, Origin::Client(_)));
    let budget = rules.tools_budget_tokens.unwrap_or(u32::MAX);
    if adds_none && shelf.catalogue.full_tokens() <= u64::from(budget) {
        return Ok(None);
    }
    let is_deferred = can_defer && adds_none;
    let plan = planned(&shelf, request, budget, tokenizer, is_deferred).map_err(|told| {
        let told = format!("`tools_budget_tokens` of this route: {told}; raise it");
        ApiError::new(ErrorKind::InvalidRequest, told)
    })?;
    let answers = plan.first.has_meta_tools() && rules.tool_search != ToolSearch::Off;
    let gated = Gated { answers: answers || !adds_none, is_deferred, shelf, plan };
    request.tools = gated.tools(request, answers);
    Ok(Some(gated))
}

fn planned(
    shelf: &Shelf,
    request: &Request,
    budget: u32,
    tokenizer: Tokenizer,
    is_deferred: bool,
) -> Result<TurnsPlan, String> {
    let turns = turns(request, tokenizer);
    let turns: Vec<Turn<'_>> =
        turns.iter().map(|(text, tokens_before)| Turn { text, tokens_before: *tokens_before }).collect();
    let chosen = chosen(request.tool_choice.as_ref());
    let pins = |def: &ToolDef| chosen.contains(def.exposed.as_str());
    let mut within = budget;
    for _ in 0..CORRECTIONS {
        let asked = TurnsRequest { budget: within, pins: &pins, turns: &turns };
        let plan = match is_deferred {
            true => deferred::plan(&shelf.catalogue, &asked),
            false => shelf.catalogue.plan_turns(&asked),
        };
        let plan = plan.map_err(|error| error.to_string())?;
        let over = strict_surplus(shelf, request, &plan, tokenizer);
        if plan.total_tokens + over <= u64::from(budget) || over == 0 {
            return Ok(plan);
        }
        within = within.saturating_sub(u32::try_from(over).unwrap_or(u32::MAX));
    }
    Err(format!("the tools that must be listed need more than {budget} tokens"))
}

/// What strict tools cost beyond the plan, since their schemas are sent as they are.
fn strict_surplus(shelf: &Shelf, request: &Request, plan: &TurnsPlan, tokenizer: Tokenizer) -> u64 {
    let own = functions(&request.tools);
    let surplus = |(idx, view): (usize, ToolView)| {
        let Some(Origin::Client(at)) = shelf.origins.get(idx).copied() else { return 0 };
        let Some(function) = own.get(at).filter(|it| view == ToolView::Full && it.is_strict == Some(true)) else {
            return 0;
        };
        let sent = function.parameters.as_ref().map_or(0, |it| tokenizer.count(it.text()) as u64);
        let counted = parts(&shelf.catalogue.entry_json(idx, view)).1.map_or(0, |it| tokenizer.count(it.text()) as u64);
        sent.saturating_sub(counted)
    };
    plan.listed().map(surplus).sum()
}

/// Tools that a choice names have to be listed.
fn chosen(choice: Option<&ToolChoice>) -> FxHashSet<&str> {
    match choice {
        Some(ToolChoice::Named(name)) => [name.as_str()].into_iter().collect(),
        Some(ToolChoice::Allowed { names, .. }) => names.iter().map(String::as_str).collect(),
        _ => FxHashSet::default(),
    }
}

/// What the user wrote, turn by turn, each with the tokens of all that was written before.
fn turns(request: &Request, tokenizer: Tokenizer) -> Vec<(String, usize)> {
    let (mut turns, mut tokens): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    for message in &request.messages {
        let texts: Vec<&str> = message.parts.iter().filter_map(|part| part.text()).collect();
        if message.role == Role::User && !texts.is_empty() {
            let mut text = texts.join("\n");
            text.truncate(text.floor_char_boundary(TURN_BYTES));
            turns.push((text, tokens));
        }
        if tokens < COUNTED_TOKENS {
            let counted = message.parts.iter().map(|part| match &part.kind {
                PartKind::Text(text) => tokenizer.count(text),
                PartKind::ToolCall(call) => tokenizer.count(&call.arguments),
                PartKind::ToolResult(result) => {
                    result.parts.iter().filter_map(|it| it.text()).map(|it| tokenizer.count(it)).sum()
                }
                _ => 0,
            });
            tokens += counted.sum::<usize>();
        }
    }
    turns
}

impl Gated {
    /// The tools that are sent: the vendor's own as they were, then the meta-tools, then what is listed.
    fn tools(&self, request: &Request, with_meta: bool) -> Vec<Tool> {
        let own: Vec<&Tool> = request.tools.iter().filter(|it| matches!(it.kind, ToolKind::Function(_))).collect();
        let native = request.tools.iter().filter(|it| matches!(it.kind, ToolKind::Native { .. })).cloned();
        let n_meta = if self.plan.first.has_meta_tools() { META_TOOLS.len() } else { 0 };
        let entries = self.shelf.catalogue.turns_json(&self.plan);
        let meta = entries.iter().take(if with_meta { n_meta } else { 0 }).map(|it| new_tool(it));
        let listed = self.plan.listed().zip(entries.iter().skip(n_meta));
        let listed = listed.map(|((idx, view), entry)| match self.shelf.origins.get(idx) {
            Some(Origin::Client(at)) => {
                own.get(*at).map_or_else(|| new_tool(entry), |tool| shown(tool, view, entry, request.format))
            }
            _ => new_tool(entry),
        });
        let listed = native.chain(meta).chain(listed).collect();
        if self.is_deferred { deferred::with_the_rest(listed, &own, request.format) } else { listed }
    }

    /// What the plan came to.
    pub fn shown(&self) -> Shown {
        let full = self.plan.listed().filter(|(_, view)| *view == ToolView::Full).count();
        let listed = self.plan.listed().count();
        Shown {
            full,
            shortened: listed - full,
            left_out: self.shelf.origins.len() - listed,
            search: match (self.is_deferred, self.answers) {
                (true, _) => "provider",
                (false, true) => "gateway",
                (false, false) => "off",
            },
            tokens_before: self.plan.first.full_tokens,
            tokens_sent: self.plan.total_tokens,
        }
    }
}

/// A client's tool in a view. What only this API's tools have stays with it.
fn shown(tool: &Tool, view: ToolView, entry: &RawValue, format: Format) -> Tool {
    let ToolKind::Function(function) = &tool.kind else { return tool.clone() };
    if view == ToolView::Full && function.is_strict == Some(true) {
        return tool.clone();
    }
    let (description, parameters) = parts(entry);
    // Strictness forbids what the shown schema does not name, and the shown one names less. Responses are strict unless
    // they say otherwise.
    let is_strict = match view {
        ToolView::Full => function.is_strict,
        _ if function.is_strict.is_some() || format == Format::OpenAiResponses => Some(false),
        _ => None,
    };
    let function = Function { name: function.name.clone(), description, parameters, is_strict };
    Tool { kind: ToolKind::Function(function), ..tool.clone() }
}

/// A tool that the request did not have.
fn new_tool(entry: &RawValue) -> Tool {
    let name = RawObject::parse(entry).and_then(|it| it.get_str("name")).unwrap_or_default();
    let (description, parameters) = parts(entry);
    let function = Function { name, description, parameters, is_strict: Some(false) };
    Tool { kind: ToolKind::Function(function), at: At::whole("tools"), extras: Default::default() }
}

/// Description and schema of an entry as MCP writes it.
fn parts(entry: &RawValue) -> (Option<String>, Option<Json>) {
    let entry = RawObject::parse(entry).unwrap_or_default();
    let schema = entry.get("inputSchema").and_then(|it| Json::parse(it.get()));
    (entry.get_str("description"), schema)
}
