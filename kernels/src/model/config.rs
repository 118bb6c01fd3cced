//! Hugging Face's `config.json` of Llama, Mistral, Qwen 2 and Qwen 3, checked. What it asks for and we lack is an error.

use serde_json::Value;

use crate::Error;

/// Numbers of a hidden state, a feed-forward layer or a window, at most.
const MAX_WIDTH: u64 = 1 << 24;
const MAX_LAYERS: u64 = 1024;

/// The shape of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Numbers of a hidden state.
    pub hidden_size: usize,
    /// Numbers inside the feed-forward layer.
    pub intermediate_size: usize,
    /// Layers.
    pub n_layers: usize,
    /// Heads of queries.
    pub n_heads: usize,
    /// Heads of keys and values.
    pub n_kv_heads: usize,
    /// Numbers of a head.
    pub head_dim: usize,
    /// Added to the mean square.
    pub norm_eps: f32,
    /// Base of the rotary angles.
    pub rope_theta: f32,
    /// How they are stretched.
    pub scaling: Scaling,
    /// Positions that the model was made for.
    pub max_positions: usize,
    /// The embedding is the language head too.
    pub is_tied: bool,
    /// Queries, keys and values have biases.
    pub has_qkv_bias: bool,
    /// The attention's output has a bias.
    pub has_output_bias: bool,
    /// The feed-forward layer has biases.
    pub has_mlp_bias: bool,
    /// Queries and keys are normalised head by head.
    pub has_qk_norm: bool,
    /// Positions that each layer sees; `None` for all.
    pub windows: Vec<Option<usize>>,
    /// Tokens that end an answer.
    pub end_ids: Vec<u32>,
}

/// How rotary angles are stretched for longer contexts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// Not at all.
    None,
    /// All alike.
    Linear {
        /// By how much.
        factor: f32,
    },
    /// Llama 3.1: only what turns slowly.
    Llama3 {
        /// By how much.
        factor: f32,
        /// Wavelengths above the original length divided by this are stretched.
        low_freq: f32,
        /// Wavelengths below the original length divided by this are not.
        high_freq: f32,
        /// Positions of the original training.
        original: f32,
    },
    /// YaRN (arXiv 2309.00071).
    Yarn {
        /// By how much.
        factor: f32,
        /// Turns above which nothing is stretched.
        beta_fast: f32,
        /// Turns below which everything is.
        beta_slow: f32,
        /// Positions of the original training.
        original: f32,
        /// Factor of cosines and sines.
        attention: f32,
    },
}

/// A JSON object with errors that name the key.
struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn is_given(&self, key: &str) -> bool {
        !self.0[key].is_null()
    }

    fn count(&self, key: &str, limit: u64) -> Result<usize, Error> {
        match self.0[key].as_u64() {
            Some(value @ 1..) if value <= limit => Ok(value as usize),
            _ => Err(Error::Model(format!(
                "config.json has `{key} = {}`; it must be a whole number from 1 to {limit}",
                self.0[key]
            ))),
        }
    }

    fn count_or(&self, key: &str, limit: u64, default: usize) -> Result<usize, Error> {
        if self.is_given(key) { self.count(key, limit) } else { Ok(default) }
    }

    fn number(&self, key: &str, default: Option<f32>) -> Result<f32, Error> {
        let value = self.0[key].as_f64().map(|it| it as f32).or(default.filter(|_| !self.is_given(key)));
        value.filter(|it| it.is_finite() && *it > 0.0).ok_or_else(|| {
            Error::Model(format!("config.json has `{key} = {}`; it must be a positive number", self.0[key]))
        })
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.0[key].as_bool().unwrap_or(default)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0[key].as_str()
    }
}

impl Config {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`Error::Model`] if it is of another architecture, or not possible.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| Error::Model(format!("config.json is no JSON ({error}); download it again")))?;
        let fields = Fields(&value);
        let family = fields.text("model_type").unwrap_or_default();
        if !["llama", "mistral", "qwen2", "qwen3"].contains(&family) {
            return Err(Error::Model(format!(
                "config.json has `model_type = {}`; llama, mistral, qwen2 and qwen3 can be run",
                value["model_type"]
            )));
        }
        if let Some(activation @ ("gelu" | "relu" | "gelu_new" | "gelu_pytorch_tanh")) = fields.text("hidden_act") {
            return Err(Error::Model(format!("config.json has `hidden_act = {activation}`; only silu can be run")));
        }
        let config = Self::sizes(&fields, family)?;
        config.checked()
    }

    fn sizes(fields: &Fields<'_>, family: &str) -> Result<Self, Error> {
        let hidden_size = fields.count("hidden_size", MAX_WIDTH)?;
        let n_layers = fields.count("num_hidden_layers", MAX_LAYERS)?;
        let n_heads = fields.count("num_attention_heads", MAX_WIDTH)?;
        let max_positions = fields.count_or("max_position_embeddings", 1 << 31, 2048)?;
        let rope =
            if fields.is_given("rope_parameters") { Fields(&fields.0["rope_parameters"]) } else { Fields(fields.0) };
        let stretch =
            if fields.is_given("rope_parameters") { &fields.0["rope_parameters"] } else { &fields.0["rope_scaling"] };
        Ok(Self {
            vocab_size: fields.count("vocab_size", MAX_WIDTH)?,
            hidden_size,
            intermediate_size: fields.count("intermediate_size", MAX_WIDTH)?,
            n_layers,
            n_heads,
            n_kv_heads: fields.count_or("num_key_value_heads", MAX_WIDTH, n_heads)?,
            head_dim: fields.count_or("head_dim", 1 << 16, hidden_size / n_heads)?,
            norm_eps: fields.number("rms_norm_eps", Some(1e-6))?,
            rope_theta: rope.number("rope_theta", Some(10_000.0))?,
            scaling: scaling(&Fields(stretch), max_positions)?,
            max_positions,
            is_tied: fields.flag("tie_word_embeddings", false),
            has_qkv_bias: family == "qwen2" || fields.flag("attention_bias", false),
            has_output_bias: family != "qwen2" && fields.flag("attention_bias", false),
            has_mlp_bias: family == "llama" && fields.flag("mlp_bias", false),
            has_qk_norm: family == "qwen3",
            windows: windows(fields, family, n_layers)?,
            end_ids: end_ids(&fields.0["eos_token_id"]),
        })
    }

    fn checked(self) -> Result<Self, Error> {
        let Self { n_heads, n_kv_heads, head_dim, .. } = self;
        if n_heads % n_kv_heads != 0 {
            return Err(Error::Model(format!(
                "config.json has `{n_heads}` heads for `{n_kv_heads}` of keys; the first must be a multiple of the second"
            )));
        }
        if head_dim == 0 || head_dim % 2 != 0 {
            return Err(Error::Model(format!("config.json gives heads of `{head_dim}` numbers; they must be even")));
        }
        Ok(self)
    }
}

fn scaling(fields: &Fields<'_>, max_positions: usize) -> Result<Scaling, Error> {
    if fields.is_given("partial_rotary_factor") && fields.number("partial_rotary_factor", None)? != 1.0 {
        return Err(Error::Model(
            "config.json has a `partial_rotary_factor`; only whole heads can be turned".to_owned(),
        ));
    }
    let original = || fields.number("original_max_position_embeddings", Some(max_positions as f32));
    match fields.text("rope_type").or_else(|| fields.text("type")).unwrap_or("default") {
        "default" => Ok(Scaling::None),
        "linear" => Ok(Scaling::Linear { factor: fields.number("factor", None)? }),
        "llama3" => Ok(Scaling::Llama3 {
            factor: fields.number("factor", None)?,
            low_freq: fields.number("low_freq_factor", None)?,
            high_freq: fields.number("high_freq_factor", None)?,
            original: original()?,
        }),
        "yarn" => {
            let factor = fields.number("factor", None)?;
            let attention = 0.1 * factor.max(1.0).ln() + 1.0;
            Ok(Scaling::Yarn {
                factor,
                beta_fast: fields.number("beta_fast", Some(32.0))?,
                beta_slow: fields.number("beta_slow", Some(1.0))?,
                original: original()?,
                attention: fields.number("attention_factor", Some(attention))?,
            })
        }
        other => Err(Error::Model(format!(
            "config.json has the rope type `{other}`; default, linear, llama3 and yarn can be run"
        ))),
    }
}

/// Mistral's window is every layer's; Qwen's begins at a layer, or is listed.
fn windows(fields: &Fields<'_>, family: &str, n_layers: usize) -> Result<Vec<Option<usize>>, Error> {
    let is_used = match family {
        "qwen2" | "qwen3" => fields.flag("use_sliding_window", false),
        "mistral" => true,
        _ => false,
    };
    if !is_used || !fields.is_given("sliding_window") {
        return Ok(vec![None; n_layers]);
    }
    let window = fields.count("sliding_window", MAX_WIDTH)?;
    let first = if family == "mistral" { 0 } else { fields.count_or("max_window_layers", MAX_LAYERS, 28)? };
    let types = fields.0["layer_types"].as_array();
    let is_windowed = |layer: usize| match types {
        Some(types) => types.get(layer).and_then(Value::as_str) == Some("sliding_attention"),
        None => layer >= first,
    };
    Ok((0..n_layers).map(|layer| is_windowed(layer).then_some(window)).collect())
}

fn end_ids(value: &Value) -> Vec<u32> {
    let id = |it: &Value| it.as_u64().and_then(|it| u32::try_from(it).ok());
    match value.as_array() {
        Some(ids) => ids.iter().filter_map(id).collect(),
        None => id(value).into_iter().collect(),
    }
}
