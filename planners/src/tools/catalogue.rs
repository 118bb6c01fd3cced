//! All tools of a profile, prepared once so that every plan and search after it is cheap.

use std::num::NonZero;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use tollgate_tokenizers::Tokenizer;

use super::measure::{self, Costs};
use super::rank::{Document, Match, RANKERS, Ranker};
use super::rendering::{self, ParsedTool};
use super::view::{LADDER, ToolView};
use crate::budget::{Hull, View};

/// A tool that an upstream offers.
#[derive(Debug, Clone)]
pub struct ToolDef {
    /// The id of its server in the operator's configuration.
    pub server: String,
    /// The upstream's own name for it.
    pub name: String,
    /// The name that clients see; see [`exposed_names`](super::exposed_names).
    pub exposed: String,
    /// The whole definition as the upstream wrote it.
    pub definition: Arc<RawValue>,
}

/// Something about a definition that an operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Index of the tool.
    pub idx: usize,
    /// What is wrong, and what was done about it.
    pub text: &'static str,
}

/// Prepared tools, in the order given: by configuration, then as the upstream lists them.
///
/// Holds the definitions, a few numbers per tool and the search index; texts are rendered again when they are needed.
pub struct Catalogue {
    tools: Vec<ToolDef>,
    by_name: FxHashMap<String, usize>,
    tokenizer: Tokenizer,
    costs: Vec<Costs>,
    hulls: Vec<Hull>,
    ranker: Box<dyn Ranker>,
    full_tokens: u64,
    notes: Vec<Note>,
}

/// What a worker finds out about one tool.
struct Measured {
    costs: Costs,
    document: Document,
    notes: Vec<&'static str>,
}

impl Catalogue {
    /// Counts every view of every tool and indexes them, on all cores. A definition that cannot be used is listed as
    /// far as it can, with a [`Note`].
    #[must_use]
    pub fn build(tools: Vec<ToolDef>, tokenizer: Tokenizer) -> Self {
        let mut measured = measure_all(&tools, tokenizer);
        let documents: Vec<Document> = measured.iter_mut().map(|one| std::mem::take(&mut one.document)).collect();
        let mut catalogue = Self {
            by_name: tools.iter().enumerate().map(|(idx, tool)| (tool.exposed.clone(), idx)).collect(),
            costs: with_server_headings(&tools, &measured, tokenizer),
            hulls: Vec::new(),
            ranker: (RANKERS[0].build)(&documents),
            full_tokens: 0,
            notes: notes(&measured),
            tools,
            tokenizer,
        };
        catalogue.hulls = catalogue.costs.iter().map(|costs| Hull::new(&views(costs), None)).collect();
        catalogue.full_tokens = catalogue.count_originals();
        catalogue
    }

    /// The tools, in order; every index elsewhere is into this.
    #[must_use]
    pub fn tools(&self) -> &[ToolDef] {
        &self.tools
    }

    /// The index of the tool that clients see under this name.
    #[must_use]
    pub fn find(&self, exposed: &str) -> Option<usize> {
        self.by_name.get(exposed).copied()
    }

    /// The vocabulary that everything is counted in.
    #[must_use]
    pub fn tokenizer(&self) -> Tokenizer {
        self.tokenizer
    }

    /// Tokens of the list with every tool as its upstream wrote it, minified.
    #[must_use]
    pub fn full_tokens(&self) -> u64 {
        self.full_tokens
    }

    /// What is wrong with the definitions, by tool.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Tokens that a tool costs in a view. Exact for entries; a line of the index includes its share of the server's
    /// heading.
    #[must_use]
    pub fn cost(&self, idx: usize, view: ToolView) -> u32 {
        self.costs[idx].views[view.rung()]
    }

    pub(super) fn original_cost(&self, idx: usize) -> u32 {
        self.costs[idx].original
    }

    /// The tools that match `query`, best first.
    #[must_use]
    pub fn rank(&self, query: &str) -> Vec<Match> {
        self.ranker.rank(query)
    }

    /// One tool's tools/list entry in a view (an index view reads as its signature).
    #[must_use]
    pub fn entry_json(&self, idx: usize, view: ToolView) -> Box<RawValue> {
        let tool = &self.tools[idx];
        rendering::entry_json(&tool.definition, &tool.exposed, view)
    }

    /// One tool's whole definition under its exposed name, every other byte as the upstream wrote it.
    #[must_use]
    pub fn describe(&self, idx: usize) -> Box<RawValue> {
        let tool = &self.tools[idx];
        rendering::original_json(&tool.definition, &tool.exposed)
    }

    pub(super) fn hull(&self, idx: usize) -> &Hull {
        &self.hulls[idx]
    }

    pub(super) fn pinned_hull(&self, idx: usize, floor: ToolView) -> Hull {
        Hull::new(&views(&self.costs[idx]), Some(floor.rung()))
    }

    pub(super) fn parsed(&self, idx: usize) -> ParsedTool<'_> {
        let tool = &self.tools[idx];
        ParsedTool::new(&tool.definition, &tool.exposed)
    }

    fn count_originals(&self) -> u64 {
        let last = self.tools.len().checked_sub(1).map(|idx| self.parsed(idx).schema.to_string());
        let entries = self.costs.iter().map(|costs| u64::from(costs.original)).sum();
        measure::list_tokens(entries, last.as_deref(), self.tokenizer)
    }
}

/// The solver's view of a tool.
fn views(costs: &Costs) -> [View; LADDER.len()] {
    LADDER.map(|view| View { cost: costs.views[view.rung()], fidelity: view.fidelity() })
}

/// Splits the tools over the available cores. The results come in order whatever thread made them.
fn measure_all(tools: &[ToolDef], tokenizer: Tokenizer) -> Vec<Measured> {
    tokenizer.load();
    let n_threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    // Several parts per core, because definitions differ in size by orders of magnitude.
    let part_len = tools.len().div_ceil(n_threads * 8).max(16);
    let parts: Vec<&[ToolDef]> = tools.chunks(part_len).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((part_idx, part)) = take_next(&next, &parts) {
            let measured = part.iter().map(|tool| measure_one(tool, tokenizer)).collect::<Vec<_>>();
            done.push((part_idx, measured));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..n_threads.min(parts.len())).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(part_idx, _)| part_idx);
    done.into_iter().flat_map(|(_, measured)| measured).collect()
}

fn take_next<'a>(next: &std::sync::atomic::AtomicUsize, parts: &[&'a [ToolDef]]) -> Option<(usize, &'a [ToolDef])> {
    let part_idx = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    parts.get(part_idx).map(|&part| (part_idx, part))
}

fn measure_one(tool: &ToolDef, tokenizer: Tokenizer) -> Measured {
    let parsed = ParsedTool::new(&tool.definition, &tool.exposed);
    Measured {
        costs: measure::costs(&parsed, tokenizer),
        document: Document::new(tool, parsed.description.as_deref().unwrap_or_default(), &parsed.reduced),
        notes: parsed.notes,
    }
}

/// Adds to each name its share of the index line's `server: `, as if all names of the server were on it.
fn with_server_headings(tools: &[ToolDef], measured: &[Measured], tokenizer: Tokenizer) -> Vec<Costs> {
    let mut servers = FxHashMap::<&str, (u32, u32)>::default();
    for tool in tools {
        let heading = || measure::index_line_cost(&format!("{}:", tool.server), tokenizer);
        let (_, n_tools) = servers.entry(&tool.server).or_insert_with(|| (heading(), 0));
        *n_tools += 1;
    }
    let share =
        |tool: &ToolDef| servers.get(tool.server.as_str()).map_or(0, |&(heading, n)| heading.div_ceil(n.max(1)));
    let with_share = |(tool, one): (&ToolDef, &Measured)| {
        let mut costs = one.costs;
        costs.views[ToolView::Name.rung()] += share(tool);
        costs
    };
    tools.iter().zip(measured).map(with_share).collect()
}

fn notes(measured: &[Measured]) -> Vec<Note> {
    let each =
        |(idx, one): (usize, &Measured)| one.notes.iter().map(move |&text| Note { idx, text }).collect::<Vec<_>>();
    measured.iter().enumerate().flat_map(each).collect()
}
