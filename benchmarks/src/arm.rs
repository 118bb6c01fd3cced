//! What a model is shown: only the tools that a task needs, all tools, or what the gate lists under a budget.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;
use tollgate_planners::tools::{
    Catalogue, META_TOOLS, SearchRequest, SearchText, Turn, TurnsRequest, count_list, search,
};
use tollgate_tokenizers::Tokenizer;

use crate::task::{Task, ToolSet};

/// One way to show tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// Only those that the task needs, in full.
    Oracle,
    /// All, in full.
    All,
    /// What the gate lists within so many tokens; the rest is reached through its own tools.
    Gate(u32),
    /// All, given to a gateway that holds its own budget of so many tokens.
    Served(u32),
    /// None: the task needs no tools.
    Plain,
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oracle => f.write_str("oracle"),
            Self::All => f.write_str("all"),
            Self::Gate(budget) => write!(f, "gate@{budget}"),
            Self::Served(budget) => write!(f, "served@{budget}"),
            Self::Plain => f.write_str("plain"),
        }
    }
}

impl FromStr for Arm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let budget = |digits: &str| {
            digits.parse().map_err(|_| format!("`{text}` has no number of tokens after `@`; write gate@2000"))
        };
        match text.split_once('@') {
            Some(("gate", digits)) => Ok(Self::Gate(budget(digits)?)),
            Some(("served", digits)) => Ok(Self::Served(budget(digits)?)),
            _ if text == "oracle" => Ok(Self::Oracle),
            _ if text == "all" => Ok(Self::All),
            _ if text == "plain" => Ok(Self::Plain),
            _ => Err(format!("unknown arm `{text}`; there are oracle, all, gate@TOKENS and served@TOKENS")),
        }
    }
}

/// A set of tools, prepared once for all tasks that share it.
pub struct Shelf {
    /// The tools.
    pub tools: Arc<ToolSet>,
    /// The same, counted and indexed.
    pub catalogue: Catalogue,
    all: OnceLock<Arc<Listing>>,
}

/// The tools of a request.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Entries of `tools/list`.
    pub entries: Vec<Arc<RawValue>>,
    /// Whether the gate's own tools come first.
    pub has_meta: bool,
    /// Tokens of the gate's own tools, their index among them.
    pub meta_tokens: u64,
    /// Tokens of the whole list.
    pub tokens: u64,
    /// Tools that the model can see there, as an entry or by name.
    pub visible: BTreeSet<usize>,
    /// Of these, tools that are entries.
    pub listed: BTreeSet<usize>,
}

impl Shelf {
    /// Counts and indexes.
    #[must_use]
    pub fn new(tools: Arc<ToolSet>, tokenizer: Tokenizer) -> Self {
        let catalogue = Catalogue::build(tools.defs.clone(), tokenizer);
        Self { tools, catalogue, all: OnceLock::new() }
    }

    /// What `arm` shows of the tools for `task`.
    ///
    /// # Errors
    /// That the budget does not even hold the gate's own tools.
    pub fn list(&self, arm: Arm, task: &Task) -> Result<Arc<Listing>, String> {
        match arm {
            Arm::Plain => Ok(Arc::default()),
            Arm::Oracle => Ok(Arc::new(self.in_full(task.gold().into_iter().flatten().collect()))),
            Arm::All | Arm::Served(_) => {
                let everything = || Arc::new(self.in_full((0..self.tools.defs.len()).collect()));
                Ok(Arc::clone(self.all.get_or_init(everything)))
            }
            Arm::Gate(budget) => self.gated(budget, &task.query).map(Arc::new),
        }
    }

    /// What `search_tools` answers.
    #[must_use]
    pub fn search(&self, request: &SearchRequest<'_>) -> SearchText {
        search(&self.catalogue, request)
    }

    fn in_full(&self, indices: BTreeSet<usize>) -> Listing {
        let entries: Vec<Arc<RawValue>> = indices.iter().map(|&idx| Arc::from(self.catalogue.describe(idx))).collect();
        let tokens = match entries.is_empty() {
            true => 0,
            false => count_list(entries.iter().map(|it| &**it), self.catalogue.tokenizer()),
        };
        Listing { tokens, entries, visible: indices.clone(), listed: indices, ..Listing::default() }
    }

    /// The plan of the first turn, as the REST proxy makes it.
    fn gated(&self, budget: u32, query: &str) -> Result<Listing, String> {
        let turns = [Turn { text: query, tokens_before: 0 }];
        let request = TurnsRequest { budget, pins: &|_| false, turns: &turns };
        let plan = self.catalogue.plan_turns(&request).map_err(|error| format!("a budget of {budget}: {error}"))?;
        let entries: Vec<Arc<RawValue>> = self.catalogue.turns_json(&plan).into_iter().map(Arc::from).collect();
        let shown = plan.first.entries.iter().filter(|it| it.view.is_some()).map(|it| it.idx);
        Ok(Listing {
            has_meta: plan.first.has_meta_tools(),
            meta_tokens: plan.first.meta_tools_tokens,
            tokens: plan.total_tokens,
            visible: shown.collect(),
            listed: plan.listed().map(|(idx, _)| idx).collect(),
            entries,
        })
    }
}

impl Listing {
    /// The entries that are tools, without the gate's own.
    pub fn own_entries(&self) -> impl Iterator<Item = &RawValue> {
        let skipped = if self.has_meta { META_TOOLS.len() } else { 0 };
        self.entries.iter().skip(skipped).map(|it| &**it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_read_as_they_are_printed() {
        for text in ["oracle", "all", "gate@2000", "served@500", "plain"] {
            assert_eq!(text.parse::<Arm>().unwrap().to_string(), text);
        }
        for text in ["", "gate", "gate@", "gate@x", "Oracle"] {
            assert!(text.parse::<Arm>().is_err(), "{text}");
        }
    }
}
