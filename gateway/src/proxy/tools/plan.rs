//! The tools of one request under its route's budget: ranked against the conversation, shown in the detail that they are
//! worth, and the same for the rest of the conversation.

use std::sync::Arc;

use super::{
    deferred,
    listing::{Listed, Listing, Listings, Wanted},
    shelf::{Origin, Shelf, Shelves, functions},
};
use crate::{
    auth::key::Record,
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

/// What holds for the tools of one request.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Most tokens that they may cost, and who says so: `route` or `api key`.
    pub budget: Option<(u32, &'static str)>,
    pub search: ToolSearch,
    /// Whether the provider can be left to search the client's own tools; those of a profile are the gateway's to call.
    pub can_defer: bool,
}

impl Rules {
    /// The smaller of the route's budget and the key's.
    pub fn new(route: &RouteRules, key: Option<&Record>, can_defer: bool) -> Self {
        let of_route = route.tools_budget_tokens.map(|tokens| (tokens, "route"));
        let of_key = key.and_then(|it| it.tools_budget_tokens).map(|tokens| (tokens, "api key"));
        let budget = of_route.into_iter().chain(of_key).min_by_key(|(tokens, _)| *tokens);
        Self { budget, search: route.tool_search, can_defer }
    }
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

/// Plans the request's tools, and the profile's, in place. `None` where there is nothing to change.
///
/// # Errors
/// That the budget does not hold what has to be listed.
pub fn apply(
    planner: &Planner,
    request: &mut Request,
    rules: Rules,
    view: Option<&Arc<View>>,
    tokenizer: Tokenizer,
) -> Result<Option<Gated>, ApiError> {
    let own = functions(&request.tools);
    let is_gated_already = own.iter().any(|it| META_TOOLS.contains(&it.name.as_str()));
    if is_gated_already || own.is_empty() && view.is_none() {
        return Ok(None);
    }
    let shelf = planner.shelves.get(&own, view, tokenizer);
    let adds_none = shelf.origins.iter().all(|it| matches!(it, Origin::Client(_)));
    let (budget, whose) = rules.budget.unwrap_or((u32::MAX, "route"));
    if adds_none && shelf.catalogue.full_tokens() <= u64::from(budget) {
        return Ok(None);
    }
    let is_deferred = rules.can_defer && adds_none;
    let wanted = Wanted { shelf: &shelf, request, budget, tokenizer, is_deferred };
    let listing = planner.listings.get(wanted).map_err(|told| {
        let told = format!("`tools_budget_tokens` of this {whose}: {told}; raise it");
        ApiError::new(ErrorKind::InvalidRequest, told)
    })?;
    let answers = listing.plan.first.has_meta_tools() && rules.search != ToolSearch::Off;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::moment::Moment;
    use tollgate_config::Sources;

    #[test]
    fn the_smaller_budget_holds() {
        let sources = Sources { working_dir: "/".into(), ..Sources::default() };
        let tokenizers: Vec<&str> = tollgate_tokenizers::TOKENIZERS.iter().map(|it| &*it.name).collect();
        let rules = tollgate_config::parse(&sources, &tokenizers).unwrap().config.default_route.rules;
        let (record, _) = Record::generate("a", Moment(1)).unwrap();
        for (route, key, expected) in [
            (None, None, None),
            (Some(700), None, Some((700, "route"))),
            (None, Some(700), Some((700, "api key"))),
            (Some(700), Some(300), Some((300, "api key"))),
            (Some(300), Some(700), Some((300, "route"))),
        ] {
            let rules = RouteRules { tools_budget_tokens: route, ..rules.clone() };
            let key = Record { tools_budget_tokens: key, ..record.clone() };
            assert_eq!(Rules::new(&rules, Some(&key), false).budget, expected);
        }
    }
}
