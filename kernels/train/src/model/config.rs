//! Hugging Face's `config.json` of Llama, Qwen 2 and Qwen 3, as far as training needs it.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, Result, read_text, write_whole};

/// The shape of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `llama`, `qwen2` or `qwen3`.
    pub family: String,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Numbers of a hidden state.
    pub hidden: usize,
    /// Numbers inside a feed-forward layer.
    pub intermediate: usize,
    /// Layers.
    pub n_layers: usize,
    /// Heads of queries.
    pub n_heads: usize,
    /// Heads of keys and values.
    pub n_kv_heads: usize,
    /// Numbers of a head.
    pub head_dim: usize,
    /// Added to the mean square.
    pub norm_eps: f64,
    /// Base of the rotary angles.
    pub rope_theta: f64,
    /// Positions that the model was made for.
    pub max_positions: usize,
    /// The embedding is the language head too.
    pub is_tied: bool,
    /// The token that ends an answer.
    pub end_id: u32,
}

fn whole(value: &Value, key: &str) -> Result<usize> {
    let found = value[key].as_u64().filter(|it| (1..=1 << 24).contains(it));
    found.map(|it| it as usize).ok_or_else(|| {
        Error::bad(format!("config.json has `{key} = {}`; it must be a whole number from 1 to 2^24", value[key]))
    })
}

fn whole_or(value: &Value, key: &str, default: usize) -> Result<usize> {
    if value[key].is_null() { Ok(default) } else { whole(value, key) }
}

impl Config {
    /// The shape in a model's folder.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::Bad`] for what cannot be trained with.
    pub fn read(folder: &Path) -> Result<Self> {
        let text = read_text(&folder.join("config.json"))?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|it| Error::bad(format!("`{}/config.json` is no JSON: {it}", folder.display())))?;
        Self::parse(&value)
    }

    fn parse(value: &Value) -> Result<Self> {
        let family = value["model_type"].as_str().unwrap_or_default().to_owned();
        if !["llama", "qwen2", "qwen3"].contains(&&*family) {
            return Err(Error::bad(format!("unknown `model_type = {family}`; llama, qwen2 and qwen3 can be loaded")));
        }
        for key in ["rope_scaling", "sliding_window"] {
            let is_off = value[key].is_null() || (key == "sliding_window" && value["use_sliding_window"] == false);
            if !is_off {
                return Err(Error::bad(format!("config.json has `{key}`; train a draft for a target without it")));
            }
        }
        let (hidden, n_heads) = (whole(value, "hidden_size")?, whole(value, "num_attention_heads")?);
        let config = Self {
            vocab_size: whole(value, "vocab_size")?,
            intermediate: whole(value, "intermediate_size")?,
            n_layers: whole(value, "num_hidden_layers")?,
            n_kv_heads: whole_or(value, "num_key_value_heads", n_heads)?,
            head_dim: whole_or(value, "head_dim", hidden / n_heads)?,
            norm_eps: value["rms_norm_eps"].as_f64().unwrap_or(1e-6),
            rope_theta: value["rope_theta"].as_f64().unwrap_or(10_000.0),
            max_positions: whole_or(value, "max_position_embeddings", 2048)?,
            is_tied: value["tie_word_embeddings"].as_bool().unwrap_or(false),
            end_id: value["eos_token_id"].as_u64().unwrap_or(0) as u32,
            family,
            hidden,
            n_heads,
        };
        config.checked()
    }

    /// # Errors
    /// [`Error::Bad`] if the sizes do not divide.
    pub fn checked(self) -> Result<Self> {
        if !self.n_heads.is_multiple_of(self.n_kv_heads) || !self.head_dim.is_multiple_of(2) {
            return Err(Error::bad(format!(
                "{} heads of {} on {} heads of keys; heads must be even and divide",
                self.n_heads, self.head_dim, self.n_kv_heads
            )));
        }
        Ok(self)
    }

    /// Biases on queries, keys and values.
    #[must_use]
    pub fn has_qkv_bias(&self) -> bool {
        self.family == "qwen2"
    }

    /// Norms on the heads of queries and keys.
    #[must_use]
    pub fn has_qk_norm(&self) -> bool {
        self.family == "qwen3"
    }

    /// Width of all heads of queries.
    #[must_use]
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Width of all heads of keys.
    #[must_use]
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    /// Names and shapes of the tensors, in the order of the file's making.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![self.vocab_size, self.hidden])];
        for idx in 0..self.n_layers {
            let own = self.layer_tensors();
            all.extend(own.into_iter().map(|(name, shape)| (format!("model.layers.{idx}.{name}"), shape)));
        }
        all.push(("model.norm.weight".to_owned(), vec![self.hidden]));
        if !self.is_tied {
            all.push(("lm_head.weight".to_owned(), vec![self.vocab_size, self.hidden]));
        }
        all
    }

    fn layer_tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (hidden, inner) = (self.hidden, self.intermediate);
        let mut all = vec![
            ("input_layernorm.weight", vec![hidden]),
            ("self_attn.q_proj.weight", vec![self.q_width(), hidden]),
            ("self_attn.k_proj.weight", vec![self.kv_width(), hidden]),
            ("self_attn.v_proj.weight", vec![self.kv_width(), hidden]),
            ("self_attn.o_proj.weight", vec![hidden, self.q_width()]),
            ("post_attention_layernorm.weight", vec![hidden]),
            ("mlp.gate_proj.weight", vec![inner, hidden]),
            ("mlp.up_proj.weight", vec![inner, hidden]),
            ("mlp.down_proj.weight", vec![hidden, inner]),
        ];
        if self.has_qkv_bias() {
            all.push(("self_attn.q_proj.bias", vec![self.q_width()]));
            all.push(("self_attn.k_proj.bias", vec![self.kv_width()]));
            all.push(("self_attn.v_proj.bias", vec![self.kv_width()]));
        }
        if self.has_qk_norm() {
            all.push(("self_attn.q_norm.weight", vec![self.head_dim]));
            all.push(("self_attn.k_norm.weight", vec![self.head_dim]));
        }
        all.into_iter().map(|(name, shape)| (name.to_owned(), shape)).collect()
    }

    fn json(&self) -> Value {
        let architecture = match &*self.family {
            "qwen2" => "Qwen2ForCausalLM",
            "qwen3" => "Qwen3ForCausalLM",
            _ => "LlamaForCausalLM",
        };
        json!({
            "architectures": [architecture],
            "model_type": self.family,
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.n_layers,
            "num_attention_heads": self.n_heads,
            "num_key_value_heads": self.n_kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": null,
            "max_position_embeddings": self.max_positions,
            "tie_word_embeddings": self.is_tied,
            "attention_bias": false,
            "mlp_bias": false,
            "eos_token_id": self.end_id,
            "torch_dtype": "float16",
        })
    }

    /// Writes `config.json` of a target.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, folder: &Path) -> Result<()> {
        write_whole(&folder.join("config.json"), format!("{:#}\n", self.json()).as_bytes())
    }

    /// Writes `config.json` of a draft for this target: the target's own sizes, one layer, the window.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_draft(&self, folder: &Path, window: usize) -> Result<()> {
        let mut value = self.json();
        value["architectures"] = json!(["LongSpecDraft"]);
        value["model_type"] = json!("longspec");
        value["num_hidden_layers"] = json!(1);
        value["sliding_window"] = json!(window);
        value["attention_bias"] = json!(true);
        write_whole(&folder.join("config.json"), format!("{value:#}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_configuration_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::testing::config("qwen3");
        config.write(folder.path()).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap(), config);
    }

    #[test]
    fn what_cannot_be_trained_with_is_refused() {
        let check = |key: &str, value: Value, expected: &str| {
            let mut json = crate::testing::config("llama").json();
            json[key] = value;
            let said = Config::parse(&json).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        };
        check("model_type", json!("gpt2"), "`model_type = gpt2`");
        check("hidden_size", json!(0), "`hidden_size = 0`");
        check("hidden_size", json!(1_u64 << 40), "2^24");
        check("rope_scaling", json!({"type": "yarn"}), "`rope_scaling`");
        check("num_key_value_heads", json!(3), "3 heads of keys");
    }
}
