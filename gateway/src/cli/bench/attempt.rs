//! One attempt from its first request to its line in the record.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use super::{host::Host, target::Target};
use crate::sync::lock;
use tollgate_benchmarks::{
    arm::{Arm, Listing, Shelf},
    episode::{Episode, Rules},
    runner::Attempt,
    suite::Suite,
    task::{Expected, ToolSet},
    trace::{End, Line, Trace, Usage},
};
use tollgate_config::Price;
use tollgate_tokenizers::Tokenizer;

/// Sets of tools that are kept prepared.
const MOST_SHELVES: usize = 64;

/// Characters of a question that a record keeps of each of its ends.
const KEPT_OF_QUERY: usize = 400;

/// Everything that attempts share.
pub struct Bench {
    pub suite: &'static dyn Suite,
    pub target: Box<dyn Target>,
    pub host: Box<dyn Host>,
    pub rules: Rules,
    pub tokenizer: Tokenizer,
    pub price: Option<Price>,
    pub shelves: Shelves,
}

/// Sets of tools, prepared; the one not used for longest goes first.
#[derive(Default)]
pub struct Shelves(Mutex<Vec<Arc<Shelf>>>);

impl Shelves {
    fn get(&self, tools: &Arc<ToolSet>, tokenizer: Tokenizer) -> Arc<Shelf> {
        let mut shelves = lock(&self.0);
        let found = shelves.iter().position(|it| it.tools.hash == tools.hash);
        let shelf = match found {
            Some(at) => shelves.remove(at),
            // Others that need the same one wait for it here.
            None => Arc::new(Shelf::new(Arc::clone(tools), tokenizer)),
        };
        if shelves.len() >= MOST_SHELVES {
            shelves.remove(0);
        }
        shelves.push(Arc::clone(&shelf));
        shelf
    }
}

impl Bench {
    /// Makes an attempt.
    pub async fn attempt(&self, attempt: &Attempt) -> Line {
        let started = Instant::now();
        let shelf = self.shelves.get(&attempt.task.tools, self.tokenizer);
        let trace = match shelf.list(attempt.arm, &attempt.task) {
            Ok(listing) => self.made(attempt, shelf, listing).await,
            Err(told) => Err(told),
        };
        let trace = trace.unwrap_or_else(|told| Trace { end: End::Broken(told), ..Trace::default() });
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.line(attempt, trace, ms)
    }

    /// # Errors
    /// That the host is gone.
    async fn made(&self, attempt: &Attempt, shelf: Arc<Shelf>, listing: Arc<Listing>) -> Result<Trace, String> {
        self.host.begin().await?;
        let mut episode = Episode::new(Arc::clone(&attempt.task), shelf, listing, self.rules);
        self.drive(&mut episode, attempt.arm, attempt.trial).await;
        let checks = if let Expected::State(checks) = &attempt.task.expected { checks.as_slice() } else { &[] };
        let state = self.host.check(checks).await?;
        Ok(episode.into_trace(state))
    }

    async fn drive(&self, episode: &mut Episode, arm: Arm, trial: u32) {
        while !episode.is_over() {
            let started = Instant::now();
            let mut reply = match self.target.reply(episode, arm, trial).await {
                Ok(reply) => reply,
                Err(told) => return episode.broke(told),
            };
            reply.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            for call in episode.replied(reply) {
                let task = Arc::clone(&episode.task);
                match self.host.call(&task, call.tool, &call.arguments).await {
                    Ok(ran) => episode.ran(&call, &ran),
                    Err(told) => return episode.broke(told),
                }
            }
        }
    }

    fn line(&self, attempt: &Attempt, trace: Trace, ms: u64) -> Line {
        let task = &attempt.task;
        let judged = self.suite.judge(task, &trace);
        let usage = trace.usage();
        Line {
            n: attempt.n,
            task: task.id.clone(),
            category: task.category.clone(),
            query: ends_of(&task.query),
            arm: attempt.arm.to_string(),
            trial: attempt.trial,
            solved: judged.solved,
            score: judged.score,
            stopped: judged.stopped,
            numbers: judged.numbers,
            facts: task.facts.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            usage,
            tool_tokens: trace.tool_tokens(),
            cost_usd: self.price.map(|price| cost(price, usage)),
            ms,
            trace,
        }
    }
}

/// The price is that of a million tokens.
fn cost(price: Price, usage: Usage) -> f64 {
    (usage.input as f64 * price.input_usd + usage.output as f64 * price.output_usd) / 1e6
}

/// A long text without its middle.
fn ends_of(text: &str) -> String {
    if text.len() <= 2 * KEPT_OF_QUERY {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(KEPT_OF_QUERY)];
    let tail = &text[text.ceil_char_boundary(text.len() - KEPT_OF_QUERY)..];
    format!("{head} […] {tail}")
}
