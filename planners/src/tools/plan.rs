//! A tools/list under a budget: what is asked for, what is planned, and the entries that are sent.

use serde_json::value::RawValue;

use super::catalogue::{Catalogue, ToolDef};
use super::drafts::Drafts;
use super::measure::{self, list_tokens};
use super::meta;
use super::rendering::{self, ParsedTool};
use super::view::ToolView;
use crate::budget::OverBudget;

/// What is asked of a list.
#[derive(Clone, Copy)]
pub struct ListRequest<'a> {
    /// Tokens that the whole list may take, meta-tools included. `None`: every tool as its upstream wrote it.
    pub budget: Option<u32>,
    /// Tools that are always listed in full.
    pub pins: &'a dyn Fn(&ToolDef) -> bool,
    /// Favours the tools that match; the others get what these leave of the budget. Without it all tools count the same.
    pub query: Option<&'a str>,
}

/// One tool's part in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTool {
    /// Its index in the catalogue.
    pub idx: usize,
    /// How it is shown, or `None` if it is left out.
    pub view: Option<ToolView>,
    /// Tokens that it takes: exact for an entry, estimated for a line of the index.
    pub tokens: u32,
}

/// A planned list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPlan {
    /// Every tool of the catalogue, in its order.
    pub entries: Vec<PlannedTool>,
    /// Tokens of the whole list, exactly: what [`count_list`](super::count_list) counts in it.
    pub total_tokens: u64,
    /// Tokens of the list with every tool as its upstream wrote it.
    pub full_tokens: u64,
    /// How far below the best possible plan this may be at most, as a fraction.
    pub gap: f64,
    /// Tokens of the meta-tools, the index among them; 0 if they are not listed.
    pub meta_tools_tokens: u64,
    /// True if no budget applied and the entries are the upstreams' own.
    pub is_original: bool,
}

impl ListRequest<'_> {
    /// Every tool as its upstream wrote it.
    #[must_use]
    pub fn everything() -> Self {
        Self { budget: None, pins: &|_| false, query: None }
    }

    /// The best list within `budget` tokens, all tools being equal.
    #[must_use]
    pub fn within(budget: u32) -> Self {
        Self { budget: Some(budget), ..Self::everything() }
    }
}

impl ListPlan {
    /// True if something is hidden or reduced, so that the meta-tools are listed.
    #[must_use]
    pub fn has_meta_tools(&self) -> bool {
        self.meta_tools_tokens > 0
    }
}

impl Catalogue {
    /// Plans a list. The same catalogue and request always give the same plan.
    ///
    /// If all tools fit in full (losslessly reduced), they are all there is; otherwise the meta-tools come first and
    /// the budget pays for them too.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not hold the meta-tools and the pinned tools.
    pub fn plan(&self, request: &ListRequest<'_>) -> Result<ListPlan, OverBudget> {
        let Some(budget) = request.budget.map(u64::from) else {
            return Ok(self.all_in_full(true));
        };
        if let Some(full) = self.full_within(budget) {
            return Ok(full);
        }
        let drafts = Drafts::new(self, request);
        let plan = drafts.best_within(budget)?;
        match drafts.leaves_room(&plan, budget) {
            true => Drafts::with_the_rest(self, request).best_within(budget),
            false => Ok(plan),
        }
    }

    /// The entries of tools/list: the meta-tools, if any, then the tools in the catalogue's order.
    #[must_use]
    pub fn list_json(&self, plan: &ListPlan) -> Vec<Box<RawValue>> {
        let entry = |tool: &PlannedTool| match tool.view {
            Some(_) if plan.is_original => Some(self.describe(tool.idx)),
            Some(view) if view.is_entry() => Some(self.entry_json(tool.idx, view)),
            _ => None,
        };
        let meta_tools = plan.has_meta_tools().then(|| meta::definitions(&self.index(&plan.entries)));
        meta_tools.into_iter().flatten().chain(plan.entries.iter().filter_map(entry)).collect()
    }

    /// The list with all tools in full, where it is within `budget` tokens.
    pub(super) fn full_within(&self, budget: u64) -> Option<ListPlan> {
        let full = self.all_in_full(false);
        (full.total_tokens <= budget).then_some(full)
    }

    fn all_in_full(&self, is_original: bool) -> ListPlan {
        let tokens = |idx| {
            if is_original { self.original_cost(idx) } else { self.cost(idx, ToolView::Full) }
        };
        let entry = |idx| PlannedTool { idx, view: Some(ToolView::Full), tokens: tokens(idx) };
        let entries: Vec<PlannedTool> = (0..self.tools().len()).map(entry).collect();
        let total = self.entries_total(&entries, 0);
        ListPlan {
            total_tokens: if is_original { self.full_tokens() } else { total },
            full_tokens: self.full_tokens(),
            gap: 0.0,
            meta_tools_tokens: 0,
            is_original,
            entries,
        }
    }

    /// The text of the index inside `search_tools` for these entries.
    pub(super) fn index(&self, entries: &[PlannedTool]) -> String {
        meta::index_text(entries.iter().filter_map(|entry| {
            let tool = &self.tools()[entry.idx];
            let text = match entry.view? {
                ToolView::Name => tool.exposed.clone(),
                ToolView::Summary => rendering::summary_line(&tool.definition, &tool.exposed),
                _ => return None,
            };
            Some((tool.server.as_str(), entry.view?, text))
        }))
    }

    /// Tokens of the list of these entries after others that cost `before`.
    pub(super) fn entries_total(&self, entries: &[PlannedTool], before: u64) -> u64 {
        let listed = || entries.iter().filter(|entry| entry.view.is_some_and(ToolView::is_entry));
        let last = listed().next_back().and_then(|entry| Some(self.parsed(entry.idx).schema_in(entry.view?)));
        let last = last.or_else(|| (before > 0).then(last_meta_schema));
        let cost = listed().map(|entry| u64::from(entry.tokens)).sum::<u64>();
        list_tokens(before + cost, last.as_deref(), self.tokenizer())
    }

    /// Tokens of the meta-tools' entries with this index.
    pub(super) fn meta_tools_cost(&self, index: &str) -> u64 {
        let tokenizer = self.tokenizer();
        let definitions = meta::definitions(index);
        let tools = definitions.iter().zip(meta::META_TOOLS).map(|(raw, name)| ParsedTool::new(raw, name));
        tools.map(|tool| u64::from(measure::original_cost(&tool, tokenizer))).sum()
    }
}

/// The input schema at the end of the list when nothing but the meta-tools is listed.
fn last_meta_schema() -> String {
    let [_, _, call] = meta::definitions("");
    ParsedTool::new(&call, meta::CALL_TOOL).schema.to_string()
}
