//! How much to think, in OpenAI's words and in Anthropic's tokens.

use super::{extras::Dropped, foreign, request::Reasoning};

/// The smallest budget that Anthropic takes (API reference, `thinking.budget_tokens`).
pub const MIN_BUDGET: u64 = 1_024;

/// Budgets that stand for an effort; a budget up to the number is named by the word. Neither vendor says how the two
/// compare, so the steps are the gateway's own.
const STEPS: &[(&str, u64)] =
    &[("minimal", 1_024), ("low", 4_096), ("medium", 16_384), ("high", 32_768), ("xhigh", 65_536), ("max", 131_072)];

/// OpenAI's effort: the caller's own word, or the one nearest to the budget.
pub fn of(reasoning: &Reasoning) -> Option<&str> {
    let by_budget = |budget| STEPS.iter().find(|(word, most)| *word != "minimal" && budget <= *most);
    let word = |budget| by_budget(budget).map_or("max", |(word, _)| word);
    reasoning.effort.as_deref().or_else(|| reasoning.budget_tokens.map(word))
}

/// Notes what OpenAI's formats are not told.
pub fn note(reasoning: &Reasoning, dropped: &mut Vec<Dropped>) {
    if reasoning.budget_tokens.is_some() {
        let why = "OpenAI's models take an effort, the nearest one is sent";
        foreign::note(dropped, "thinking.budget_tokens".to_owned(), why);
    } else if reasoning.mode.is_some() && reasoning.effort.is_none() {
        let why = "OpenAI's models decide themselves whether to think";
        foreign::note(dropped, "thinking.type".to_owned(), why);
    }
}

/// The budget for an effort, below the `max_tokens` that it is a part of.
pub fn budget(effort: &str, max_tokens: u64) -> u64 {
    let wanted = STEPS.iter().find(|(word, _)| *word == effort).map_or(MIN_BUDGET, |(_, most)| *most);
    wanted.min(max_tokens.saturating_sub(1)).max(MIN_BUDGET)
}
