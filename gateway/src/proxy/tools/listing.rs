//! What a plan lists, ready to be put into a request. A conversation comes again with every turn, and its list stays: it is
//! planned once, and then found by what it depends on.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{
    deferred,
    shelf::{Origin, Shelf, functions},
};
use crate::{
    object::RawObject,
    protocols::{Function, Json, PartKind, Request, Role, ToolChoice},
    recent::Recent,
};
use tollgate_planners::tools::{LATE_FROM_TOKENS, META_TOOLS, ToolDef, ToolView, Turn, TurnsPlan, TurnsRequest};
use tollgate_tokenizers::Tokenizer;

/// Bytes of one turn that tools are ranked against; its beginning says what is wanted.
const TURN_BYTES: usize = 16 << 10;

/// How often the plan is corrected where what is sent costs more than what was planned.
const CORRECTIONS: usize = 3;

/// Lists that are kept, and the bytes of what they depend on.
const MOST_LISTINGS: usize = 512;
const MOST_BYTES: usize = 4 << 20;

/// A planned list.
pub struct Listing {
    pub plan: TurnsPlan,
    pub meta_tools: Vec<Function>,
    pub listed: Vec<Listed>,
}

/// One tool of the list.
pub struct Listed {
    pub origin: Origin,
    pub view: ToolView,
    /// As the view shows it.
    pub function: Function,
}

/// The lists of the conversations that came last.
pub struct Listings {
    recent: Recent<Arc<Listing>>,
}

impl Default for Listings {
    fn default() -> Self {
        Self { recent: Recent::new(MOST_LISTINGS, MOST_BYTES) }
    }
}

/// What a list is wanted for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub shelf: &'a Shelf,
    pub request: &'a Request,
    /// Tokens that the list may take.
    pub budget: u32,
    pub tokenizer: Tokenizer,
    /// Whether the provider searches what is left out.
    pub is_deferred: bool,
}

impl Listings {
    /// The list, planned where it is not known.
    ///
    /// # Errors
    /// That the budget does not hold what has to be listed.
    pub fn get(&self, wanted: Wanted<'_>) -> Result<Arc<Listing>, String> {
        let turns = turns(wanted.request, wanted.tokenizer);
        let chosen = chosen(wanted.request.tool_choice.as_ref());
        self.recent.get(key(&wanted, &turns, &chosen), || {
            let plan = planned(&wanted, &turns, &chosen)?;
            Ok(Arc::new(Listing::of(wanted.shelf, plan)))
        })
    }
}

/// Everything that a list depends on.
fn key(wanted: &Wanted<'_>, turns: &[(String, usize)], chosen: &[&str]) -> Vec<u8> {
    let mut key = wanted.shelf.id.to_le_bytes().to_vec();
    key.extend_from_slice(&wanted.budget.to_le_bytes());
    key.push(u8::from(wanted.is_deferred));
    for text in chosen.iter().copied().chain([""]).chain(turns.iter().map(|(text, _)| text.as_str())) {
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    key
}

fn planned(wanted: &Wanted<'_>, turns: &[(String, usize)], chosen: &[&str]) -> Result<TurnsPlan, String> {
    let turns: Vec<Turn<'_>> =
        turns.iter().map(|(text, tokens_before)| Turn { text, tokens_before: *tokens_before }).collect();
    let pins = |def: &ToolDef| chosen.contains(&def.exposed.as_str());
    let mut within = wanted.budget;
    for _ in 0..CORRECTIONS {
        let asked = TurnsRequest { budget: within, pins: &pins, turns: &turns };
        let plan = match wanted.is_deferred {
            true => deferred::plan(&wanted.shelf.catalogue, &asked),
            false => wanted.shelf.catalogue.plan_turns(&asked),
        };
        let plan = plan.map_err(|error| error.to_string())?;
        let over = strict_surplus(wanted, &plan);
        if plan.total_tokens + over <= u64::from(wanted.budget) || over == 0 {
            return Ok(plan);
        }
        within = within.saturating_sub(u32::try_from(over).unwrap_or(u32::MAX));
    }
    Err(format!("the tools that must be listed need more than {} tokens", wanted.budget))
}

/// What strict tools cost beyond the plan, since their schemas are sent as they are.
fn strict_surplus(wanted: &Wanted<'_>, plan: &TurnsPlan) -> u64 {
    let (own, shelf) = (functions(&wanted.request.tools), wanted.shelf);
    let tokens = |schema: Option<&Json>| schema.map_or(0, |it| wanted.tokenizer.count(it.text()) as u64);
    let surplus = |(idx, view): (usize, ToolView)| {
        let Some(Origin::Client(at)) = shelf.origins.get(idx).copied() else { return 0 };
        let Some(function) = own.get(at).filter(|it| view == ToolView::Full && it.is_strict == Some(true)) else {
            return 0;
        };
        let counted = function_of(&shelf.catalogue.entry_json(idx, view)).parameters;
        tokens(function.parameters.as_ref()).saturating_sub(tokens(counted.as_ref()))
    };
    plan.listed().map(surplus).sum()
}

/// Tools that a choice names have to be listed.
fn chosen(choice: Option<&ToolChoice>) -> Vec<&str> {
    match choice {
        Some(ToolChoice::Named(name)) => vec![name],
        Some(ToolChoice::Allowed { names, .. }) => names.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What the user wrote, turn by turn as long as it can change the list, each with the tokens of all that was written before.
fn turns(request: &Request, tokenizer: Tokenizer) -> Vec<(String, usize)> {
    let (mut turns, mut tokens): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    for message in &request.messages {
        if tokens >= LATE_FROM_TOKENS && !turns.is_empty() {
            break;
        }
        let texts: Vec<&str> = message.parts.iter().filter_map(|part| part.text()).collect();
        if message.role == Role::User && !texts.is_empty() {
            let mut text = texts.join("\n");
            text.truncate(text.floor_char_boundary(TURN_BYTES));
            turns.push((text, tokens));
        }
        let counted = message.parts.iter().map(|part| match &part.kind {
            PartKind::Text(text) => tokenizer.count(text),
            PartKind::ToolCall(call) => tokenizer.count(&call.arguments),
            PartKind::ToolResult(result) => {
                result.parts.iter().filter_map(|it| it.text()).map(|it| tokenizer.count(it)).sum()
            }
            _ => 0,
        });
        tokens += counted.sum::<usize>();
    }
    turns
}

impl Listing {
    fn of(shelf: &Shelf, plan: TurnsPlan) -> Self {
        let n_meta = if plan.first.has_meta_tools() { META_TOOLS.len() } else { 0 };
        let entries = shelf.catalogue.turns_json(&plan);
        let meta_tools = entries.iter().take(n_meta).map(|it| function_of(it)).collect();
        let listed = plan.listed().zip(entries.iter().skip(n_meta)).filter_map(|((idx, view), entry)| {
            let origin = *shelf.origins.get(idx)?;
            Some(Listed { origin, view, function: function_of(entry) })
        });
        let listed = listed.collect();
        Self { plan, meta_tools, listed }
    }
}

/// An entry as MCP writes it.
fn function_of(entry: &RawValue) -> Function {
    let entry = RawObject::parse(entry).unwrap_or_default();
    Function {
        name: entry.get_str("name").unwrap_or_default(),
        description: entry.get_str("description"),
        parameters: entry.get("inputSchema").and_then(|it| Json::parse(it.get())),
        is_strict: Some(false),
    }
}
