//! What of an executable to show a model under a budget: headers, sections, imports, functions, strings and bytes.
//!
//! A file of any form becomes items with views; the one solver chooses. What is packed or encrypted is named and not shown.
//! The bytes come from the caller and are taken as hostile: every count and length in them is checked or bounded.

mod disassemble;
mod hex;
mod image;
mod items;
mod strings;

pub use disassemble::{DISASSEMBLERS, Disassembler};
pub use hex::hex_lines;
pub use image::{Function, Image, Link, Region, entropy};

use rustc_hash::{FxHashMap, FxHashSet};
use tollgate_tokenizers::Tokenizer;

use super::{
    PackError,
    fit::{Written, fit},
};
use crate::{
    budget::{self, Item, View},
    tools::words::each_term,
};
use items::{Draft, Group};

/// How many bits a byte of some bytes is under a model of binaries.
pub type Rarity<'a> = &'a dyn Fn(&[u8]) -> f64;

/// A rendering of some bytes.
pub type Render<'a> = &'a dyn Fn(&[u8]) -> String;

/// What is asked for of a binary.
pub struct BinaryRequest<'a> {
    /// What the context is for.
    pub query: Option<&'a str>,
    /// The most that it may cost, in tokens.
    pub budget: u64,
    /// Whose tokens.
    pub tokenizer: Tokenizer,
    /// How many bits a byte of these bytes is under a model of binaries, where there is one: what is rare says more.
    pub rarity: Option<Rarity<'a>>,
    /// Another rendering of bytes than hex, where there is one; the shorter in tokens is shown.
    pub render: Option<Render<'a>>,
    /// How to reach what is left out.
    pub remedy: &'a str,
}

/// Something shown of a binary.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it is, as headings call it.
    pub group: &'static str,
    /// Where it lies in the file.
    pub offset: u64,
    /// The name of its view.
    pub view: &'static str,
    /// What it costs by itself.
    pub tokens: u32,
    /// What showing it is worth, from 0 to 1.
    pub relevance: f64,
}

/// A context of a binary.
#[derive(Debug, Clone)]
pub struct BinaryPack {
    /// What a model reads.
    pub text: String,
    /// What it costs, counted as a whole.
    pub tokens: u64,
    /// What is in it.
    pub shown: Vec<Shown>,
    /// Items that are not in it.
    pub n_left_out: usize,
    /// How far the plan may be below the best one, as a fraction of that.
    pub gap: f64,
}

/// An item with what it costs and what it is worth.
struct Candidate {
    draft: Draft,
    views: Vec<View>,
    relevance: f64,
}

/// Packs what matters most of `bytes` for a question within a budget.
///
/// # Errors
/// That the budget is too small for anything.
pub fn inspect(bytes: &[u8], request: &BinaryRequest<'_>) -> Result<BinaryPack, PackError> {
    let image = Image::read(bytes);
    let drafts = items::drafts(&image, bytes, request);
    let candidates = weighed(drafts, request);
    let mut least = u64::MAX;
    let written = fit(request.budget, |room| {
        let (choice, gap) = choose(&candidates, room);
        let written = write(&candidates, &choice, gap, request);
        least = least.min(written.tokens);
        written
    });
    let written = written.ok_or(PackError::TooSmall { budget: request.budget, needed: least })?;
    Ok(finish(&candidates, written))
}

/// Costs each view, and joins what an item is worth by itself with what the question says of it.
fn weighed(drafts: Vec<Draft>, request: &BinaryRequest<'_>) -> Vec<Candidate> {
    let asked = asked(request.query.unwrap_or_default(), &drafts);
    let scores: Vec<f64> = drafts.iter().map(|it| said(&it.words, &asked)).collect();
    let best = scores.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let cost = |text: &String| u32::try_from(request.tokenizer.count_rest(text) + 1).unwrap_or(u32::MAX);
    let candidate = |(draft, score): (Draft, f64)| {
        let views = draft.views.iter().map(|it| View { cost: cost(&it.text), fidelity: it.fidelity }).collect();
        Candidate { relevance: (draft.worth + score / best).min(1.0), draft, views }
    };
    drafts.into_iter().zip(scores).map(candidate).collect()
}

/// The terms of a question that some item has, with their rarity.
fn asked(query: &str, drafts: &[Draft]) -> FxHashMap<String, f64> {
    let mut asked: FxHashMap<String, f64> = FxHashMap::default();
    each_term(query, &mut |term| {
        asked.insert(term.to_owned(), 0.0);
    });
    for draft in drafts {
        terms(&draft.words).into_iter().for_each(|term| {
            asked.entry(term).and_modify(|it| *it += 1.0);
        });
    }
    let n = drafts.len() as f64;
    asked.values_mut().for_each(|it| *it = (1.0 + (n - *it + 0.5) / (*it + 0.5)).ln());
    asked
}

fn terms(words: &str) -> FxHashSet<String> {
    let mut terms = FxHashSet::default();
    each_term(words, &mut |term| {
        terms.insert(term.to_owned());
    });
    terms
}

fn said(words: &str, asked: &FxHashMap<String, f64>) -> f64 {
    if asked.is_empty() { 0.0 } else { terms(words).iter().filter_map(|it| asked.get(it)).sum() }
}

fn choose(candidates: &[Candidate], room: u64) -> (Vec<Option<usize>>, f64) {
    let items: Vec<Item<'_>> = candidates
        .iter()
        .map(|it| Item { relevance: it.relevance, views: &it.views, floor: it.draft.floor() })
        .collect();
    // Where not even the header fits, nothing does.
    let plan = budget::plan(&items, room).ok();
    plan.map_or_else(|| (vec![None; candidates.len()], 0.0), |plan| (plan.choice.clone(), plan.gap()))
}

/// The text, how far its plan may be from the best, and the items and their views in their order.
struct Context {
    text: String,
    gap: f64,
    shown: Vec<(usize, usize)>,
}

fn write(
    candidates: &[Candidate],
    choice: &[Option<usize>],
    gap: f64,
    request: &BinaryRequest<'_>,
) -> Written<Context> {
    let (mut text, mut shown) = (String::new(), Vec::new());
    for group in Group::ALL {
        let is_of_it = |(at, view): (usize, &Option<usize>)| {
            (candidates[at].draft.group == group).then_some(())?;
            Some((at, (*view)?))
        };
        let mut members: Vec<(usize, usize)> = choice.iter().enumerate().filter_map(is_of_it).collect();
        members.sort_by_key(|&(at, _)| candidates[at].draft.offset);
        if !members.is_empty() {
            text.push_str(group.heading());
        }
        for &(at, view) in &members {
            text.push_str(&candidates[at].draft.views[view].text);
            text.push('\n');
        }
        shown.extend(members);
    }
    let n_left = candidates.len() - shown.len();
    if n_left > 0 {
        text.push_str(&format!("[{n_left} items more; {}]\n", request.remedy));
    }
    let value = |&(at, view): &(usize, usize)| candidates[at].relevance * candidates[at].views[view].fidelity;
    let tokens = request.tokenizer.count(&text) as u64;
    let (value, is_empty) = (shown.iter().map(value).sum(), shown.is_empty());
    Written { what: Context { text, gap, shown }, tokens, value, is_empty }
}

fn finish(candidates: &[Candidate], written: Written<Context>) -> BinaryPack {
    let Written { what: Context { text, gap, shown }, tokens, .. } = written;
    let told = |&(at, view): &(usize, usize)| {
        let Candidate { draft, views, relevance } = &candidates[at];
        Shown {
            group: draft.group.name(),
            offset: draft.offset,
            view: draft.views[view].name,
            tokens: views[view].cost,
            relevance: *relevance,
        }
    };
    let n_left_out = candidates.len() - shown.len();
    BinaryPack { text, tokens, shown: shown.iter().map(told).collect(), n_left_out, gap }
}
