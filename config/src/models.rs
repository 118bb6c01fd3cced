//! The model catalogue: which tokenizer counts for a model, how large its window is and what it
//! costs. A model that is not listed by name or alias is looked for among the families, by the
//! longest prefix.

use std::fmt;
use std::path::PathBuf;

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
    pub tokenizer: TokenizerSource,
    /// The file of its chat template, where it is not one that we know.
    pub chat_template: Option<PathBuf>,
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

/// Where a tokenizer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TokenizerSource {
    /// One of the build, by its name.
    Named(String),
    /// A `tokenizer.json` of Hugging Face's.
    Json(PathBuf),
    /// A `.tiktoken` file.
    Tiktoken {
        /// Where it is.
        file: PathBuf,
        /// The tokenizer of the build that splits text as this one does.
        splits_like: String,
    },
}

impl fmt::Display for TokenizerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Json(file) | Self::Tiktoken { file, .. } => file.display().fmt(f),
        }
    }
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
    /// Finds a model by name, alias or longest family prefix, ignoring case. What a vendor or a
    /// reseller puts before a name is kept first and then left out.
    pub fn find(&self, name: &str) -> Result<&Model, UnknownModel> {
        let lower = name.trim().to_lowercase();
        let spellings = spellings(&lower);
        let found = spellings.iter().find_map(|name| self.lookup(name)).or_else(|| self.family(&spellings));
        found.ok_or_else(|| self.unknown(name, &spellings[2]))
    }

    /// Every entry, in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.by_name.values()
    }

    fn lookup(&self, name: &str) -> Option<&Model> {
        let alias = || self.iter().find(|model| has(&model.aliases, name));
        self.by_name.get(name).or_else(alias)
    }

    /// A prefix without an owner is one of the name alone: `Qwen/Qwen3-8B` does not begin with `qwen` by its owner.
    fn family(&self, [whole, unowned, bare]: &[String; 3]) -> Option<&Model> {
        let prefixes = self.iter().flat_map(|m| m.prefixes.iter().map(move |prefix| (prefix, m)));
        prefixes
            .filter(|(prefix, _)| {
                let prefix = prefix.to_lowercase();
                let names = if prefix.contains('/') { [whole, whole] } else { [unowned, bare] };
                names.iter().any(|name| name.starts_with(&prefix))
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

/// What resellers put before a name, behind a region or nothing.
const RESELLERS: &[&str] = &["anthropic.", "deepseek.", "google.", "meta.", "mistral.", "openai.", "qwen."];

/// A name as it is written, without its path, and as the maker itself writes it: without the reseller's prefix, and
/// Claude's versions with hyphens only.
fn spellings(name: &str) -> [String; 3] {
    let unowned = name.rsplit('/').next().unwrap_or_default();
    let is_whole = |prefix: &&str| unowned.starts_with(*prefix) || unowned.contains(&format!(".{prefix}"));
    let reseller = RESELLERS.iter().find(|prefix| is_whole(prefix));
    let bare = reseller.and_then(|prefix| Some(unowned.split_once(prefix)?.1)).unwrap_or(unowned);
    let is_claude = bare.starts_with("claude");
    let bare = if is_claude { bare.replace(['.', '@'], "-") } else { bare.to_owned() };
    [name.to_owned(), unowned.to_owned(), bare]
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
