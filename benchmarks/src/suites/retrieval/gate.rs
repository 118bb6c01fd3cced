//! The list that the gate makes of all tools for a request within a budget, and whether what is needed can be reached
//! from it.

use tollgate_planners::tools::{Catalogue, ListRequest, ToolView};
use tollgate_tokenizers::Tokenizer;

use super::data::{Query, Set};
use crate::table::{Cell, Table};

/// The share of the budget that the list takes where descriptions are paid from it too; conversations keep the same share
/// for their first turn.
const LIST_SHARE: f64 = 0.75;

pub(super) fn table() -> Table {
    let columns = ["set", "budget", "seen %", "all seen %", "all reachable %", "list tokens", "describe tokens"];
    let mut table = Table::new("gate", "Needed tools in the gate's own list, by the request", &columns);
    table.notes.push(format!(
        "reachable: all needed tools stand in a list of {:.0} % of the budget, in any view, and the list together with one \
         `describe_tool` for each that is not shown in full stays within the budget; tokens are means of these.",
        LIST_SHARE * 100.0
    ));
    table
}

pub(super) fn add(set: &Set, tokenizer: Tokenizer, budgets: &[u32], table: &mut Table) {
    let catalogue = Catalogue::build(set.tools.defs.clone(), tokenizer);
    for &budget in budgets {
        let reached: Vec<Reached> = set.queries.iter().map(|query| reach(&catalogue, query, budget)).collect();
        let mean = |of: &dyn Fn(&Reached) -> f64| reached.iter().map(of).sum::<f64>() / reached.len().max(1) as f64;
        let share = |of: &dyn Fn(&Reached) -> bool| Cell::Number(100.0 * mean(&|it| f64::from(u8::from(of(it)))));
        table.row(vec![
            Cell::Text(set.name.clone()),
            Cell::Count(u64::from(budget)),
            Cell::Number(100.0 * mean(&|it| it.seen)),
            share(&|it| it.seen >= 1.0),
            share(&|it| it.reachable),
            Cell::Number(mean(&|it| it.list_tokens as f64)),
            Cell::Number(mean(&|it| it.describe_tokens as f64)),
        ]);
    }
}

/// What became of one request.
struct Reached {
    /// The share of needed tools in a list of the whole budget.
    seen: f64,
    reachable: bool,
    list_tokens: u64,
    describe_tokens: u64,
}

fn reach(catalogue: &Catalogue, query: &Query, budget: u32) -> Reached {
    let n_groups = query.groups.len().max(1) as f64;
    let seen =
        listed(catalogue, query, budget).map_or(0.0, |(_, costs)| costs.iter().flatten().count() as f64 / n_groups);
    let share = (f64::from(budget) * LIST_SHARE) as u32;
    let Some((list_tokens, costs)) = listed(catalogue, query, share) else {
        return Reached { seen, reachable: false, list_tokens: 0, describe_tokens: 0 };
    };
    let describe_tokens: u64 = costs.iter().flatten().sum();
    let is_all = costs.iter().all(Option::is_some);
    Reached {
        seen,
        reachable: is_all && list_tokens + describe_tokens <= u64::from(budget),
        list_tokens,
        describe_tokens,
    }
}

/// The tokens of the list, and for each group what its cheapest shown tool still costs; nothing where the budget is too
/// small for any list.
fn listed(catalogue: &Catalogue, query: &Query, budget: u32) -> Option<(u64, Vec<Option<u64>>)> {
    let request = ListRequest { query: Some(&query.text), ..ListRequest::within(budget) };
    let plan = catalogue.plan(&request).ok()?;
    let cost = |idx: usize| match plan.entries[idx].view? {
        ToolView::Full => Some(0),
        _ => Some(catalogue.tokenizer().count(catalogue.describe(idx).get()) as u64),
    };
    let costs = query.groups.iter().map(|group| group.iter().filter_map(|&idx| cost(idx)).min()).collect();
    Some((plan.total_tokens, costs))
}
