//! Requests in, tokens out: continuous batching, chunked prefill, drafts and their verification, step by step.
//!
//! The engine has no thread and no clock of its own. Whoever runs it calls [`Engine::step`] with a clock until nothing is
//! left to do, and takes the events away.

mod sequence;
mod throttle;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use self::sequence::Sequence;
pub use self::throttle::Throttle;
use crate::{
    Error,
    backend::Backend,
    cache::Cache,
    draft::{Context, Draft, Grammar, SuffixIndex},
    model::{Batch, Decoder, Scratch},
    sample::Sampling,
    tree::Tree,
};

/// What a caller may turn.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pages of the cache.
    pub n_pages: usize,
    /// Requests that run together.
    pub max_running: usize,
    /// Requests that wait.
    pub max_waiting: usize,
    /// Tokens of prompts in one step, so that a long prompt does not hold up the others.
    pub chunk: usize,
    /// Drafted nodes of one tree.
    pub max_nodes: usize,
    /// Whether the throttle may refuse to draft; without it every tree is as large as it may be.
    pub is_throttled: bool,
    /// Tokens of past outputs that drafts remember.
    pub past: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            n_pages: 1024,
            max_running: 16,
            max_waiting: 256,
            chunk: 256,
            max_nodes: 32,
            is_throttled: true,
            past: 1 << 18,
        }
    }
}

/// What is asked of the engine.
pub struct Request<B: Backend> {
    /// At least one token.
    pub prompt: Vec<u32>,
    /// Tokens of the answer at most.
    pub max_tokens: usize,
    /// How they are drawn.
    pub sampling: Sampling,
    /// Tokens that end the answer; they are part of it.
    pub end_ids: Vec<u32>,
    /// What guesses ahead; those that come first are asked first.
    pub drafts: Vec<Box<dyn Draft<B>>>,
    /// What the answer must be like.
    pub grammar: Option<Arc<dyn Grammar>>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// By a token of `end_ids`.
    End,
    /// At `max_tokens`.
    Length,
}

/// Numbers of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Tokens of the prompt that were in the cache.
    pub n_reused: usize,
    /// Steps after the prompt.
    pub n_steps: usize,
    /// Tokens of the answer.
    pub n_tokens: usize,
    /// For each draft: its name, nodes that it drafted, and nodes that stood.
    pub drafts: Vec<(&'static str, usize, usize)>,
    /// From the request to the first token.
    pub first_token: Duration,
}

impl Stats {
    /// Tokens a step.
    #[must_use]
    pub fn acceptance_length(&self) -> f64 {
        self.n_tokens as f64 / self.n_steps.max(1) as f64
    }
}

/// What happened in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More of an answer.
    Tokens {
        /// Whose.
        id: u64,
        /// What.
        tokens: Vec<u32>,
    },
    /// An answer ended.
    Done {
        /// Whose.
        id: u64,
        /// Why.
        finish: Finish,
        /// Its numbers.
        stats: Stats,
    },
}

/// A target model with its cache and its requests.
pub struct Engine<B: Backend> {
    backend: Arc<B>,
    target: Arc<Decoder<B>>,
    pages: B::Pages,
    scratch: Scratch<B>,
    cache: Cache,
    limits: Limits,
    running: Vec<Sequence<B>>,
    waiting: VecDeque<(u64, Duration, Request<B>)>,
    started: Vec<(u64, Duration)>,
    past: Arc<Mutex<SuffixIndex>>,
    last_id: u64,
    /// Whose prompt is next to be read.
    turn: usize,
}

impl<B: Backend> std::fmt::Debug for Engine<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.limits)
            .field("n_running", &self.running.len())
            .finish_non_exhaustive()
    }
}

/// A sequence's part of a step.
struct Part {
    /// Of `running`.
    idx: usize,
    /// `None` for a chunk of a prompt.
    tree: Option<Tree>,
    asked: usize,
    n_rows: usize,
    /// Its first row of the logits.
    logits: usize,
}

impl<B: Backend> Engine<B> {
    /// An engine with an empty cache.
    ///
    /// # Errors
    /// [`Error::Model`] if the device has no room for the cache.
    pub fn new(backend: Arc<B>, target: Arc<Decoder<B>>, limits: Limits) -> Result<Self, Error> {
        Ok(Self {
            pages: backend.pages(target.page_shape(), limits.n_pages)?,
            scratch: Scratch::new(&backend),
            cache: Cache::new(limits.n_pages),
            limits,
            running: Vec::new(),
            waiting: VecDeque::new(),
            started: Vec::new(),
            past: Arc::new(Mutex::new(SuffixIndex::new(limits.past))),
            last_id: 0,
            turn: 0,
            backend,
            target,
        })
    }

    /// What runs the model, and the model.
    #[must_use]
    pub fn device(&self) -> (&B, &Decoder<B>) {
        (&self.backend, &self.target)
    }

    /// What drafts remember of past outputs.
    #[must_use]
    pub fn past(&self) -> Arc<Mutex<SuffixIndex>> {
        self.past.clone()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Pages that no running request holds.
    #[must_use]
    pub fn n_available_pages(&self) -> usize {
        self.cache.n_available()
    }

    /// Takes a request in; its events carry the number that is returned.
    ///
    /// # Errors
    /// [`Error::Request`] if it can never be served, [`Error::Busy`] if too many wait.
    pub fn submit(&mut self, request: Request<B>, now: Duration) -> Result<u64, Error> {
        self.check(&request)?;
        if self.waiting.len() >= self.limits.max_waiting {
            return Err(Error::Busy(format!("`{}` requests wait already; try again later", self.waiting.len())));
        }
        self.last_id += 1;
        self.waiting.push_back((self.last_id, now, request));
        Ok(self.last_id)
    }

    fn check(&self, request: &Request<B>) -> Result<(), Error> {
        let refuse = |what: String| Err(Error::Request(what));
        request.sampling.check()?;
        let vocab_size = self.target.config().vocab_size;
        if request.prompt.is_empty() || request.max_tokens == 0 {
            return refuse(
                "a prompt and an answer have at least 1 token; send a longer prompt or raise `max_tokens`".to_owned(),
            );
        }
        if let Some(token) = request.prompt.iter().find(|it| **it as usize >= vocab_size) {
            return refuse(format!(
                "the token `{token}` is not in the vocabulary of {vocab_size}; use the model's tokenizer"
            ));
        }
        let (n, window) = (request.prompt.len().saturating_add(request.max_tokens), self.target.config().max_positions);
        if n > window {
            return refuse(format!(
                "`{n}` tokens of prompt and answer do not fit the window of {window}; shorten the prompt"
            ));
        }
        let n_pages: usize = Sequence::n_pages(request, self.limits.max_nodes).iter().sum();
        if n_pages > self.cache.n_pages() {
            return refuse(format!(
                "`{n}` tokens need {n_pages} pages of the cache's {}; enlarge it",
                self.cache.n_pages()
            ));
        }
        Ok(())
    }

    /// Ends a request at once and frees its pages; `false` if it is not there any more.
    pub fn cancel(&mut self, id: u64) -> bool {
        let n_waiting = self.waiting.len();
        self.waiting.retain(|it| it.0 != id);
        if let Some(idx) = self.running.iter().position(|it| it.id == id) {
            self.remove(idx);
            return true;
        }
        self.waiting.len() < n_waiting
    }

    fn remove(&mut self, idx: usize) -> Sequence<B> {
        let sequence = self.running.remove(idx);
        self.cache.release(&sequence.table);
        self.started.retain(|it| it.0 != sequence.id);
        sequence
    }

    /// Moves requests from the queue to the device while there is room, in their order.
    fn admit(&mut self) {
        while self.running.len() < self.limits.max_running
            && let Some((_, _, request)) = self.waiting.front()
        {
            // The last token is computed again, for its logits.
            let prefix = self.cache.find(&request.prompt[..request.prompt.len() - 1]);
            let n_pages: usize = Sequence::n_pages(request, self.limits.max_nodes).iter().sum();
            let Some(fresh) = self.cache.take(n_pages - prefix.pages.len()) else {
                self.cache.release(&prefix.pages);
                return;
            };
            if let Some((id, since, request)) = self.waiting.pop_front() {
                self.started.push((id, since));
                self.running.push(Sequence::new(id, request, prefix, &fresh, self.limits.max_nodes));
            }
        }
    }

    /// Does one step of all requests that run; `clock` tells the time since some moment.
    pub fn step(&mut self, clock: &(dyn Fn() -> Duration + Sync)) -> Vec<Event> {
        let backend = self.backend.clone();
        backend.enter(|| self.step_inside(clock))
    }

    fn step_inside(&mut self, clock: &(dyn Fn() -> Duration + Sync)) -> Vec<Event> {
        self.admit();
        if self.running.is_empty() {
            return Vec::new();
        }
        let began = clock();
        let (batch, parts) = self.plan();
        let mut logits = self.target.forward(&self.backend, &mut self.pages, &mut self.scratch, &batch);
        let vocab_size = self.target.config().vocab_size;
        let mut verdicts = Vec::new();
        for part in &parts {
            verdicts.push(self.settle(part, &mut logits[part.logits * vocab_size..]));
        }
        let now = clock();
        let n_decoding = parts.iter().filter(|it| it.tree.is_some()).count();
        // A step that reads a prompt, or serves several, says nothing about the price of one tree.
        let step_s = (n_decoding == 1 && parts.len() == 1).then(|| (now.saturating_sub(began)).as_secs_f64());
        self.report(&parts, verdicts, step_s, now)
    }

    /// One token or tree for each request that answers, and chunks of prompts for the others in turn.
    fn plan(&mut self) -> (Batch, Vec<Part>) {
        let (mut batch, mut parts) = (Batch::default(), Vec::new());
        for idx in 0..self.running.len() {
            if !self.running[idx].is_prefilling() {
                let (asked, tree) = self.draft(idx);
                let logits = batch.wanted.len();
                self.running[idx].add_tree(&mut batch, &tree);
                parts.push(Part { idx, n_rows: tree.nodes().len(), tree: Some(tree), asked, logits });
            }
        }
        let (n, mut left) = (self.running.len(), self.limits.chunk);
        self.turn = (self.turn + 1) % n;
        let waiting: Vec<usize> =
            (0..n).map(|it| (it + self.turn) % n).filter(|it| self.running[*it].is_prefilling()).collect();
        let share = (self.limits.chunk / waiting.len().max(1)).max(1);
        for idx in waiting {
            if left == 0 {
                break;
            }
            let logits = batch.wanted.len();
            let n_rows = self.running[idx].add_chunk(&mut batch, share.min(left));
            left -= n_rows;
            parts.push(Part { idx, tree: None, asked: 0, n_rows, logits });
        }
        (batch, parts)
    }

    /// The nodes that the throttle asked for, and a tree.
    fn draft(&mut self, idx: usize) -> (usize, Tree) {
        let sequence = &mut self.running[idx];
        let root = sequence.tokens.last().copied().unwrap_or(0);
        let n_left = sequence.n_left();
        let asked = if sequence.drafts.is_empty() {
            0
        } else if self.limits.is_throttled {
            sequence.throttle.n_nodes()
        } else {
            self.limits.max_nodes
        };
        // With one token left, there is nothing to guess.
        let asked = if n_left < 2 { 0 } else { asked };
        let mut tree = Tree::new(root, asked);
        if asked > 0 {
            let mut drafts = std::mem::take(&mut sequence.drafts);
            let context = Context {
                backend: &*self.backend,
                target: &self.target,
                pages: &self.pages,
                table: &sequence.table,
                tokens: &sequence.tokens,
                n_prompt: sequence.n_prompt,
            };
            for (source, draft) in drafts.iter_mut().enumerate() {
                draft.propose(&context, &mut tree, source);
            }
            sequence.drafts = drafts;
        }
        (asked, tree)
    }

    /// Draws what a part's logits allow: nothing inside of a prompt.
    fn settle(&mut self, part: &Part, logits: &mut [f32]) -> (usize, Vec<u32>) {
        let vocab_size = self.target.config().vocab_size;
        let sequence = &mut self.running[part.idx];
        let Some(tree) = &part.tree else {
            sequence.n_cached += part.n_rows;
            if sequence.n_cached < sequence.tokens.len() {
                return (0, Vec::new());
            }
            let root = sequence.tokens.last().copied().unwrap_or(0);
            let verdict = sequence.judge(&Tree::new(root, 0), logits, vocab_size);
            return (0, vec![verdict.next]);
        };
        let verdict = sequence.judge(tree, logits, vocab_size);
        let moves = sequence.moves(&verdict.accepted);
        self.backend.copy_slots(&mut self.pages, &moves);
        sequence.n_cached += 1 + verdict.accepted.len();
        sequence.stats.count(&sequence.drafts, tree, &verdict.accepted);
        let mut tokens: Vec<u32> = verdict.accepted.iter().map(|it| tree.nodes()[*it].token).collect();
        tokens.push(verdict.next);
        (verdict.accepted.len(), tokens)
    }

    fn report(
        &mut self,
        parts: &[Part],
        verdicts: Vec<(usize, Vec<u32>)>,
        step_s: Option<f64>,
        now: Duration,
    ) -> Vec<Event> {
        let (mut events, mut done) = (Vec::new(), Vec::new());
        for (part, (n_accepted, tokens)) in parts.iter().zip(verdicts) {
            let sequence = &mut self.running[part.idx];
            if let (Some(step_s), Some(tree)) = (step_s, &part.tree) {
                sequence.throttle.learn(part.asked, tree.nodes().len() - 1, n_accepted, step_s);
            }
            let (n, finish) = sequence.append(&tokens);
            // What comes after the end was never said.
            sequence.n_cached = sequence.n_cached.min(sequence.tokens.len());
            sequence.name_pages(&mut self.cache);
            if n > 0 {
                sequence.stats.n_tokens += n;
                sequence.stats.n_steps += 1;
                if let Some((_, since)) = self.started.iter().find(|it| it.0 == sequence.id)
                    && sequence.stats.n_tokens == n
                {
                    sequence.stats.first_token = now.saturating_sub(*since);
                }
                events.push(Event::Tokens { id: sequence.id, tokens: tokens[..n].to_vec() });
            }
            if let Some(finish) = finish {
                events.push(Event::Done { id: sequence.id, finish, stats: sequence.stats.clone() });
                done.push(part.idx);
            }
        }
        done.sort_unstable();
        for idx in done.into_iter().rev() {
            let sequence = self.remove(idx);
            let answer = &sequence.tokens[sequence.n_prompt..];
            self.past.lock().unwrap_or_else(PoisonError::into_inner).push_text(answer);
        }
        events
    }
}

impl Stats {
    fn count<B: Backend>(&mut self, drafts: &[Box<dyn Draft<B>>], tree: &Tree, accepted: &[usize]) {
        if self.drafts.is_empty() {
            self.drafts = drafts.iter().map(|it| (it.name(), 0, 0)).collect();
        }
        for (idx, node) in tree.nodes().iter().enumerate().skip(1) {
            if let Some(counts) = self.drafts.get_mut(node.source) {
                counts.1 += 1;
                counts.2 += usize::from(accepted.contains(&idx));
            }
        }
    }
}
