//! What happened in one attempt at a task, and the line of a record that keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::score::Gate;

/// An attempt, round by round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Each request to the model, and what it said.
    pub rounds: Vec<Round>,
    /// Tools that were needed and that the model never saw, listed or found, by exposed name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// How it ended.
    pub end: End,
    /// What the model said last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// What the host found of each check of the final state, in the task's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<bool>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The model had nothing more to call.
    #[default]
    Answered,
    /// It was still calling when its rounds were used up.
    OutOfRounds,
    /// Nobody answered, or the host was gone; nothing is said about the model, and a resumed run tries again.
    Broken(String),
}

/// One request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// What the request was made of, in tokens as counted here.
    pub parts: Parts,
    /// Tokens that the model wrote, as counted here.
    pub output: u64,
    /// As the provider returned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The model's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Its calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Made>,
    /// How long it took, ms.
    #[serde(default)]
    pub ms: u64,
}

/// The parts of a request, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The gateway's own three tools, its index of the others among them.
    pub meta_tools: u64,
    /// The tools that are listed.
    pub tools: u64,
    /// The operator's words.
    pub system: u64,
    /// The user's words.
    pub query: u64,
    /// The model's own words and calls of earlier rounds.
    pub said: u64,
    /// What tools and searches answered.
    pub results: u64,
}

impl Parts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.meta_tools + self.tools + self.system + self.query + self.said + self.results
    }

    /// The sum of two, part by part.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            meta_tools: self.meta_tools + other.meta_tools,
            tools: self.tools + other.tools,
            system: self.system + other.system,
            query: self.query + other.query,
            said: self.said + other.said,
            results: self.results + other.results,
        }
    }
}

/// Tokens as a provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All of the prompt, cached or not.
    pub input: u64,
    /// All that the model wrote.
    pub output: u64,
    /// Of the prompt, what came from the provider's cache.
    #[serde(default)]
    pub cached: u64,
}

impl Usage {
    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { input: self.input + other.input, output: self.output + other.output, cached: self.cached + other.cached }
    }

    /// Prompt and output.
    #[must_use]
    pub fn total(self) -> u64 {
        self.input + self.output
    }
}

/// A call that the model made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The name that it wrote.
    pub name: String,
    /// The arguments that it wrote.
    pub arguments: String,
    /// The exposed name of the tool that it meant, `call_tool` seen through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The arguments for that tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Value>,
    /// What became of it.
    pub status: Status,
    /// What the model was told, cut after [`MOST_KEPT`] bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// Bytes of a tool's answer that a record keeps.
pub const MOST_KEPT: usize = 4096;

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It ran.
    #[default]
    Ran,
    /// It ran, and its tool reported an error.
    Failed,
    /// The arguments are not what the tool's schema admits; nothing ran.
    Invalid,
    /// There is no such tool; nothing ran.
    Unknown,
    /// What was written as arguments is no JSON object; nothing ran.
    Unparsable,
    /// The gateway answered it: a search or a description.
    Meta,
}

/// A line of a record: one attempt and what it is worth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The place of the task in its suite, from 0.
    pub n: u64,
    /// The task's own id.
    pub task: String,
    /// Its category.
    pub category: String,
    /// The beginning of what was asked.
    pub query: String,
    /// The arm, as [`Arm`](crate::arm::Arm) prints itself.
    pub arm: String,
    /// Which trial of the task in this arm, from 0.
    pub trial: u32,
    /// Whether it was done right.
    pub solved: bool,
    /// How much of it, from 0 to 1.
    pub score: f64,
    /// Where a failed attempt went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Gate>,
    /// What else the suite measures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
    /// Where the task lies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, f64>,
    /// All rounds together: the provider's numbers where it returned any, else those counted here.
    pub usage: Usage,
    /// Of `usage`, tokens of tool definitions, in all rounds, as counted here.
    pub tool_tokens: u64,
    /// What it cost, where the model has a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// How long it took, ms.
    #[serde(default)]
    pub ms: u64,
    /// What happened.
    pub trace: Trace,
}

impl Trace {
    /// All rounds together.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let of = |round: &Round| {
            let counted = Usage { input: round.parts.total(), output: round.output, cached: 0 };
            round.usage.unwrap_or(counted)
        };
        self.rounds.iter().map(of).fold(Usage::default(), Usage::plus)
    }

    /// Tokens of tool definitions in all rounds.
    #[must_use]
    pub fn tool_tokens(&self) -> u64 {
        self.rounds.iter().map(|round| round.parts.meta_tools + round.parts.tools).sum()
    }

    /// All calls of tools, searches and descriptions left out, with the number of their round.
    pub fn calls(&self) -> impl Iterator<Item = (usize, &Made)> {
        let rounds = self.rounds.iter().enumerate();
        rounds.flat_map(|(at, round)| round.calls.iter().filter(|it| it.status != Status::Meta).map(move |it| (at, it)))
    }
}
