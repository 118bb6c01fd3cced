//! LongSpec's draft model (arXiv 2502.17421): one layer on the target's embedding and head, whose memory does not grow.
//!
//! It attends to its own last 512 tokens and to the keys and values of the target's last layer. With a single layer, its
//! own keys and values follow from the tokens alone; they lie in a ring of pages and are made again where a request begins
//! in the middle.

use std::sync::Arc;

use super::{Context, Draft};
use crate::{
    Error,
    backend::{Backend, Format, Heads, PAGE, PageShape, Queries, Query},
    model::{Config, Decoder, Linear, Loader, Rotary, Tensors},
    tree::Tree,
};

/// Keys that a token sees before itself.
const WINDOW: usize = 512;

/// Pages of the ring: those that `WINDOW` keys and the token itself may touch.
const RING: usize = WINDOW / PAGE + 1;

/// Levels of a tree, and nodes of a level (the paper's trees are 4 16 16 16 16).
const LEVELS: usize = 5;
const MAX_WIDTH: usize = 16;

/// What names of tensors begin with where the draft was saved inside of something else.
const PREFIXES: [&str; 2] = ["draft_model.", "glide."];

/// The weights, which requests share.
pub struct LongSpec<B: Backend> {
    norms: [B::Buffer; 3],
    q: Linear<B>,
    k: Linear<B>,
    v: Linear<B>,
    o: Linear<B>,
    cross_q: Linear<B>,
    cross_o: Linear<B>,
    gate: Linear<B>,
    up: Linear<B>,
    down: Linear<B>,
    rotary: Rotary,
    config: Config,
    /// Rows of the target's head, and their tokens; `None` for all.
    head: Option<(B::Weight, Vec<u32>)>,
}

impl<B: Backend> std::fmt::Debug for LongSpec<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LongSpec").field("has_ranked_head", &self.head.is_some()).finish_non_exhaustive()
    }
}

impl<B: Backend> LongSpec<B> {
    /// Loads a draft for `target`, whose configuration its own shapes follow but for `intermediate_size`. It guesses the
    /// tokens of `ranked` only, if there are any: with the most frequent ones, a large vocabulary costs less (FR-Spec).
    ///
    /// # Errors
    /// [`Error::Model`] if a tensor is missing or has another shape, or `ranked` is not of the vocabulary.
    pub fn load(
        backend: &B,
        target: &Decoder<B>,
        tensors: Tensors<'_>,
        keep: Option<Format>,
        ranked: &[u32],
    ) -> Result<Self, Error> {
        let config = target.config().clone();
        let tensors = PREFIXES.into_iter().fold(tensors, Tensors::without_prefix);
        let loader = Loader { backend, tensors: &tensors, keep };
        let (hidden, head_dim) = (config.hidden_size, config.head_dim);
        let (q_size, kv_size) = (config.n_heads * head_dim, config.n_kv_heads * head_dim);
        let inner = tensors.n_rows("mlp.gate_proj.weight")?;
        let norm = |name: &str| loader.vector(&format!("{name}.weight"), hidden);
        if let Some(token) = ranked.iter().find(|it| **it as usize >= config.vocab_size) {
            return Err(Error::Model(format!(
                "the ranked token `{token}` is not in the vocabulary; rank this model's tokens"
            )));
        }
        Ok(Self {
            norms: [
                norm("input_layernorm")?,
                norm("post_self_attention_layernorm")?,
                norm("post_cross_attention_layernorm")?,
            ],
            q: loader.linear("self_attn.q_proj", [q_size, hidden], true)?,
            k: loader.linear("self_attn.k_proj", [kv_size, hidden], true)?,
            v: loader.linear("self_attn.v_proj", [kv_size, hidden], true)?,
            o: loader.linear("self_attn.o_proj", [hidden, q_size], false)?,
            cross_q: loader.linear("cross_attn.q_proj", [q_size, hidden], true)?,
            cross_o: loader.linear("cross_attn.o_proj", [hidden, q_size], false)?,
            gate: loader.linear("mlp.gate_proj", [inner, hidden], false)?,
            up: loader.linear("mlp.up_proj", [inner, hidden], false)?,
            down: loader.linear("mlp.down_proj", [hidden, inner], false)?,
            rotary: Rotary::of_head(&config, head_dim),
            head: match ranked {
                [] => None,
                _ => Some((backend.select_rows(target.head(), ranked)?, ranked.to_vec())),
            },
            config: Config { intermediate_size: inner, ..config },
        })
    }

    fn n_guesses(&self) -> usize {
        self.head.as_ref().map_or(self.config.vocab_size, |it| it.1.len())
    }

    fn token(&self, guess: usize) -> u32 {
        self.head.as_ref().map_or(guess as u32, |it| it.1[guess])
    }
}

/// LongSpec's draft with its memory of one request.
pub struct LongSpecDraft<B: Backend> {
    model: Arc<LongSpec<B>>,
    /// The ring, then room for a tree.
    pages: B::Pages,
    n_seen: usize,
}

impl<B: Backend> std::fmt::Debug for LongSpecDraft<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LongSpecDraft").field("n_seen", &self.n_seen).finish_non_exhaustive()
    }
}

impl<B: Backend> LongSpecDraft<B> {
    /// Room for a request of any length and trees of up to `max_nodes`.
    ///
    /// # Errors
    /// [`Error::Model`] if the device has no room.
    pub fn new(backend: &B, model: Arc<LongSpec<B>>, max_nodes: usize) -> Result<Self, Error> {
        let &Config { n_kv_heads, head_dim, .. } = &model.config;
        let shape = PageShape { n_layers: 1, n_kv_heads, head_dim };
        let pages = backend.pages(shape, RING + max_nodes.div_ceil(PAGE))?;
        Ok(Self { model, pages, n_seen: 0 })
    }

    fn ring_slot(position: usize) -> u32 {
        (position % (RING * PAGE)) as u32
    }

    fn tree_slot(node: usize) -> u32 {
        (RING * PAGE + node - 1) as u32
    }

    /// Keys and values of the committed tokens that may still be seen.
    fn catch_up(&mut self, context: &Context<'_, B>) {
        let end = context.tokens.len();
        let start = self.n_seen.max(end.saturating_sub(WINDOW + 1));
        self.n_seen = end;
        let model = self.model.clone();
        let tokens = &context.tokens[start..];
        let positions: Vec<u32> = (start as u32..end as u32).collect();
        let slots: Vec<u32> = (start..end).map(Self::ring_slot).collect();
        let mut layer = Pass::new(context.backend, &model, context, tokens, &positions);
        layer.keys_and_values(&mut self.pages, &slots);
    }

    /// For each of `nodes` the logarithms of what the draft says about the next token: (n, n_guesses).
    fn logits(&mut self, context: &Context<'_, B>, tree: &Tree, nodes: &[usize]) -> Vec<f32> {
        let model = self.model.clone();
        let last = context.tokens.len() - 1;
        let tokens: Vec<u32> = nodes.iter().map(|it| tree.nodes()[*it].token).collect();
        let depths: Vec<usize> = nodes.iter().map(|it| tree.nodes()[*it].depth).collect();
        let positions: Vec<u32> = depths.iter().map(|it| (last + it) as u32).collect();
        let slot = |node: &usize| if *node == 0 { Self::ring_slot(last) } else { Self::tree_slot(*node) };
        let slots: Vec<u32> = nodes.iter().map(slot).collect();
        let first = last.saturating_sub(WINDOW) / PAGE;
        let tables: Vec<u32> = (first..=last / PAGE).map(|it| (it % RING) as u32).collect();
        let mut own = Queries { tables, ..Queries::default() };
        let mut cross = Queries { tables: context.table.to_vec(), ..Queries::default() };
        for (node, depth) in nodes.iter().zip(&depths) {
            let from = own.paths.len();
            own.paths.extend(tree.path(*node).into_iter().map(Self::tree_slot));
            let start = (last + depth).saturating_sub(WINDOW).max(first * PAGE) - first * PAGE;
            let end = last + 1 - first * PAGE;
            own.rows.push(Query { table: 0..own.tables.len(), start, end, path: from..own.paths.len() });
            cross.rows.push(Query { table: 0..cross.tables.len(), start: 0, end: last, path: 0..0 });
        }
        let mut pass = Pass::new(context.backend, &model, context, &tokens, &positions);
        pass.keys_and_values(&mut self.pages, &slots);
        pass.logits(&self.pages, &own, &cross)
    }
}

/// The layer's work on some tokens.
struct Pass<'a, B: Backend> {
    backend: &'a B,
    model: &'a LongSpec<B>,
    context: &'a Context<'a, B>,
    n: usize,
    turns: B::Buffer,
    hidden: B::Buffer,
    normed: B::Buffer,
    q: B::Buffer,
    mixed: B::Buffer,
}

impl<'a, B: Backend> Pass<'a, B> {
    fn new(
        backend: &'a B,
        model: &'a LongSpec<B>,
        context: &'a Context<'a, B>,
        tokens: &[u32],
        positions: &[u32],
    ) -> Self {
        let (n, config) = (tokens.len(), &model.config);
        let q_size = config.n_heads * config.head_dim;
        let mut pass = Self {
            backend,
            model,
            context,
            n,
            turns: backend.upload(&model.rotary.turns(positions)),
            hidden: backend.buffer(n * config.hidden_size),
            normed: backend.buffer(n * config.hidden_size),
            q: backend.buffer(n * q_size),
            mixed: backend.buffer(n * q_size),
        };
        backend.embed(context.target.embedding(), tokens, &mut pass.hidden);
        pass.norm(0);
        pass
    }

    fn norm(&mut self, idx: usize) {
        let eps = self.model.config.norm_eps;
        self.backend.rms_norm(&self.hidden, &self.model.norms[idx], eps, self.n, &mut self.normed);
    }

    fn keys_and_values(&mut self, pages: &mut B::Pages, slots: &[u32]) {
        let &Config { n_kv_heads, head_dim, .. } = &self.model.config;
        let mut k = self.backend.buffer(self.n * n_kv_heads * head_dim);
        let mut v = self.backend.buffer(self.n * n_kv_heads * head_dim);
        self.model.k.apply(self.backend, &self.normed, self.n, &mut k);
        self.model.v.apply(self.backend, &self.normed, self.n, &mut v);
        self.backend.rope(&mut k, &self.turns, n_kv_heads, head_dim, self.n);
        self.backend.store(pages, 0, slots, &k, &v);
    }

    /// hidden += o(attention(rope(q(normed))))
    fn attend(&mut self, [q, o]: [&Linear<B>; 2], pages: &B::Pages, layer: usize, queries: &Queries) {
        let &Config { n_heads, head_dim, hidden_size, .. } = &self.model.config;
        q.apply(self.backend, &self.normed, self.n, &mut self.q);
        self.backend.rope(&mut self.q, &self.turns, n_heads, head_dim, self.n);
        self.backend.attend(pages, Heads { layer, n_heads }, &self.q, queries, &mut self.mixed);
        o.apply(self.backend, &self.mixed, self.n, &mut self.normed);
        self.backend.add(&mut self.hidden, &self.normed, self.n * hidden_size);
    }

    fn mlp(&mut self) {
        let &Config { intermediate_size, hidden_size, .. } = &self.model.config;
        let (mut gate, mut up) =
            (self.backend.buffer(self.n * intermediate_size), self.backend.buffer(self.n * intermediate_size));
        self.model.gate.apply(self.backend, &self.normed, self.n, &mut gate);
        self.model.up.apply(self.backend, &self.normed, self.n, &mut up);
        self.backend.swiglu(&mut gate, &up, self.n * intermediate_size);
        self.model.down.apply(self.backend, &gate, self.n, &mut self.normed);
        self.backend.add(&mut self.hidden, &self.normed, self.n * hidden_size);
    }

    /// There is no norm before the head.
    fn logits(&mut self, pages: &B::Pages, own: &Queries, cross: &Queries) -> Vec<f32> {
        let model = self.model;
        self.attend([&model.q, &model.o], pages, 0, own);
        self.norm(1);
        self.attend([&model.cross_q, &model.cross_o], self.context.pages, model.config.n_layers - 1, cross);
        self.norm(2);
        self.mlp();
        let head = model.head.as_ref().map_or_else(|| self.context.target.head(), |it| &it.0);
        let n_numbers = self.n * model.n_guesses();
        let mut logits = self.backend.buffer(n_numbers);
        self.backend.matmul(head, None, &self.hidden, self.n, &mut logits);
        self.backend.download(&logits, n_numbers)
    }
}

/// A possible node: its logarithm of probability from the root, its parent and its token.
type Candidate = (f32, usize, u32);

/// The `width` likeliest next tokens of one node.
fn best(logits: &[f32], width: usize, score: f32, node: usize, token: impl Fn(usize) -> u32) -> Vec<Candidate> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total = logits.iter().map(|it| (it - max).exp()).sum::<f32>().ln() + max;
    let mut order: Vec<usize> = (0..logits.len()).collect();
    if width < order.len() {
        order.select_nth_unstable_by(width, |a, b| logits[*b].total_cmp(&logits[*a]));
        order.truncate(width);
    }
    order.into_iter().map(|it| (score + logits[it] - total, node, token(it))).collect()
}

impl<B: Backend> Draft<B> for LongSpecDraft<B> {
    fn name(&self) -> &'static str {
        "longspec"
    }

    /// Level by level, the likeliest paths over all nodes of the last level and all tokens.
    fn propose(&mut self, context: &Context<'_, B>, tree: &mut Tree, source: usize) {
        self.catch_up(context);
        let width = tree.room().div_ceil(LEVELS).min(MAX_WIDTH);
        let mut level: Vec<(f32, usize)> = vec![(0.0, 0)];
        for _ in 0..LEVELS {
            if tree.room() == 0 || level.is_empty() {
                return;
            }
            let nodes: Vec<usize> = level.iter().map(|it| it.1).collect();
            let logits = self.logits(context, tree, &nodes);
            let mut candidates: Vec<Candidate> = Vec::new();
            for (logits, (score, node)) in logits.chunks_exact(self.model.n_guesses()).zip(&level) {
                candidates.extend(best(logits, width, *score, *node, |it| self.model.token(it)));
            }
            candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
            candidates.truncate(width);
            level.clear();
            for (score, parent, token) in candidates {
                if let Some(node) = tree.add(parent, token, source) {
                    level.push((score, node));
                }
            }
        }
    }
}
