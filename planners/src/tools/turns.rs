//! Tools for a conversation: chosen at its first turn, kept for its whole length, added to at the end and seldom.
//!
//! A provider caches an exact prefix of what it was sent, and tools stand at the very front of it. So what was listed once
//! stays listed, byte for byte, and the plan is a pure function of the conversation's own text: another process that sees
//! the same conversation gives the same tools, with no session to share.

use serde_json::value::RawValue;

use super::catalogue::{Catalogue, ToolDef};
use super::plan::{ListPlan, ListRequest, PlannedTool};
use super::view::ToolView;
use crate::budget::OverBudget;

/// The share of the budget that the first turn may take where tools have to be left out; the rest is for later turns.
const FIRST_SHARE: f64 = 0.75;

/// Providers cache no prefix shorter than this (OpenAI's prompt caching guide; Anthropic's least is the same). Up to here a
/// longer list costs nothing but its own tokens; beyond, it would have the whole conversation read again at full price, and
/// later turns change nothing.
pub const LATE_FROM_TOKENS: usize = 1024;

/// A later turn adds the tools that match it at least this well, relative to its best match.
const LEAST_RELEVANCE: f64 = 0.5;

/// Tools that one later turn adds at most.
const MOST_ADDED: usize = 5;

/// The views of an added tool, the one in most detail first.
const ADDED_VIEWS: [ToolView; 4] = [ToolView::Full, ToolView::Pruned, ToolView::Described, ToolView::Signature];

/// What somebody wrote, and how much of the conversation had been sent before it.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The words of this turn.
    pub text: &'a str,
    /// Tokens of the messages before it.
    pub tokens_before: usize,
}

/// What is asked for a conversation.
#[derive(Clone, Copy)]
pub struct TurnsRequest<'a> {
    /// Tokens that the tools may take, meta-tools included.
    pub budget: u32,
    /// Tools that are always listed in full.
    pub pins: &'a dyn Fn(&ToolDef) -> bool,
    /// The turns so far, the first one first.
    pub turns: &'a [Turn<'a>],
}

/// The tools of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnsPlan {
    /// The list as it was at the first turn.
    pub first: ListPlan,
    /// What later turns appended, in that order; every view is an entry.
    pub added: Vec<PlannedTool>,
    /// Tokens of the whole list.
    pub total_tokens: u64,
}

impl Catalogue {
    /// Plans the tools of a conversation. A longer conversation with the same beginning lists the same tools first.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not hold the meta-tools and the pinned tools.
    pub fn plan_turns(&self, request: &TurnsRequest<'_>) -> Result<TurnsPlan, OverBudget> {
        let first_text = request.turns.first().map(|turn| turn.text);
        let within = |budget| ListRequest { budget: Some(budget), pins: request.pins, query: first_text };
        if let Some(full) = self.full_within(u64::from(request.budget)) {
            return Ok(TurnsPlan { total_tokens: full.total_tokens, first: full, added: Vec::new() });
        }
        let share = (f64::from(request.budget) * FIRST_SHARE) as u32;
        // Pins may need more than the share.
        let first = self.plan(&within(share)).or_else(|_| self.plan(&within(request.budget)))?;
        let mut plan = TurnsPlan { total_tokens: first.total_tokens, first, added: Vec::new() };
        for turn in request.turns.iter().skip(1).take_while(|turn| turn.tokens_before < LATE_FROM_TOKENS) {
            self.add(&mut plan, turn.text, u64::from(request.budget));
        }
        Ok(plan)
    }

    /// The entries of a conversation's list: the meta-tools, the tools of the first turn, then what was added.
    #[must_use]
    pub fn turns_json(&self, plan: &TurnsPlan) -> Vec<Box<RawValue>> {
        let added = plan.added.iter().filter_map(|tool| Some(self.entry_json(tool.idx, tool.view?)));
        self.list_json(&plan.first).into_iter().chain(added).collect()
    }

    /// Appends what a turn asks for and the list does not say enough about.
    fn add(&self, plan: &mut TurnsPlan, text: &str, budget: u64) {
        let matches = self.rank(text);
        let least = matches.first().map_or(f64::INFINITY, |best| best.score * LEAST_RELEVANCE);
        let is_listed = |plan: &TurnsPlan, idx: usize| {
            plan.first.entries[idx].view.is_some_and(ToolView::is_entry) || plan.added.iter().any(|it| it.idx == idx)
        };
        for found in matches.iter().take_while(|it| it.score >= least).take(MOST_ADDED) {
            if !is_listed(plan, found.idx) {
                self.append(plan, found.idx, budget);
            }
        }
    }

    fn append(&self, plan: &mut TurnsPlan, idx: usize, budget: u64) {
        for view in ADDED_VIEWS {
            let tool = PlannedTool { idx, view: Some(view), tokens: self.cost(idx, view) };
            let listed: Vec<PlannedTool> =
                plan.first.entries.iter().chain(&plan.added).chain([&tool]).copied().collect();
            let total_tokens = self.entries_total(&listed, plan.first.meta_tools_tokens);
            if total_tokens <= budget {
                plan.added.push(tool);
                plan.total_tokens = total_tokens;
                return;
            }
        }
    }
}

impl TurnsPlan {
    /// The tools that are entries of the list, in the order in which they are listed, after the meta-tools.
    pub fn listed(&self) -> impl Iterator<Item = (usize, ToolView)> {
        let entry = |tool: &PlannedTool| Some((tool.idx, tool.view.filter(|view| view.is_entry())?));
        self.first.entries.iter().chain(&self.added).filter_map(entry)
    }
}
