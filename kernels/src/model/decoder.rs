//! The decoder of Llama, Mistral, Qwen 2 and Qwen 3, over any backend.

use super::{config::Config, rotary::Rotary, safetensors::Tensors};
use crate::{
    Error,
    backend::{Backend, Format, Heads, Matrix, PageShape, Queries},
};

/// Tokens of one step, of one sequence or several.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// One for each row.
    pub ids: Vec<u32>,
    /// Each row's position in its sequence.
    pub positions: Vec<u32>,
    /// Where each row's keys and values go.
    pub slots: Vec<u32>,
    /// What each row sees, itself included.
    pub queries: Queries,
    /// The rows whose logits are asked for.
    pub wanted: Vec<u32>,
}

/// A model's weights on a device.
pub struct Decoder<B: Backend> {
    config: Config,
    rotary: Rotary,
    embedding: B::Weight,
    layers: Vec<Layer<B>>,
    norm: B::Buffer,
    /// `None` if it is the embedding.
    head: Option<B::Weight>,
}

impl<B: Backend> std::fmt::Debug for Decoder<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("config", &self.config).finish_non_exhaustive()
    }
}

struct Layer<B: Backend> {
    attention_norm: B::Buffer,
    q: Linear<B>,
    k: Linear<B>,
    v: Linear<B>,
    o: Linear<B>,
    /// Of queries and of keys.
    qk_norm: Option<[B::Buffer; 2]>,
    mlp_norm: B::Buffer,
    gate: Linear<B>,
    up: Linear<B>,
    down: Linear<B>,
}

/// A matrix and perhaps a bias.
pub(crate) struct Linear<B: Backend> {
    weight: B::Weight,
    bias: Option<B::Buffer>,
}

impl<B: Backend> Linear<B> {
    pub(crate) fn apply(&self, backend: &B, x: &B::Buffer, n: usize, out: &mut B::Buffer) {
        backend.matmul(&self.weight, self.bias.as_ref(), x, n, out);
    }
}

/// Reads tensors onto a device.
pub(crate) struct Loader<'a, B> {
    pub(crate) backend: &'a B,
    pub(crate) tensors: &'a Tensors<'a>,
    /// How matrices are kept; `None` as they come.
    pub(crate) keep: Option<Format>,
}

impl<B: Backend> Loader<'_, B> {
    fn weight(&self, name: &str, n_rows: usize, n_cols: usize) -> Result<B::Weight, Error> {
        let matrix: Matrix<'_> = self.tensors.matrix(name, n_rows, n_cols)?;
        self.backend.weight(&matrix, self.keep.unwrap_or(matrix.format))
    }

    pub(crate) fn linear(&self, name: &str, shape: [usize; 2], has_bias: bool) -> Result<Linear<B>, Error> {
        let weight = self.weight(&format!("{name}.weight"), shape[0], shape[1])?;
        let bias = has_bias.then(|| self.vector(&format!("{name}.bias"), shape[0])).transpose()?;
        Ok(Linear { weight, bias })
    }

    pub(crate) fn vector(&self, name: &str, n: usize) -> Result<B::Buffer, Error> {
        Ok(self.backend.upload(&self.tensors.vector(name, n)?))
    }

    fn layer(&self, config: &Config, idx: usize) -> Result<Layer<B>, Error> {
        let &Config { hidden_size, intermediate_size, head_dim, .. } = config;
        let (q_size, kv_size) = (config.n_heads * head_dim, config.n_kv_heads * head_dim);
        let name = |part: &str| format!("model.layers.{idx}.{part}");
        let attention = |part: &str, shape, bias| self.linear(&name(&format!("self_attn.{part}_proj")), shape, bias);
        let mlp = |part: &str, shape| self.linear(&name(&format!("mlp.{part}_proj")), shape, config.has_mlp_bias);
        let qk_norm = |part: &str| self.vector(&name(&format!("self_attn.{part}_norm.weight")), head_dim);
        Ok(Layer {
            attention_norm: self.vector(&name("input_layernorm.weight"), hidden_size)?,
            q: attention("q", [q_size, hidden_size], config.has_qkv_bias)?,
            k: attention("k", [kv_size, hidden_size], config.has_qkv_bias)?,
            v: attention("v", [kv_size, hidden_size], config.has_qkv_bias)?,
            o: attention("o", [hidden_size, q_size], config.has_output_bias)?,
            qk_norm: if config.has_qk_norm { Some([qk_norm("q")?, qk_norm("k")?]) } else { None },
            mlp_norm: self.vector(&name("post_attention_layernorm.weight"), hidden_size)?,
            gate: mlp("gate", [intermediate_size, hidden_size])?,
            up: mlp("up", [intermediate_size, hidden_size])?,
            down: mlp("down", [hidden_size, intermediate_size])?,
        })
    }
}

/// Room for what a step computes.
pub struct Scratch<B: Backend> {
    n_rows: usize,
    hidden: B::Buffer,
    normed: B::Buffer,
    q: B::Buffer,
    k: B::Buffer,
    v: B::Buffer,
    mixed: B::Buffer,
    gate: B::Buffer,
    up: B::Buffer,
    logits: (usize, B::Buffer),
}

impl<B: Backend> std::fmt::Debug for Scratch<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("n_rows", &self.n_rows).finish_non_exhaustive()
    }
}

impl<B: Backend> Scratch<B> {
    /// Room for no rows yet.
    pub fn new(backend: &B) -> Self {
        let none = || backend.buffer(0);
        Self {
            n_rows: 0,
            hidden: none(),
            normed: none(),
            q: none(),
            k: none(),
            v: none(),
            mixed: none(),
            gate: none(),
            up: none(),
            logits: (0, none()),
        }
    }

    fn fit(&mut self, backend: &B, config: &Config, n_rows: usize, n_wanted: usize) {
        if n_wanted > self.logits.0 {
            self.logits = (n_wanted, backend.buffer(n_wanted * config.vocab_size));
        }
        if n_rows <= self.n_rows {
            return;
        }
        let rows = |width: usize| backend.buffer(n_rows * width);
        let (q_size, kv_size) = (config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim);
        self.n_rows = n_rows;
        self.hidden = rows(config.hidden_size);
        self.normed = rows(config.hidden_size);
        (self.q, self.mixed) = (rows(q_size), rows(q_size));
        (self.k, self.v) = (rows(kv_size), rows(kv_size));
        (self.gate, self.up) = (rows(config.intermediate_size), rows(config.intermediate_size));
    }
}

impl<B: Backend> Decoder<B> {
    /// Loads a model; matrices are kept in the format of the file, or in `keep`.
    ///
    /// # Errors
    /// [`Error::Model`] if a tensor is missing or has another shape than `config` says.
    pub fn load(backend: &B, config: Config, tensors: &Tensors<'_>, keep: Option<Format>) -> Result<Self, Error> {
        let loader = Loader { backend, tensors, keep };
        let (vocab, hidden) = (config.vocab_size, config.hidden_size);
        Ok(Self {
            rotary: Rotary::new(&config),
            embedding: loader.weight("model.embed_tokens.weight", vocab, hidden)?,
            layers: (0..config.n_layers).map(|idx| loader.layer(&config, idx)).collect::<Result<_, _>>()?,
            norm: loader.vector("model.norm.weight", hidden)?,
            head: if config.is_tied { None } else { Some(loader.weight("lm_head.weight", vocab, hidden)?) },
            config,
        })
    }

    /// What the model is.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its cache holds.
    #[must_use]
    pub fn page_shape(&self) -> PageShape {
        let &Config { n_layers, n_kv_heads, head_dim, .. } = &self.config;
        PageShape { n_layers, n_kv_heads, head_dim }
    }

    /// What a step of one token reads of the weights, in bytes.
    #[must_use]
    pub fn n_bytes(&self, backend: &B) -> usize {
        let layer = |it: &Layer<B>| -> usize {
            [&it.q, &it.k, &it.v, &it.o, &it.gate, &it.up, &it.down]
                .map(|it| backend.weight_bytes(&it.weight))
                .iter()
                .sum()
        };
        self.layers.iter().map(layer).sum::<usize>() + backend.weight_bytes(self.head())
    }

    pub(crate) fn embedding(&self) -> &B::Weight {
        &self.embedding
    }

    pub(crate) fn head(&self) -> &B::Weight {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// Logits (n_wanted, vocab_size) of the rows that are wanted; keys and values of all rows go into `pages`.
    pub fn forward(&self, backend: &B, pages: &mut B::Pages, scratch: &mut Scratch<B>, batch: &Batch) -> Vec<f32> {
        let (n, n_wanted) = (batch.ids.len(), batch.wanted.len());
        scratch.fit(backend, &self.config, n, n_wanted);
        let turns = backend.upload(&self.rotary.turns(&batch.positions));
        let narrow: Vec<Queries> = self.windowed(batch);
        backend.embed(&self.embedding, &batch.ids, &mut scratch.hidden);
        for (idx, layer) in self.layers.iter().enumerate() {
            let queries = if self.config.windows[idx].is_some() { &narrow[0] } else { &batch.queries };
            self.attention(backend, pages, scratch, layer, &Step { layer_idx: idx, batch, queries, turns: &turns });
            self.mlp(backend, scratch, layer, n);
        }
        self.logits(backend, scratch, &batch.wanted)
    }

    /// The queries of layers with a window, if there are any.
    fn windowed(&self, batch: &Batch) -> Vec<Queries> {
        let Some(window) = self.config.windows.iter().flatten().next() else { return Vec::new() };
        let mut queries = batch.queries.clone();
        for (row, position) in queries.rows.iter_mut().zip(&batch.positions) {
            row.start = (*position as usize + 1).saturating_sub(*window).max(row.start);
        }
        vec![queries]
    }

    fn attention(
        &self,
        backend: &B,
        pages: &mut B::Pages,
        scratch: &mut Scratch<B>,
        layer: &Layer<B>,
        step: &Step<'_, B>,
    ) {
        let &Config { hidden_size, n_heads, n_kv_heads, head_dim, norm_eps, .. } = &self.config;
        let n = step.batch.ids.len();
        let Scratch { hidden, normed, q, k, v, mixed, .. } = scratch;
        backend.rms_norm(hidden, &layer.attention_norm, norm_eps, n, normed);
        layer.q.apply(backend, normed, n, q);
        layer.k.apply(backend, normed, n, k);
        layer.v.apply(backend, normed, n, v);
        if let Some([q_norm, k_norm]) = &layer.qk_norm {
            backend.rms_norm_in_place(q, q_norm, norm_eps, n * n_heads);
            backend.rms_norm_in_place(k, k_norm, norm_eps, n * n_kv_heads);
        }
        backend.rope(q, step.turns, n_heads, head_dim, n);
        backend.rope(k, step.turns, n_kv_heads, head_dim, n);
        backend.store(pages, step.layer_idx, &step.batch.slots, k, v);
        backend.attend(pages, Heads { layer: step.layer_idx, n_heads }, q, step.queries, mixed);
        layer.o.apply(backend, mixed, n, normed);
        backend.add(hidden, normed, n * hidden_size);
    }

    fn mlp(&self, backend: &B, scratch: &mut Scratch<B>, layer: &Layer<B>, n: usize) {
        let Scratch { hidden, normed, gate, up, .. } = scratch;
        backend.rms_norm(hidden, &layer.mlp_norm, self.config.norm_eps, n, normed);
        layer.gate.apply(backend, normed, n, gate);
        layer.up.apply(backend, normed, n, up);
        backend.swiglu(gate, up, n * self.config.intermediate_size);
        layer.down.apply(backend, gate, n, normed);
        backend.add(hidden, normed, n * self.config.hidden_size);
    }

    fn logits(&self, backend: &B, scratch: &mut Scratch<B>, wanted: &[u32]) -> Vec<f32> {
        let n = wanted.len();
        if n == 0 {
            return Vec::new();
        }
        let Scratch { hidden, normed, logits: (_, logits), .. } = scratch;
        backend.take_rows(hidden, wanted, self.config.hidden_size, normed);
        backend.rms_norm_in_place(normed, &self.norm, self.config.norm_eps, n);
        backend.matmul(self.head(), None, normed, n, logits);
        backend.download(logits, n * self.config.vocab_size)
    }
}

/// What is the same for all operations of a layer.
struct Step<'a, B: Backend> {
    layer_idx: usize,
    batch: &'a Batch,
    queries: &'a Queries,
    turns: &'a B::Buffer,
}
