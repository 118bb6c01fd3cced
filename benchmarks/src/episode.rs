//! One attempt at a task as a state machine: what is asked of the model, what its answer calls, what it is told.
//!
//! Whoever drives it sends the requests and runs the calls; here nothing waits and nothing is sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_tokenizers::Tokenizer;

use crate::arm::{Listing, Shelf};
use crate::meta::{self, Meant};
use crate::task::Task;
use crate::trace::{End, MOST_KEPT, Made, Parts, Round, Status, Trace, Usage};

/// Calls of one round that are looked at; more are a loop of the model's.
const MOST_CALLS: usize = 64;

/// What holds for every attempt of a run.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Requests to the model, at most.
    pub max_rounds: usize,
    /// Tokens that the answer of a search may take.
    pub search_budget: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_rounds: 12, search_budget: 1000 }
    }
}

/// A message of the conversation after the system's.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The user's words.
    User(String),
    /// The model's words and calls.
    Model {
        /// The words.
        text: String,
        /// The calls.
        calls: Vec<Wanted>,
    },
    /// What a call came to.
    Result {
        /// The call's id.
        id: String,
        /// What the model is told.
        text: String,
        /// Whether that is an error.
        is_error: bool,
    },
}

/// A call as the model wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its id within the conversation.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON, if the model wrote any.
    pub arguments: String,
}

/// What the model said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Words.
    pub text: String,
    /// Calls.
    pub calls: Vec<Wanted>,
    /// Tokens, where the provider says.
    pub usage: Option<Usage>,
    /// How long it took, ms.
    pub ms: u64,
}

/// A call for the tool host.
#[derive(Clone, Debug, PartialEq)]
pub struct ToRun {
    /// Its place among the calls of the round.
    pub place: usize,
    /// The tool's index in the task's set.
    pub tool: usize,
    /// Its arguments.
    pub arguments: Value,
}

/// What a call came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// What the model is told.
    pub text: String,
    /// What became of it.
    pub status: Status,
}

/// An attempt under way.
pub struct Episode {
    /// What is to be done.
    pub task: Arc<Task>,
    /// The tools, prepared.
    pub shelf: Arc<Shelf>,
    /// What the model is shown.
    pub listing: Arc<Listing>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    rules: Rules,
    trace: Trace,
    parts: Parts,
    seen: BTreeSet<usize>,
    ids: Vec<String>,
    is_over: bool,
}

impl Episode {
    /// Begins.
    #[must_use]
    pub fn new(task: Arc<Task>, shelf: Arc<Shelf>, listing: Arc<Listing>, rules: Rules) -> Self {
        let tokenizer = shelf.catalogue.tokenizer();
        let count = |text: &str| tokenizer.count(text) as u64;
        let parts = Parts {
            meta_tools: listing.meta_tokens,
            tools: listing.tokens - listing.meta_tokens.min(listing.tokens),
            system: task.system.as_deref().map_or(0, count),
            query: count(&task.query),
            ..Parts::default()
        };
        Self {
            messages: vec![Message::User(task.query.clone())],
            seen: listing.visible.clone(),
            trace: Trace::default(),
            ids: Vec::new(),
            is_over: false,
            task,
            shelf,
            listing,
            rules,
            parts,
        }
    }

    /// Whether there is nothing left to ask.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The tools of the next request.
    pub fn tools(&self) -> impl Iterator<Item = &RawValue> {
        self.listing.entries.iter().map(|it| &**it)
    }

    /// Takes the model's answer, and returns what the host is to run; [`ran`](Self::ran) takes what came of it.
    pub fn replied(&mut self, mut reply: Reply) -> Vec<ToRun> {
        reply.calls.truncate(MOST_CALLS);
        let tokenizer = self.tokenizer();
        let output = said(&reply, tokenizer);
        self.trace.rounds.push(Round {
            parts: self.parts,
            output,
            usage: reply.usage,
            text: reply.text.clone(),
            ms: reply.ms,
            calls: Vec::new(),
        });
        self.parts.said += output;
        self.ids = reply.calls.iter().map(|it| it.id.clone()).collect();
        self.messages.push(Message::Model { text: reply.text.clone(), calls: reply.calls.clone() });
        if reply.calls.is_empty() {
            self.trace.answer = reply.text;
            self.is_over = true;
            return Vec::new();
        }
        let to_run = reply.calls.iter().enumerate().filter_map(|(place, call)| self.sort(place, call)).collect();
        self.close_round();
        to_run
    }

    /// Takes what a call came to.
    pub fn ran(&mut self, call: &ToRun, ran: &Ran) {
        if let Some(made) = self.trace.rounds.last_mut().and_then(|it| it.calls.get_mut(call.place)) {
            made.status = ran.status;
        }
        self.answer(call.place, &ran.text);
    }

    /// Ends it where the model or the host is not there.
    pub fn broke(&mut self, why: String) {
        self.trace.end = End::Broken(why);
        self.is_over = true;
    }

    /// What happened. `state` is what the host found of the checks of the final state.
    #[must_use]
    pub fn into_trace(mut self, state: Vec<bool>) -> Trace {
        let gold = self.task.gold();
        let unseen = gold.iter().filter(|them| !them.iter().any(|it| self.seen.contains(it)));
        let names = unseen.filter_map(|them| self.shelf.tools.defs.get(*them.first()?));
        self.trace.unseen = names.map(|it| it.exposed.clone()).collect();
        self.trace.state = state;
        self.trace
    }

    /// Whether the model has seen this tool, by name at least.
    #[must_use]
    pub fn has_seen(&self, tool: usize) -> bool {
        self.seen.contains(&tool)
    }

    fn tokenizer(&self) -> Tokenizer {
        self.shelf.catalogue.tokenizer()
    }

    fn close_round(&mut self) {
        if self.trace.rounds.len() >= self.rules.max_rounds {
            self.trace.end = End::OutOfRounds;
            self.is_over = true;
        }
    }

    /// Answers a call of the gateway's own tools, or says what is to be run.
    fn sort(&mut self, place: usize, call: &Wanted) -> Option<ToRun> {
        let meant = meta::meant(&self.shelf, self.listing.has_meta, call, self.rules.search_budget);
        let mut made = Made { name: call.name.clone(), arguments: call.arguments.clone(), ..Made::default() };
        let (to_run, told) = match meant {
            Meant::Run { tool, arguments } => {
                made.tool = self.shelf.tools.defs.get(tool).map(|it| it.exposed.clone());
                made.given = Some(arguments.clone());
                (Some(ToRun { place, tool, arguments }), None)
            }
            Meant::Answered { text, status, tool, shows } => {
                made.tool = tool.and_then(|it| self.shelf.tools.defs.get(it)).map(|it| it.exposed.clone());
                made.status = status;
                self.seen.extend(shows);
                (None, Some(text))
            }
        };
        if let Some(round) = self.trace.rounds.last_mut() {
            round.calls.push(made);
        }
        if let Some(text) = told {
            self.answer(place, &text);
        }
        to_run
    }

    /// Tells the model, and the trace.
    fn answer(&mut self, place: usize, text: &str) {
        self.parts.results += self.tokenizer().count(text) as u64;
        let made = self.trace.rounds.last_mut().and_then(|it| it.calls.get_mut(place));
        let is_error = made.as_ref().is_some_and(|it| !matches!(it.status, Status::Ran | Status::Meta));
        if let Some(made) = made {
            made.answer = text[..text.floor_char_boundary(MOST_KEPT)].to_owned();
        }
        let id = self.ids.get(place).cloned().unwrap_or_default();
        self.messages.push(Message::Result { id, text: text.to_owned(), is_error });
    }
}

fn said(reply: &Reply, tokenizer: Tokenizer) -> u64 {
    let calls = reply.calls.iter().map(|it| tokenizer.count(&it.name) + tokenizer.count(&it.arguments));
    (tokenizer.count(&reply.text) + calls.sum::<usize>()) as u64
}
