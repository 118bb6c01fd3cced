//! Drafts of one budgeted list, each counted as it would be sent.
//!
//! Entries cost what [`measure`](super::measure) says, exactly. The index inside `search_tools` is only estimated line
//! by line, so the next draft gets or gives back what the last one's estimate was off by.

use super::catalogue::Catalogue;
use super::plan::{ListPlan, ListRequest, PlannedTool};
use super::view::{LADDER, ToolView};
use crate::budget::{Hull, OverBudget, Plan, Prepared, plan_prepared};

/// The least view of a pinned tool.
const PINNED_VIEW: ToolView = ToolView::Full;

/// How often a draft is corrected before the budget is simply tightened.
const CORRECTIONS: usize = 3;

/// A draft that leaves no more than this share of the budget unused is good enough.
const SLACK: f64 = 0.005;

/// What a tool that does not match the query is worth: too little to take a token from one that does.
const REST_RELEVANCE: f64 = 1e-6;

/// Successive plans of one list, each corrected by what the last one really cost.
pub(super) struct Drafts<'a> {
    catalogue: &'a Catalogue,
    /// Tools that may be shown: index, relevance and, for a pinned one, its own hull.
    candidates: Vec<(usize, f64, Option<Hull>)>,
    /// Tokens of the meta-tools without an index and of the list's own brackets.
    fixed: u64,
}

impl<'a> Drafts<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, request: &ListRequest<'_>) -> Self {
        Self::of(catalogue, request, relevance(catalogue, request.query))
    }

    /// As [`Self::new`], with the tools that do not match the query too. Apart, since a query picks few of many tools,
    /// and those alone are planned a hundred times faster.
    pub(super) fn with_the_rest(catalogue: &'a Catalogue, request: &ListRequest<'_>) -> Self {
        let relevance = relevance(catalogue, request.query).into_iter().map(|it| it.max(REST_RELEVANCE));
        Self::of(catalogue, request, relevance.collect())
    }

    /// Whether the matching tools need so little that others could be shown beside them.
    pub(super) fn leaves_room(&self, plan: &ListPlan, budget: u64) -> bool {
        let unused = budget.saturating_sub(plan.total_tokens);
        self.candidates.len() < self.catalogue.tools().len() && unused as f64 > SLACK * budget as f64
    }

    fn of(catalogue: &'a Catalogue, request: &ListRequest<'_>, relevance: Vec<f64>) -> Self {
        let candidate = |(idx, relevance): (usize, f64)| {
            let is_pinned = (request.pins)(&catalogue.tools()[idx]);
            let pinned = is_pinned.then(|| catalogue.pinned_hull(idx, PINNED_VIEW));
            (relevance > 0.0 || is_pinned).then_some((idx, relevance, pinned))
        };
        let candidates = relevance.into_iter().enumerate().filter_map(candidate).collect();
        Self { fixed: catalogue.entries_total(&[], catalogue.meta_tools_cost("")), candidates, catalogue }
    }

    /// The best list within `budget` tokens, meta-tools included.
    pub(super) fn best_within(&self, budget: u64) -> Result<ListPlan, OverBudget> {
        let over = |needed: u64| OverBudget { needed: needed + self.fixed, budget };
        let mut capacity = budget.checked_sub(self.fixed).ok_or(over(self.pinned_cost()))?;
        let mut best: Option<(f64, ListPlan)> = None;
        for _ in 0..CORRECTIONS {
            let (value, draft) = self.draft(capacity).map_err(|error| over(error.needed))?;
            let off = budget as i64 - draft.total_tokens as i64;
            let is_better = off >= 0 && best.as_ref().is_none_or(|(known, _)| value > *known);
            if is_better {
                best = Some((value, draft));
            }
            if off == 0 || (off > 0 && (off as f64) < SLACK * budget as f64) {
                break;
            }
            capacity = capacity.saturating_add_signed(off);
        }
        match best {
            Some((_, plan)) => Ok(plan),
            None => self.tighten(capacity, budget),
        }
    }

    /// Shrinks the capacity until a draft fits, at the latest the one that shows nothing but pins.
    fn tighten(&self, mut capacity: u64, budget: u64) -> Result<ListPlan, OverBudget> {
        let pinned = self.pinned_cost();
        loop {
            capacity = capacity.max(pinned);
            let (_, draft) = self.draft(capacity)?;
            if draft.total_tokens <= budget {
                return Ok(draft);
            }
            if capacity == pinned {
                return Err(OverBudget { needed: draft.total_tokens, budget });
            }
            capacity = capacity * 9 / 10;
        }
    }

    fn pinned_cost(&self) -> u64 {
        let pinned = self.candidates.iter().filter(|(_, _, hull)| hull.is_some());
        pinned.map(|&(idx, _, _)| u64::from(self.catalogue.cost(idx, PINNED_VIEW))).sum()
    }

    /// The best plan whose estimated cost is within `capacity`, counted as it would be sent, and its value.
    fn draft(&self, capacity: u64) -> Result<(f64, ListPlan), OverBudget> {
        let prepared: Vec<Prepared<'_>> = self
            .candidates
            .iter()
            .map(|(idx, relevance, pinned)| Prepared {
                relevance: *relevance,
                hull: pinned.as_ref().unwrap_or_else(|| self.catalogue.hull(*idx)),
            })
            .collect();
        let solved = plan_prepared(&prepared, capacity)?;
        Ok((solved.value, self.counted(&solved)))
    }

    fn counted(&self, solved: &Plan) -> ListPlan {
        let catalogue = self.catalogue;
        let omitted = |idx| PlannedTool { idx, view: None, tokens: 0 };
        let mut entries: Vec<PlannedTool> = (0..catalogue.tools().len()).map(omitted).collect();
        for ((idx, _, _), choice) in self.candidates.iter().zip(&solved.choice) {
            let view = choice.and_then(|rung| LADDER.get(rung).copied());
            let tokens = view.map_or(0, |view| catalogue.cost(*idx, view));
            entries[*idx] = PlannedTool { idx: *idx, view, tokens };
        }
        let meta_tools_tokens = catalogue.meta_tools_cost(&catalogue.index(&entries));
        ListPlan {
            total_tokens: catalogue.entries_total(&entries, meta_tools_tokens),
            full_tokens: catalogue.full_tokens(),
            gap: solved.gap(),
            meta_tools_tokens,
            is_original: false,
            entries,
        }
    }
}

/// What each tool is worth, from 0 to 1: its score relative to the best match's.
fn relevance(catalogue: &Catalogue, query: Option<&str>) -> Vec<f64> {
    let n_tools = catalogue.tools().len();
    let Some(query) = query.filter(|query| !query.trim().is_empty()) else {
        return vec![1.0; n_tools];
    };
    let matches = catalogue.rank(query);
    let best = matches.first().map_or(1.0, |best| best.score);
    let mut relevance = vec![0.0; n_tools];
    for found in matches {
        relevance[found.idx] = found.score / best;
    }
    relevance
}
