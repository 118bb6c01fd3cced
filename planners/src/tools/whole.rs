//! A list for a provider with a tool search of its own: tools stand in it in full or not at all, since the provider's search
//! shows the rest in full when the model asks for it.

use super::catalogue::Catalogue;
use super::plan::{ListPlan, ListRequest, PlannedTool};
use super::view::ToolView;
use crate::budget::OverBudget;

impl Catalogue {
    /// Plans a list of whole tools: the pinned ones, then those that match the query, the best first, as long as they fit.
    /// Without a match nothing else is listed. The same catalogue and request always give the same plan.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not hold the pinned tools.
    pub fn plan_whole(&self, request: &ListRequest<'_>) -> Result<ListPlan, OverBudget> {
        let plan = self.plan(&ListRequest { budget: None, ..*request })?;
        let budget = request.budget.map_or(u64::MAX, u64::from);
        let all: Vec<PlannedTool> = (0..self.tools().len()).map(|idx| self.whole(idx)).collect();
        if self.entries_total(&all, 0) <= budget {
            return Ok(ListPlan {
                total_tokens: self.entries_total(&all, 0),
                entries: all,
                is_original: false,
                ..plan
            });
        }
        let mut entries: Vec<PlannedTool> = all.iter().map(|tool| PlannedTool { view: None, ..*tool }).collect();
        let pinned = self.tools().iter().enumerate().filter(|(_, def)| (request.pins)(def));
        pinned.for_each(|(idx, _)| entries[idx] = all[idx]);
        let needed = self.entries_total(&entries, 0);
        if needed > budget {
            return Err(OverBudget { needed, budget });
        }
        for found in self.rank(request.query.unwrap_or_default()) {
            let left_out = std::mem::replace(&mut entries[found.idx], all[found.idx]);
            if self.entries_total(&entries, 0) > budget {
                entries[found.idx] = left_out;
            }
        }
        Ok(ListPlan { total_tokens: self.entries_total(&entries, 0), entries, is_original: false, ..plan })
    }

    fn whole(&self, idx: usize) -> PlannedTool {
        PlannedTool { idx, view: Some(ToolView::Full), tokens: self.cost(idx, ToolView::Full) }
    }
}
