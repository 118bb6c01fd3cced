//! A context under a budget: symbols ranked, their views planned by the one solver, and written file by file.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tollgate_tokenizers::Tokenizer;

use super::{
    Found, Index, Kind, SYMBOL_LADDER, SymbolView, Weights,
    fit::{Written, fit},
    index::text_hash,
    render,
};
use crate::budget::{self, Item, View};

/// Symbols that are considered, the best ones.
const MAX_CANDIDATES: usize = 600;

/// What is asked for.
pub struct PackRequest<'a> {
    /// What the context is for; without it, what the folder is about.
    pub query: Option<&'a str>,
    /// The most that the context may cost, in tokens.
    pub budget: u64,
    /// Whose tokens.
    pub tokenizer: Tokenizer,
    /// The text of a file now; `None` if it is gone.
    pub source: &'a dyn Fn(&str) -> Option<Arc<str>>,
    /// How to reach what is left out; ends the context.
    pub remedy: &'a str,
    /// How ranking weighs its evidence.
    pub weights: Weights,
}

/// A symbol in a context.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Its file.
    pub path: Arc<str>,
    /// Its lines, from 1.
    pub lines: (u32, u32),
    /// Its name behind those around it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What is shown of it.
    pub view: SymbolView,
    /// What that costs by itself.
    pub tokens: u32,
    /// What showing it is worth, from 0 to 1.
    pub relevance: f64,
}

/// A context.
#[derive(Debug, Clone)]
pub struct Pack {
    /// What a model reads.
    pub text: String,
    /// What it costs, counted as a whole.
    pub tokens: u64,
    /// What is in it, in its order.
    pub packed: Vec<Packed>,
    /// Symbols that are not in it, and files of which nothing is.
    pub left_out: (usize, usize),
    /// Files that are not as they were when they were indexed; nothing of them is shown.
    pub stale: Vec<String>,
    /// How far the plan may be below the best one, as a fraction of that.
    pub gap: f64,
}

/// Why there is no context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Not even the closing line fits.
    #[error("a budget of {budget} is too small; at least {needed} tokens are needed")]
    TooSmall {
        /// What was given.
        budget: u64,
        /// What is needed at least.
        needed: u64,
    },
}

/// Packs what matters most for a question within a budget.
///
/// # Errors
/// That the budget is too small for anything.
pub fn pack(index: &Index, request: &PackRequest<'_>) -> Result<Pack, PackError> {
    let found = index.rank(request.query, &request.weights, MAX_CANDIDATES);
    let mut sources = Sources { index, read: request.source, texts: FxHashMap::default(), stale: Vec::new() };
    let candidates = candidates(index, &found, &mut sources, request.tokenizer);
    let writer = Writer { index, candidates: &candidates, request };
    let mut least = u64::MAX;
    let written = fit(request.budget, |room| {
        let (choice, gap) = choose(&candidates, room);
        let written = writer.write(&choice, gap);
        least = least.min(written.tokens);
        written
    });
    let written = written.ok_or(PackError::TooSmall { budget: request.budget, needed: least })?;
    Ok(writer.finish(written, sources.stale))
}

/// A symbol that may be shown, with the text of each view.
struct Candidate {
    found: Found,
    path: Arc<str>,
    views: Vec<(SymbolView, String, View)>,
}

/// A file's path and text.
type Source = (Arc<str>, Arc<str>);

/// Texts of files, read once each, and only if they are still as they were indexed.
struct Sources<'a> {
    index: &'a Index,
    read: &'a dyn Fn(&str) -> Option<Arc<str>>,
    texts: FxHashMap<u32, Option<Source>>,
    stale: Vec<String>,
}

impl Sources<'_> {
    fn of(&mut self, unit: u32) -> Option<Source> {
        let unit = &self.index.units[unit as usize];
        let file = self.index.file(unit);
        let Self { read, texts, stale, .. } = self;
        let found = texts.entry(unit.file).or_insert_with(|| {
            let text = read(&file.path).filter(|it| text_hash(it) == file.hash);
            if text.is_none() {
                stale.push(file.path.to_string());
            }
            text.map(|text| (Arc::from(&*file.path), text))
        });
        found.clone()
    }
}

fn candidates(index: &Index, found: &[Found], sources: &mut Sources<'_>, tokenizer: Tokenizer) -> Vec<Candidate> {
    let candidate = |&found: &Found| {
        let (path, text) = sources.of(found.unit)?;
        let unit = &index.units[found.unit as usize];
        let outline = &index.file(unit).outline;
        let mut views: Vec<(SymbolView, String, View)> = Vec::new();
        for view in SYMBOL_LADDER {
            let shown = render::view(outline, unit.symbol as usize, &text, view);
            if views.last().is_some_and(|(_, before, _)| *before == shown) {
                continue;
            }
            // One more for the line end, which seldom joins what is beside it.
            let cost = u32::try_from(tokenizer.count_rest(&shown) + 1).unwrap_or(u32::MAX);
            views.push((view, shown, View { cost, fidelity: view.fidelity() }));
        }
        // The last view is all there is to say, whichever it is.
        if let Some((_, _, last)) = views.last_mut() {
            last.fidelity = SymbolView::Whole.fidelity();
        }
        Some(Candidate { found, path, views })
    };
    found.iter().filter_map(candidate).collect()
}

/// The view of each candidate that the solver chooses, as an index.
fn choose(candidates: &[Candidate], room: u64) -> (Vec<Option<usize>>, f64) {
    let views: Vec<Vec<View>> =
        candidates.iter().map(|it| it.views.iter().map(|(_, _, view)| *view).collect()).collect();
    let items: Vec<Item<'_>> = candidates
        .iter()
        .zip(&views)
        .map(|(it, views)| Item { relevance: it.found.relevance, views, floor: None })
        .collect();
    // Nothing is pinned, so every budget can be met.
    budget::plan(&items, room).map_or_else(
        |_| (vec![None; candidates.len()], 0.0),
        |plan| {
            let gap = plan.gap();
            (plan.choice, gap)
        },
    )
}

/// The text of a context, how far its plan may be from the best, and its candidates and their views in their order.
struct Context {
    text: String,
    gap: f64,
    shown: Vec<(usize, usize)>,
}

struct Writer<'a> {
    index: &'a Index,
    candidates: &'a [Candidate],
    request: &'a PackRequest<'a>,
}

impl Writer<'_> {
    fn write(&self, choice: &[Option<usize>], gap: f64) -> Written<Context> {
        let files = self.by_file(choice);
        let mut text = String::new();
        let mut shown = Vec::new();
        for members in &files {
            let path = members.first().map_or("", |&(at, _)| &*self.candidates[at].path);
            text.push_str("## ");
            text.push_str(path);
            text.push('\n');
            for &(at, view) in members {
                text.push_str(&self.candidates[at].views[view].1);
                text.push('\n');
                shown.push((at, view));
            }
        }
        let n_left = self.index.n_symbols() - shown.len();
        if n_left > 0 {
            let n_files = self.index.n_files() - files.len();
            text.push_str(&format!("[{n_left} symbols more, {n_files} files not shown; {}]\n", self.request.remedy));
        }
        let value = |&(at, view): &(usize, usize)| {
            let candidate = &self.candidates[at];
            candidate.found.relevance * candidate.views[view].2.fidelity
        };
        let tokens = self.request.tokenizer.count(&text) as u64;
        let (value, is_empty) = (shown.iter().map(value).sum(), shown.is_empty());
        Written { what: Context { text, gap, shown }, tokens, value, is_empty }
    }

    /// Chosen candidates by file: the file with the best match first, in a file from its start.
    fn by_file(&self, choice: &[Option<usize>]) -> Vec<Vec<(usize, usize)>> {
        let mut numbers: FxHashMap<u32, usize> = FxHashMap::default();
        let mut files: Vec<Vec<(usize, usize)>> = Vec::new();
        for (at, view) in choice.iter().enumerate().filter_map(|(at, view)| Some((at, (*view)?))) {
            if self.is_inside_another(at, choice) {
                continue;
            }
            let file = self.unit(at).file;
            let number = *numbers.entry(file).or_insert(files.len());
            if number == files.len() {
                files.push(Vec::new());
            }
            files[number].push((at, view));
        }
        files.iter_mut().for_each(|it| it.sort_by_key(|&(at, _)| self.unit(at).symbol));
        files
    }

    /// True if a symbol around it is shown with all that lies in it.
    fn is_inside_another(&self, at: usize, choice: &[Option<usize>]) -> bool {
        let mut unit = self.candidates[at].found.unit;
        while let Some(parent) = self.index.parent(&self.index.units[unit as usize]) {
            unit = parent;
            if self.index.symbol(&self.index.units[unit as usize]).kind != Kind::Function {
                continue;
            }
            let shown = self.candidates.iter().zip(choice).find(|(it, _)| it.found.unit == unit);
            let is_whole = |(candidate, view): (&Candidate, &Option<usize>)| {
                view.is_some_and(|view| candidate.views[view].0 >= SymbolView::Body)
            };
            if shown.is_some_and(is_whole) {
                return true;
            }
        }
        false
    }

    fn unit(&self, at: usize) -> &super::index::Unit {
        &self.index.units[self.candidates[at].found.unit as usize]
    }

    fn finish(&self, written: Written<Context>, stale: Vec<String>) -> Pack {
        let packed = |&(at, view): &(usize, usize)| {
            let candidate = &self.candidates[at];
            let unit = self.unit(at);
            let symbol = self.index.symbol(unit);
            let (view, _, cost) = &candidate.views[view];
            let view = *view;
            Packed {
                path: Arc::clone(&candidate.path),
                lines: symbol.lines,
                name: self.index.file(unit).outline.qualified(unit.symbol as usize),
                kind: symbol.kind,
                view,
                tokens: cost.cost,
                relevance: candidate.found.relevance,
            }
        };
        let Written { what: Context { text, gap, shown }, tokens, .. } = written;
        let packed: Vec<Packed> = shown.iter().map(packed).collect();
        let n_files = packed.chunk_by(|a, b| a.path == b.path).count();
        let left_out = (self.index.n_symbols() - packed.len(), self.index.n_files() - n_files);
        Pack { text, tokens, packed, left_out, stale, gap }
    }
}
