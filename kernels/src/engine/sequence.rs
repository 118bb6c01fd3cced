//! One request in the engine: its tokens, its pages, and what a step asks of the model for it.

use std::sync::Arc;

use super::{Finish, Request, Stats, throttle::Throttle};
use crate::{
    backend::{Backend, PAGE, Query},
    cache::{Cache, Prefix},
    draft::{Draft, Grammar},
    model::Batch,
    sample::{Counts, Sampling},
    tree::Tree,
    verify::{Verdict, verify},
};

/// A running request.
pub(super) struct Sequence<B: Backend> {
    pub(super) id: u64,
    /// Prompt and answer. All but the last few have their keys and values in the cache.
    pub(super) tokens: Vec<u32>,
    pub(super) n_prompt: usize,
    pub(super) n_cached: usize,
    /// Pages of the sequence, then those of its trees.
    pub(super) table: Vec<u32>,
    n_own_pages: usize,
    prefix: u64,
    n_named: usize,
    max_tokens: usize,
    end_ids: Vec<u32>,
    sampling: Sampling,
    counts: Counts,
    grammar: Option<Arc<dyn Grammar>>,
    pub(super) drafts: Vec<Box<dyn Draft<B>>>,
    pub(super) throttle: Throttle,
    pub(super) stats: Stats,
}

impl<B: Backend> Sequence<B> {
    /// Pages for a request and its trees.
    pub(super) fn n_pages(request: &Request<B>, max_nodes: usize) -> [usize; 2] {
        [(request.prompt.len() + request.max_tokens).div_ceil(PAGE), max_nodes.div_ceil(PAGE)]
    }

    /// `prefix` was found, `fresh` pages were taken.
    pub(super) fn new(id: u64, request: Request<B>, prefix: Prefix, fresh: &[u32], max_nodes: usize) -> Self {
        let n_own_pages = Self::n_pages(&request, max_nodes)[0];
        let n_cached = prefix.pages.len() * PAGE;
        Self {
            id,
            n_prompt: request.prompt.len(),
            n_cached,
            n_named: prefix.pages.len(),
            table: [&prefix.pages, fresh].concat(),
            n_own_pages,
            prefix: prefix.name,
            max_tokens: request.max_tokens,
            end_ids: request.end_ids,
            sampling: request.sampling,
            counts: Counts::of_prompt(&request.prompt),
            tokens: request.prompt,
            grammar: request.grammar,
            drafts: request.drafts,
            throttle: Throttle::new(max_nodes),
            stats: Stats { n_reused: n_cached, ..Stats::default() },
        }
    }

    pub(super) fn is_prefilling(&self) -> bool {
        self.tokens.len() - self.n_cached > 1
    }

    /// Tokens that may still come.
    pub(super) fn n_left(&self) -> usize {
        self.n_prompt + self.max_tokens - self.tokens.len()
    }

    fn slot(&self, position: usize) -> u32 {
        self.table[position / PAGE] * PAGE as u32 + (position % PAGE) as u32
    }

    fn tree_slot(&self, node: usize) -> u32 {
        self.slot(self.n_own_pages * PAGE + node - 1)
    }

    /// Adds rows for the next `n` tokens of the prompt, and asks for the last one's logits where the prompt ends.
    pub(super) fn add_chunk(&self, batch: &mut Batch, n: usize) -> usize {
        let table = self.add_table(batch);
        let end = (self.n_cached + n).min(self.tokens.len());
        for position in self.n_cached..end {
            self.add_row(batch, self.tokens[position], position, self.slot(position));
            batch.queries.rows.push(Query { table: table.clone(), start: 0, end: position + 1, path: 0..0 });
        }
        if end == self.tokens.len() {
            batch.wanted.push(batch.ids.len() as u32 - 1);
        }
        end - self.n_cached
    }

    /// Adds the last token and a tree behind it, and asks for the logits of all of them.
    pub(super) fn add_tree(&self, batch: &mut Batch, tree: &Tree) {
        let table = self.add_table(batch);
        let end = self.n_cached + 1;
        for (idx, node) in tree.nodes().iter().enumerate() {
            let slot = if idx == 0 { self.slot(self.n_cached) } else { self.tree_slot(idx) };
            let from = batch.queries.paths.len();
            batch.queries.paths.extend(tree.path(idx).into_iter().map(|it| self.tree_slot(it)));
            batch.wanted.push(batch.ids.len() as u32);
            self.add_row(batch, node.token, self.n_cached + node.depth, slot);
            let path = from..batch.queries.paths.len();
            batch.queries.rows.push(Query { table: table.clone(), start: 0, end, path });
        }
    }

    fn add_table(&self, batch: &mut Batch) -> std::ops::Range<usize> {
        let from = batch.queries.tables.len();
        batch.queries.tables.extend(&self.table[..self.n_own_pages]);
        from..batch.queries.tables.len()
    }

    fn add_row(&self, batch: &mut Batch, token: u32, position: usize, slot: u32) {
        batch.ids.push(token);
        batch.positions.push(position as u32);
        batch.slots.push(slot);
    }

    /// The tokens that stand, from the logits of a tree's nodes; `logits` may be changed.
    pub(super) fn judge(&mut self, tree: &Tree, logits: &mut [f32], vocab_size: usize) -> Verdict {
        let n_prompt = self.n_prompt;
        verify(tree, |node| {
            let path = tree.tokens(node);
            let logits = &mut logits[node * vocab_size..(node + 1) * vocab_size];
            if let Some(grammar) = &self.grammar {
                grammar.mask(&[&self.tokens[n_prompt..], &path[..]].concat(), logits);
            }
            path.iter().for_each(|it| self.counts.add(*it));
            let token = self.sampling.draw(logits, &self.counts, (self.tokens.len() + path.len()) as u64);
            path.iter().for_each(|it| self.counts.remove(*it));
            token
        })
    }

    /// Where the keys and values of accepted nodes go; not those beyond the longest answer.
    pub(super) fn moves(&self, accepted: &[usize]) -> Vec<(u32, u32)> {
        let nodes = accepted.iter().take(self.n_left());
        (self.n_cached + 1..).zip(nodes).map(|(position, node)| (self.tree_slot(*node), self.slot(position))).collect()
    }

    /// Appends tokens up to the end of the answer; returns how many, and why the answer ended.
    pub(super) fn append(&mut self, tokens: &[u32]) -> (usize, Option<Finish>) {
        for (idx, &token) in tokens.iter().enumerate() {
            self.tokens.push(token);
            self.counts.add(token);
            if self.end_ids.contains(&token) {
                return (idx + 1, Some(Finish::End));
            }
            if self.tokens.len() == self.n_prompt + self.max_tokens {
                return (idx + 1, Some(Finish::Length));
            }
        }
        (tokens.len(), None)
    }

    /// Names the pages that are full now.
    pub(super) fn name_pages(&mut self, cache: &mut Cache) {
        while let Some(block) = self.tokens[..self.n_cached].as_chunks::<PAGE>().0.get(self.n_named) {
            self.prefix = cache.name(self.prefix, block, self.table[self.n_named]);
            self.n_named += 1;
        }
    }
}
