//! The tools of one request under its route's budget: ranked against the conversation, shown in the detail that they are
//! worth, and the same for the rest of the conversation.

use std::sync::Arc;

use super::{
    deferred,
    listing::{Listed, Listing, Listings, Wanted},
    shelf::{Origin, Shelf, Shelves, functions},
};
use crate::{
    mcp::view::View,
    protocols::{ApiError, At, ErrorKind, Format, Function, Request, Tool, ToolKind},
};
use tollgate_config::{RouteRules, ToolSearch};
use tollgate_planners::tools::{META_TOOLS, ToolView};
use tollgate_tokenizers::Tokenizer;

/// Plans, and remembers what was planned.
#[derive(Default)]
pub struct Planner {
    shelves: Shelves,
    listings: Listings,
}

/// A request whose tools were planned.
pub struct Gated {
    pub shelf: Arc<Shelf>,
    pub listing: Arc<Listing>,
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
    planner: &Planner,
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
    let shelf = planner.shelves.get(&own, view, tokenizer);
    let adds_none = shelf.origins.iter().all(|it| matches!(it, Origin::Client(_)));
    let budget = rules.tools_budget_tokens.unwrap_or(u32::MAX);
    if adds_none && shelf.catalogue.full_tokens() <= u64::from(budget) {
        return Ok(None);
    }
    let is_deferred = can_defer && adds_none;
    let wanted = Wanted { shelf: &shelf, request, budget, tokenizer, is_deferred };
    let listing = planner.listings.get(wanted).map_err(|told| {
        let told = format!("`tools_budget_tokens` of this route: {told}; raise it");
        ApiError::new(ErrorKind::InvalidRequest, told)
    })?;
    let answers = listing.plan.first.has_meta_tools() && rules.tool_search != ToolSearch::Off;
    let gated = Gated { answers: answers || !adds_none, is_deferred, shelf, listing };
    request.tools = gated.tools(request, answers);
    Ok(Some(gated))
}

impl Gated {
    /// The tools that are sent: the vendor's own as they were, then the meta-tools, then what is listed.
    fn tools(&self, request: &Request, with_meta: bool) -> Vec<Tool> {
        let own: Vec<&Tool> = request.tools.iter().filter(|it| matches!(it.kind, ToolKind::Function(_))).collect();
        let native = request.tools.iter().filter(|it| matches!(it.kind, ToolKind::Native { .. })).cloned();
        let meta = self.listing.meta_tools.iter().filter(|_| with_meta).map(new_tool);
        let listed = self.listing.listed.iter().map(|it| match it.origin {
            Origin::Client(at) => {
                own.get(at).map_or_else(|| new_tool(&it.function), |tool| shown(tool, it, request.format))
            }
            Origin::Profile(_) => new_tool(&it.function),
        });
        let listed = native.chain(meta).chain(listed).collect();
        if self.is_deferred { deferred::with_the_rest(listed, &own, request.format) } else { listed }
    }

    /// What the plan came to.
    pub fn shown(&self) -> Shown {
        let full = self.listing.plan.listed().filter(|(_, view)| *view == ToolView::Full).count();
        let listed = self.listing.plan.listed().count();
        Shown {
            full,
            shortened: listed - full,
            left_out: self.shelf.origins.len() - listed,
            search: match (self.is_deferred, self.answers) {
                (true, _) => "provider",
                (false, true) => "gateway",
                (false, false) => "off",
            },
            tokens_before: self.listing.plan.first.full_tokens,
            tokens_sent: self.listing.plan.total_tokens,
        }
    }
}

/// A client's tool in a view. What only this API's tools have stays with it.
fn shown(tool: &Tool, listed: &Listed, format: Format) -> Tool {
    let ToolKind::Function(function) = &tool.kind else { return tool.clone() };
    if listed.view == ToolView::Full && function.is_strict == Some(true) {
        return tool.clone();
    }
    // Strictness forbids what the shown schema does not name, and the shown one names less. Responses are strict unless
    // they say otherwise.
    let is_strict = match listed.view {
        ToolView::Full => function.is_strict,
        _ if function.is_strict.is_some() || format == Format::OpenAiResponses => Some(false),
        _ => None,
    };
    let function = Function { name: function.name.clone(), is_strict, ..listed.function.clone() };
    Tool { kind: ToolKind::Function(function), at: tool.at, extras: tool.extras.clone() }
}

/// A tool that the request did not have.
fn new_tool(function: &Function) -> Tool {
    Tool { kind: ToolKind::Function(function.clone()), at: At::whole("tools"), extras: Default::default() }
}
