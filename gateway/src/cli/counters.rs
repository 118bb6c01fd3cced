//! In whose tokens something is counted, and what is known of that model.

use std::path::PathBuf;

use super::{Failure, inputs};
use crate::{model_files, serve::DEFAULT_PROFILE};
use tollgate_config::{Config, Model, Models, Price, TokenizerSource};
use tollgate_tokenizers::{
    TOKENIZERS, Tokenizer,
    chat::{Family, TemplateEntry},
};

/// A model, or a bare tokenizer.
#[derive(Clone)]
pub struct Counter {
    /// As it was asked for.
    pub name: String,
    pub tokenizer: Tokenizer,
    /// Whether that tokenizer is the model's own.
    pub is_exact: bool,
    pub window_tokens: Option<u32>,
    pub price: Option<Price>,
    /// How whole requests are counted.
    pub family: &'static Family,
    /// The name by which a provider knows the model, as far as its price for pictures depends on it.
    pub known_as: String,
    /// The file of the chat template by which whole requests are counted instead.
    pub template: Option<PathBuf>,
}

impl Counter {
    /// Share of the model's window, 0 to 1 and more.
    pub fn window_share(&self, tokens: usize) -> Option<f64> {
        self.window_tokens.map(|window| tokens as f64 / f64::from(window))
    }

    /// What sending so many tokens once costs.
    pub fn input_usd(&self, tokens: usize) -> Option<f64> {
        self.price.map(|it| it.input_usd * tokens as f64 / 1e6)
    }

    /// The vocabulary for whole requests. Rules of a family were made for one; without a rule it is the model's.
    pub fn request_tokenizer(&self) -> Tokenizer {
        let is_open = self.family.name == Family::of_model("").name;
        if is_open || self.template.is_some() {
            self.tokenizer
        } else {
            Tokenizer::by_name(self.family.tokenizer).unwrap_or(self.tokenizer)
        }
    }

    fn of_model(name: &str, model: &Model) -> Result<Self, String> {
        let tokenizer = model_files::tokenizer(&model.tokenizer)?;
        // A name of the user's own says nothing; the catalogue's says what it stands for.
        let open = Family::of_model("").name;
        let is_known = Family::of_model(name).name != open || TemplateEntry::of_model(name).is_some();
        let known_as = if is_known { name } else { &model.name };
        Ok(Self {
            name: name.to_owned(),
            tokenizer,
            is_exact: model.exact,
            window_tokens: model.window_tokens,
            price: model.price,
            family: Family::of_model(known_as),
            known_as: known_as.to_owned(),
            template: model.chat_template.clone(),
        })
    }

    fn of_tokenizer(tokenizer: Tokenizer) -> Self {
        Self {
            name: tokenizer.name().to_owned(),
            tokenizer,
            is_exact: true,
            window_tokens: None,
            price: None,
            family: Family::of_model(""),
            known_as: String::new(),
            template: None,
        }
    }
}

/// These tokenizers, each a name or a `tokenizer.json`.
pub fn tokenizers(names: &[String]) -> Result<Vec<Counter>, Failure> {
    inputs::all(names, |name| tokenizer(name))
}

fn tokenizer(name: &str) -> Result<Counter, String> {
    if name.ends_with(".tiktoken") {
        let remedy = "describe it under `[models.NAME]`, with the tokenizer that splits text alike";
        return Err(format!("`{name}` does not say how it splits text; {remedy}"));
    }
    let is_file = name.ends_with(".json");
    let source = if is_file { TokenizerSource::Json(name.into()) } else { TokenizerSource::Named(name.to_owned()) };
    let tokenizer = model_files::tokenizer(&source)?;
    Ok(Counter::of_tokenizer(tokenizer))
}

/// Every tokenizer of this build.
pub fn every_tokenizer() -> Vec<Counter> {
    TOKENIZERS.iter().filter_map(|it| Tokenizer::by_name(&it.name).ok()).map(Counter::of_tokenizer).collect()
}

/// Every model of the catalogue that answers requests and has a window of its own; the others are families of names.
pub fn every_model(models: &Models) -> Result<Vec<Counter>, Failure> {
    let whole = models.iter().filter(|it| it.window_tokens.is_some() && it.max_output_tokens.is_some());
    inputs::all(whole, |it| Counter::of_model(&it.name, it))
}

/// These models; where none is named, that of the default profile.
pub fn models(config: &Config, names: &[String]) -> Result<Vec<Counter>, Failure> {
    let default = config.profiles.get(DEFAULT_PROFILE).map(|it| it.model.clone());
    let names = if names.is_empty() { default.as_slice() } else { names };
    inputs::all(names, |name| model(&config.models, name))
}

/// One model.
pub fn model(models: &Models, name: &str) -> Result<Counter, String> {
    Counter::of_model(name, models.find(name).map_err(|error| error.to_string())?)
}
