//! The answer of `search_tools`: ranked tools as text, the best in most detail, within a budget of its own.

use super::catalogue::Catalogue;
use super::meta;
use super::rank::Match;
use super::signature::signature;
use super::view::ToolView;
use crate::budget::{Item, View, plan};

/// The views of a result, in ascending detail.
const RESULT_VIEWS: [ToolView; 3] = [ToolView::Summary, ToolView::Signature, ToolView::Described];

/// More results than this are never laid out, whatever the limit.
const MAX_RESULTS: usize = 200;

/// Set aside for the first and the last line, in tokens.
const FRAME_TOKENS: u64 = 48;

/// What a model asked `search_tools`.
#[derive(Debug, Clone, Copy)]
pub struct SearchRequest<'a> {
    /// What the tool should do. Empty: all names.
    pub query: &'a str,
    /// Only tools of this server.
    pub server: Option<&'a str>,
    /// The most results to show.
    pub limit: usize,
    /// Tokens that the text may take.
    pub budget: u32,
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText {
    /// The text for the model.
    pub text: String,
    /// Tools that it shows.
    pub shown: usize,
    /// Tools that match, shown or not.
    pub total_matches: usize,
}

/// Searches `catalogue` and lays the results out within the budget. Says how many more match and how to see them; an
/// unknown server is answered with the names of those that exist.
#[must_use]
pub fn search(catalogue: &Catalogue, request: &SearchRequest<'_>) -> SearchText {
    let servers = servers(catalogue);
    if let Some(unknown) = request.server.filter(|server| !servers.contains(server)) {
        return unknown_server(catalogue, request, unknown, &servers);
    }
    let is_wanted = |idx: usize| request.server.is_none_or(|server| catalogue.tools()[idx].server == server);
    if request.query.trim().is_empty() {
        let wanted: Vec<usize> = (0..catalogue.tools().len()).filter(|&idx| is_wanted(idx)).collect();
        return all_names(catalogue, request, &wanted);
    }
    let mut matches = catalogue.rank(request.query);
    matches.retain(|found| is_wanted(found.idx));
    ranked(catalogue, request, &matches)
}

fn ranked(catalogue: &Catalogue, request: &SearchRequest<'_>, matches: &[Match]) -> SearchText {
    let results: Vec<Laid> =
        matches.iter().take(request.limit.min(MAX_RESULTS)).map(|found| Laid::new(catalogue, found, matches)).collect();
    let chosen = choose(&results, u64::from(request.budget).saturating_sub(FRAME_TOKENS));
    let lines: Vec<&str> =
        results.iter().zip(&chosen).filter_map(|(result, view)| Some(result.lines[(*view)?].as_str())).collect();
    fitted(catalogue, request, &lines, matches.len())
}

/// One match, laid out in each of [`RESULT_VIEWS`].
struct Laid {
    relevance: f64,
    lines: [String; 3],
    views: [View; 3],
}

impl Laid {
    fn new(catalogue: &Catalogue, found: &Match, all: &[Match]) -> Self {
        let lines = lines(catalogue, found.idx);
        let cost = |line: &String| u32::try_from(catalogue.tokenizer().count(line) + 1).unwrap_or(u32::MAX);
        let costs = lines.each_ref().map(cost);
        let view = |at: usize| View { cost: costs[at], fidelity: RESULT_VIEWS[at].fidelity() };
        let best = all.first().map_or(1.0, |best| best.score);
        Self { relevance: found.score / best, views: [view(0), view(1), view(2)], lines }
    }
}

fn lines(catalogue: &Catalogue, idx: usize) -> [String; 3] {
    let tool = catalogue.parsed(idx);
    let signature = format!("{}{}", tool.name, signature(&tool.reduced));
    let sentence = tool.first_sentence();
    let with = |text: &str| {
        if text.is_empty() { signature.clone() } else { format!("{signature} - {text}") }
    };
    [tool.summary_line(), with(&sentence), with(tool.description.as_deref().unwrap_or_default().trim())]
}

fn choose(results: &[Laid], budget: u64) -> Vec<Option<usize>> {
    let items: Vec<Item<'_>> =
        results.iter().map(|laid| Item { relevance: laid.relevance, views: &laid.views, floor: None }).collect();
    plan(&items, budget).map(|planned| planned.choice).unwrap_or_default()
}

/// As many of the lines as really fit, between a first line that counts them and a last one that says what to do
/// about the others.
fn fitted(catalogue: &Catalogue, request: &SearchRequest<'_>, lines: &[&str], total_matches: usize) -> SearchText {
    let budget = request.budget as usize;
    for shown in (0..=lines.len()).rev() {
        let text = framed(request, &lines[..shown], total_matches);
        if shown == 0 || catalogue.tokenizer().count_till_limit(&text, budget).is_some() {
            return SearchText { text, shown, total_matches };
        }
    }
    SearchText { text: String::new(), shown: 0, total_matches }
}

fn framed(request: &SearchRequest<'_>, lines: &[&str], total_matches: usize) -> String {
    let hidden = total_matches - lines.len();
    let mut text = match (total_matches, lines.len()) {
        (0, _) => "No tool matches. Use other words, or an empty query for all names.".to_owned(),
        (total, shown) => format!("{shown} of {total} matching tools:"),
    };
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    match hidden {
        0 => {}
        _ if lines.len() >= request.limit => {
            text += &format!("\n{hidden} more match; raise `limit` or be more specific.")
        }
        _ if request.server.is_none() => text += &format!("\n{hidden} more match; be more specific or give `server`."),
        _ => text += &format!("\n{hidden} more match; be more specific."),
    }
    text
}

/// Every wanted name, by server, as far as the budget goes.
fn all_names(catalogue: &Catalogue, request: &SearchRequest<'_>, wanted: &[usize]) -> SearchText {
    let text_of = |shown: usize| {
        let names = wanted[..shown].iter().map(|&idx| {
            let tool = &catalogue.tools()[idx];
            (tool.server.as_str(), ToolView::Name, tool.exposed.clone())
        });
        let more = match wanted.len() - shown {
            0 => String::new(),
            hidden => format!("\n{hidden} more; give `server` or a query."),
        };
        let plural = if wanted.len() == 1 { "" } else { "s" };
        format!("{} tool{plural}:{}{more}", wanted.len(), meta::index_text(names))
    };
    let fits =
        |shown: usize| catalogue.tokenizer().count_till_limit(&text_of(shown), request.budget as usize).is_some();
    let shown = largest(wanted.len(), fits);
    SearchText { text: text_of(shown), shown, total_matches: wanted.len() }
}

/// The largest number up to `limit` that `fits`, if all below a fitting one fit; 0 if none does.
fn largest(limit: usize, fits: impl Fn(usize) -> bool) -> usize {
    if fits(limit) {
        return limit;
    }
    let (mut low, mut high) = (0, limit);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

fn servers(catalogue: &Catalogue) -> Vec<&str> {
    let mut servers: Vec<&str> = Vec::new();
    for tool in catalogue.tools() {
        // Tools come by server, so a server's next tool is most often its last one's neighbour.
        if servers.last() != Some(&tool.server.as_str()) && !servers.contains(&tool.server.as_str()) {
            servers.push(&tool.server);
        }
    }
    servers
}

fn unknown_server(catalogue: &Catalogue, request: &SearchRequest<'_>, name: &str, servers: &[&str]) -> SearchText {
    let text_of = |shown: usize| {
        let more = if shown < servers.len() { ", …" } else { "" };
        format!("unknown server `{name}`; known are {}{more}", servers[..shown].join(", "))
    };
    let fits =
        |shown: usize| catalogue.tokenizer().count_till_limit(&text_of(shown), request.budget as usize).is_some();
    SearchText { text: text_of(largest(servers.len(), fits)), shown: 0, total_matches: 0 }
}
