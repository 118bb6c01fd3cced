//! Whether the tools that a request needs are found: by rank, under budgets of tokens in each rendering, and in the list
//! that the gate really makes. No model is asked.

mod data;
mod gate;
mod measure;
mod plain;
mod views;

use tollgate_planners::tools::{Document, Match, RANKERS, Ranker};

use crate::suite::{Opened, Setting, Suite};
use crate::table::{Cell, Table};
use data::Set;
use measure::Ranked;
use views::Rendering;

/// Budgets that are asked for where the user names none, in tokens.
const BUDGETS: [u32; 5] = [500, 1_000, 2_000, 4_000, 8_000];

/// Where the ranking is cut.
const CUTS: [usize; 4] = [1, 5, 10, 20];

/// The suite.
pub struct Retrieval;

/// A ranker by the name that tables have for it.
type Named = (&'static str, Box<dyn Ranker>);

impl Suite for Retrieval {
    fn name(&self) -> &'static str {
        "retrieval"
    }

    fn about(&self) -> &'static str {
        "are the needed tools found: recall by rank, under budgets, and in the gate's own list; no model"
    }

    fn data(&self) -> Option<&'static str> {
        Some(
            "a folder with `corpus.jsonl` (tools) and `queries.jsonl` (`query`, `rel` or `rel_groups`), or one of such folders",
        )
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("`corpus.jsonl` and `queries.jsonl`")?;
        let mut sets = Vec::new();
        for folder in data::folders(files.as_ref())? {
            sets.push(Set::read(files.as_ref(), &folder, None)?);
            if let Some(distractors) = &setting.distractors {
                sets.push(Set::read(files.as_ref(), &folder, Some(distractors))?);
            }
        }
        let budgets = if setting.budgets.is_empty() { BUDGETS.to_vec() } else { setting.budgets.clone() };
        let wanted = setting.options.get("ranker").map(String::as_str);
        let mut tables = [rank_table(), budget_table(&budgets), gate::table()];
        for set in &sets {
            add(set, setting, (&budgets, wanted), &mut tables)?;
        }
        Ok(Opened::Tables(tables.into()))
    }
}

/// Measures one set with every ranker, or the one that is wanted.
fn add(
    set: &Set,
    setting: &Setting,
    (budgets, wanted): (&[u32], Option<&str>),
    tables: &mut [Table; 3],
) -> Result<(), String> {
    let documents: Vec<Document> = set.tools.defs.iter().map(data::document).collect();
    let rankers: Vec<Named> =
        rankers(set, &documents).filter(|(name, _)| wanted.is_none_or(|it| it == *name)).collect();
    if rankers.is_empty() {
        let known: Vec<&str> = ["plain"].into_iter().chain(RANKERS.iter().map(|it| it.name)).collect();
        return Err(format!("unknown ranker `{}`; there are {}", wanted.unwrap_or_default(), known.join(", ")));
    }
    let renderings = views::renderings(set, setting.tokenizer);
    for (name, ranker) in &rankers {
        let ranked: Vec<Vec<Match>> = set.queries.iter().map(|query| ranker.rank(&query.text)).collect();
        let of = |idx: usize| Ranked { found: &ranked[idx], groups: &set.queries[idx].groups };
        let all: Vec<Ranked<'_>> = (0..ranked.len()).map(of).collect();
        tables[0].row(rank_row(set, name, &all));
        for rendering in &renderings {
            tables[1].row(budget_row(set, name, rendering, (budgets, &all)));
        }
    }
    let halves = [0, 1].map(|half| half_recall(set, &rankers, half));
    tables[0].notes.extend(halves.into_iter().flatten());
    gate::add(set, setting.tokenizer, budgets, &mut tables[2]);
    Ok(())
}

fn rankers<'a>(set: &'a Set, documents: &'a [Document]) -> impl Iterator<Item = Named> + 'a {
    let plain: Box<dyn Ranker> = Box::new(plain::Plain::new(&set.tools.defs));
    let built = RANKERS.iter().map(|entry| (entry.name, (entry.build)(documents)));
    [("plain", plain)].into_iter().chain(built)
}

/// Constants were chosen with the even queries of some sets in view, so both halves are shown.
fn half_recall(set: &Set, rankers: &[Named], half: usize) -> Option<String> {
    let of = |(name, ranker): &Named| {
        let queries: Vec<_> = set.queries.iter().skip(half).step_by(2).collect();
        let found = queries.iter().map(|it| measure::recall(&ranker.rank(&it.text), &it.groups, 5));
        let sum: f64 = found.sum();
        format!("{name} {:.1}", 100.0 * sum / queries.len().max(1) as f64)
    };
    let shares: Vec<String> = rankers.iter().map(of).collect();
    let word = if half == 0 { "even" } else { "odd" };
    (set.queries.len() > 1).then(|| format!("{}: R@5 of {word} queries: {}.", set.name, shares.join(", ")))
}

fn rank_table() -> Table {
    let cuts = CUTS.map(|k| format!("R@{k}"));
    let mut columns = vec!["set", "ranker", "tools", "queries"];
    columns.extend(cuts.iter().map(String::as_str));
    columns.push("nDCG@10");
    let mut table = Table::new("ranking", "Needed tools among the first k, %", &columns);
    table.notes.push("plain: unweighted BM25, the baseline; a group of equal tools counts as one.".to_owned());
    table
}

fn rank_row(set: &Set, ranker: &str, all: &[Ranked<'_>]) -> Vec<Cell> {
    let mut cells = head(set, ranker);
    cells.push(Cell::Count(set.tools.defs.len() as u64));
    cells.push(Cell::Count(set.queries.len() as u64));
    cells.extend(CUTS.map(|k| percent(measure::mean(all, |it| measure::recall(it.found, it.groups, k)))));
    cells.push(percent(measure::mean(all, |it| measure::ndcg(it.found, it.groups, 10))));
    cells
}

fn budget_table(budgets: &[u32]) -> Table {
    let names: Vec<String> = budgets.iter().flat_map(|it| [format!("recall {it}"), format!("all {it}")]).collect();
    let mut columns = vec!["set", "ranker", "rendering"];
    columns.extend(names.iter().map(String::as_str));
    let title =
        "Needed tools within a budget of tokens, best first until one does not fit, and requests that have all, %";
    Table::new("budgets", title, &columns)
}

fn budget_row(set: &Set, ranker: &str, rendering: &Rendering, (budgets, all): (&[u32], &[Ranked<'_>])) -> Vec<Cell> {
    let mut cells = head(set, ranker);
    cells.push(Cell::Text(rendering.name.to_owned()));
    for &budget in budgets {
        let cut = |it: &Ranked<'_>| measure::n_within(it.found, &rendering.costs, u64::from(budget));
        cells.push(percent(measure::mean(all, |it| measure::recall(it.found, it.groups, cut(it)))));
        let whole = |it: &Ranked<'_>| f64::from(u8::from(measure::recall(it.found, it.groups, cut(it)) >= 1.0));
        cells.push(percent(measure::mean(all, whole)));
    }
    cells
}

fn head(set: &Set, ranker: &str) -> Vec<Cell> {
    vec![Cell::Text(set.name.clone()), Cell::Text(ranker.to_owned())]
}

fn percent(share: f64) -> Cell {
    Cell::Number(100.0 * share)
}

#[cfg(test)]
mod tests;
