//! How long a catalogue takes to build, plan and search, and what lists cost under a budget.
//!
//! `cargo bench -p tollgate-planners` prints the least and the median time of several runs.

#[path = "../tests/tools/data.rs"]
mod data;

use std::io::Write;
use std::time::{Duration, Instant};

use tollgate_planners::budget::{Hull, Prepared, View, plan_prepared};
use tollgate_planners::tools::{Catalogue, ListRequest, SearchRequest, ToolDef, ToolView, search};
use tollgate_tokenizers::Tokenizer;

const QUERY: &str = "what is the weather in paris tomorrow and should I book a train";

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Ok(tokenizer) = Tokenizer::by_name("o200k_base") else {
        return Ok(());
    };
    tokenizer.load();
    solver(&mut out)?;
    if let Some(tools) = data::toucan(usize::MAX) {
        large(&mut out, tools, tokenizer)?;
    }
    if let Some(lists) = data::tool_lists() {
        small(&mut out, lists, tokenizer)?;
    }
    Ok(())
}

fn report<T>(out: &mut impl Write, label: &str, n_runs: usize, mut run: impl FnMut() -> T) -> std::io::Result<T> {
    let mut times: Vec<Duration> = Vec::with_capacity(n_runs);
    let mut timed = || {
        let started = Instant::now();
        let result = run();
        times.push(started.elapsed());
        result
    };
    let mut result = timed();
    for _ in 1..n_runs {
        result = timed();
    }
    times.sort();
    writeln!(out, "{label:<46} min {:>9.2?}  median {:>9.2?}", times[0], times[n_runs / 2])?;
    Ok(result)
}

/// 15,000 items with 7 views each, prepared.
fn solver(out: &mut impl Write) -> std::io::Result<()> {
    let scrambled = |n: u32| n.wrapping_mul(2_654_435_761) >> 8;
    let views = |item: u32| -> Vec<View> {
        let step = |view: u32| View {
            cost: (view + 1) * (1 + scrambled(item * 7 + view) % 90),
            fidelity: f64::from(view + 1).sqrt(),
        };
        (0..7).map(step).collect()
    };
    let hulls: Vec<Hull> = (0..15_000).map(|item| Hull::new(&views(item), None)).collect();
    let relevance = |item: usize| f64::from(scrambled(item as u32) % 1000 + 1) / 1000.0;
    let items: Vec<Prepared<'_>> =
        hulls.iter().enumerate().map(|(idx, hull)| Prepared { relevance: relevance(idx), hull }).collect();
    for budget in [4_000, 100_000, 1_000_000] {
        let label = format!("solve 15,000 x 7 at {budget}");
        let planned = report(out, &label, 50, || plan_prepared(&items, budget))?;
        writeln!(out, "    gap {:.6}", planned.map_or(f64::NAN, |plan| plan.gap()))?;
    }
    Ok(())
}

fn large(out: &mut impl Write, tools: Vec<ToolDef>, tokenizer: Tokenizer) -> std::io::Result<()> {
    let before = resident_kib();
    let catalogue = report(out, "build 15,121 tools", 5, || Catalogue::build(tools.clone(), tokenizer))?;
    writeln!(
        out,
        "    resident {} MiB before, {} MiB after; {} tokens in full",
        before / 1024,
        resident_kib() / 1024,
        catalogue.full_tokens()
    )?;
    report(out, "rank, 15,121 tools", 50, || catalogue.rank(QUERY))?;
    for (query, budget) in [(Some(QUERY), 4_000), (Some(QUERY), 16_000), (None, 4_000), (None, 16_000), (None, 64_000)]
    {
        let request = ListRequest { query, ..ListRequest::within(budget) };
        let label = format!("plan {} at {budget}", if query.is_some() { "with a query" } else { "without" });
        let plan = report(out, &label, 20, || catalogue.plan(&request))?;
        if let Ok(plan) = plan {
            writeln!(out, "    total {} gap {:.4} {}", plan.total_tokens, plan.gap, census(&plan.entries))?;
            report(out, "    list_json", 20, || catalogue.list_json(&plan))?;
        }
    }
    let request = SearchRequest { query: QUERY, server: None, limit: 10, budget: 2_000 };
    let found = report(out, "search at 2,000", 20, || search(&catalogue, &request))?;
    writeln!(out, "    {} of {}, {} tokens", found.shown, found.total_matches, tokenizer.count(&found.text))
}

fn small(out: &mut impl Write, lists: Vec<(String, Vec<ToolDef>)>, tokenizer: Tokenizer) -> std::io::Result<()> {
    for (server, tools) in &lists {
        let catalogue = Catalogue::build(tools.clone(), tokenizer);
        summarize(out, server, &catalogue)?;
    }
    let all = Catalogue::build(lists.into_iter().flat_map(|(_, tools)| tools).collect(), tokenizer);
    summarize(out, "all 14", &all)?;
    report(out, "plan all 14 at 4,000", 20, || all.plan(&ListRequest::within(4_000))).map(drop)
}

fn summarize(out: &mut impl Write, server: &str, catalogue: &Catalogue) -> std::io::Result<()> {
    match catalogue.plan(&ListRequest::within(4_000)) {
        Ok(plan) => {
            writeln!(
                out,
                "{server:<20} {:>6} -> {:>5} gap {:.4} {}",
                plan.full_tokens,
                plan.total_tokens,
                plan.gap,
                census(&plan.entries)
            )
        }
        Err(error) => writeln!(out, "{server:<20} {error}"),
    }
}

/// How many tools are shown in which view.
fn census(entries: &[tollgate_planners::tools::PlannedTool]) -> String {
    let count = |view: Option<ToolView>| entries.iter().filter(|entry| entry.view == view).count();
    let views = tollgate_planners::tools::LADDER.iter().map(|&view| format!("{} {}", view.name(), count(Some(view))));
    format!("omitted {}, {}", count(None), views.collect::<Vec<_>>().join(", "))
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
