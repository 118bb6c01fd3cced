//! The model catalogue: which tokenizer counts for a model, how large its window is and what it
//! costs. A model that is not listed by name or alias is looked for among the families, by the
//! longest prefix.

use std::fmt;

use indexmap::IndexMap;

use crate::error::list;
use crate::suggest::close_matches;

/// The catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Models {
    by_name: IndexMap<String, Model>,
}

/// One model, or a family of models that count alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The name that requests carry.
    pub name: String,
    /// Who serves it.
    pub provider: String,
    /// The tokenizer that counts for it.
    pub tokenizer: String,
    /// Whether that tokenizer is the model's own; otherwise counts are estimates.
    pub exact: bool,
    /// Context window, where it is known and the same for the whole family.
    pub window_tokens: Option<u32>,
    /// Longest answer, likewise.
    pub max_output_tokens: Option<u32>,
    /// What it costs, where that is known.
    pub price: Option<Price>,
    /// Other names for the same model.
    pub aliases: Vec<String>,
    /// Starts of names that belong to this family.
    pub prefixes: Vec<String>,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Tokens sent.
    pub input_usd: f64,
    /// Tokens answered.
    pub output_usd: f64,
    /// Tokens sent that the provider's prompt cache held.
    pub cached_input_usd: Option<f64>,
}

/// No entry of the catalogue matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownModel {
    /// What was asked for.
    pub name: String,
    /// Names that read alike.
    pub close: Vec<String>,
}

impl Models {
    /// Finds a model by name, alias or longest family prefix, ignoring case. `vendor/model` is
    /// looked for as written first, then without the vendor.
    pub fn find(&self, name: &str) -> Result<&Model, UnknownModel> {
        let lower = name.trim().to_lowercase();
        let bare = lower.rsplit('/').next().unwrap_or_default();
        let found = self.lookup(&lower).or_else(|| self.lookup(bare)).or_else(|| self.family(&lower, bare));
        found.ok_or_else(|| self.unknown(name, bare))
    }

    /// Every entry, in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.by_name.values()
    }

    fn lookup(&self, name: &str) -> Option<&Model> {
        let alias = || self.iter().find(|model| has(&model.aliases, name));
        self.by_name.get(name).or_else(alias)
    }

    /// A prefix without an owner is one of the bare name: `Qwen/Qwen3-8B` does not begin with `qwen` by its owner.
    fn family(&self, name: &str, bare: &str) -> Option<&Model> {
        let prefixes = self.iter().flat_map(|m| m.prefixes.iter().map(move |prefix| (prefix, m)));
        prefixes
            .filter(|(prefix, _)| {
                let name = if prefix.contains('/') { name } else { bare };
                name.starts_with(prefix.to_lowercase().as_str())
            })
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, model)| model)
    }

    fn unknown(&self, name: &str, bare: &str) -> UnknownModel {
        let names = self.iter().flat_map(|m| m.aliases.iter().chain([&m.name]));
        let close = close_matches(bare, names.map(String::as_str));
        UnknownModel { name: name.to_owned(), close: close.into_iter().map(str::to_owned).collect() }
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|candidate| candidate.eq_ignore_ascii_case(name))
}

impl FromIterator<Model> for Models {
    fn from_iter<I: IntoIterator<Item = Model>>(models: I) -> Self {
        let named = models.into_iter().map(|model| (model.name.to_lowercase(), model));
        Self { by_name: named.collect() }
    }
}

impl UnknownModel {
    /// What the user can do about it.
    pub(crate) fn remedy(&self) -> String {
        let describe = format!("describe it under `[models.{:?}]`", self.name);
        match self.close.is_empty() {
            true => describe,
            false => format!("did you mean {}? otherwise {describe}", list(&self.close, "or")),
        }
    }
}

impl fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown model `{}`; {}", self.name, self.remedy())
    }
}

impl std::error::Error for UnknownModel {}
