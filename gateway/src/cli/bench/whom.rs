//! Whom a run asks: a script, a model that the configuration routes, any endpoint that is named on the command line, and
//! recorded answers of these.

use std::path::PathBuf;

use clap::Args;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    model::{Model, served_route},
    pace::Pace,
    recorded::Recordings,
    target::{SCRIPT, Scripted, Target},
};
use crate::{
    batch,
    cli::{ConfigSource, Failure, key_value},
    proxy::{Proxy, Routes},
};
use tollgate_benchmarks::arm::Arm;
use tollgate_config::{Config, Price};
use tollgate_tokenizers::Tokenizer;

/// The vocabulary of scripts.
const TOKENIZER: &str = "o200k_base";

/// The provider that `--endpoint` makes.
const ENDPOINT: &str = "bench-endpoint";

/// Who answers, and how often.
#[derive(Debug, Args)]
pub struct WhomArgs {
    /// Who answers: `script:NAME`, a model by any name that the gateway routes, or with --endpoint the endpoint's own name
    #[arg(short, long, value_name = "MODEL", default_value = "script:searcher")]
    pub model: String,
    /// Ask this server, by its base URL, as in http://localhost:8000/v1
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// What the endpoint speaks
    #[arg(long, value_name = "FORMAT", default_value = "openai-chat", value_parser = ["openai-chat", "openai-responses", "anthropic"])]
    endpoint_format: String,
    /// The environment variable with the endpoint's key
    #[arg(long, value_name = "NAME")]
    endpoint_key_env: Option<String>,
    /// Keep the model's answers in this file, and use those that it has
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Answer from this file only; a request that it lacks is a failure
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Requests to the model a minute, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// A member of every request's body, as in `temperature=0`; JSON, or else text
    #[arg(long = "body", value_name = "NAME=VALUE", value_parser = key_value)]
    body: Vec<(String, String)>,
}

/// Who answers, and what must be known of it.
pub struct Whom {
    pub target: Box<dyn Target>,
    pub tokenizer: Tokenizer,
    pub price: Option<Price>,
}

impl WhomArgs {
    /// Whether no request leaves the process.
    pub fn is_script(&self) -> bool {
        self.model.starts_with(SCRIPT)
    }

    /// As the record names it.
    pub fn name(&self) -> String {
        match &self.endpoint {
            Some(url) => format!("{} at {url}", self.model),
            None => self.model.clone(),
        }
    }

    /// Makes it ready. `arms` may want routes of their own.
    ///
    /// # Errors
    /// That nobody serves it, or that its configuration cannot be used.
    pub fn open(&self, source: &ConfigSource, arms: &[Arm], seed: u64) -> Result<Whom, Failure> {
        if let Some(script) = self.model.strip_prefix(SCRIPT) {
            let tokenizer = Tokenizer::by_name(TOKENIZER).map_err(|error| error.to_string())?;
            let target = self.recorded(Box::new(Scripted::new(script, seed)?))?;
            return Ok(Whom { target, tokenizer, price: None });
        }
        let (config, model) = self.config(source, arms)?;
        let known = batch::Target::find(&Routes::new(&config), &model)?;
        if let Some(file) = &self.replay {
            let target = Box::new(Recordings::open(file, None)?);
            return Ok(Whom { target, tokenizer: known.tokenizer, price: known.price });
        }
        let proxy = Proxy::open(&config, &IndexMap::new())?;
        let pace = Pace::per_minute(self.rate);
        let target = self.recorded(Box::new(Model { proxy, name: model, body: self.members(), pace }))?;
        Ok(Whom { target, tokenizer: known.tokenizer, price: known.price })
    }

    /// The target behind the recordings that the user asked for.
    fn recorded(&self, inner: Box<dyn Target>) -> Result<Box<dyn Target>, String> {
        Ok(match (&self.record, &self.replay) {
            (Some(file), _) => Box::new(Recordings::open(file, Some(inner))?),
            (_, Some(file)) => Box::new(Recordings::open(file, None)?),
            _ => inner,
        })
    }

    fn members(&self) -> Map<String, Value> {
        let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        self.body.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    /// The configuration with the endpoint and the routes of the arms, and the model's name there.
    fn config(&self, source: &ConfigSource, arms: &[Arm]) -> Result<(Config, String), Failure> {
        let (mut source, mut model) = (source.clone(), self.model.clone());
        let mut set = |key: String, value: String| source.overrides.push((key, value));
        if let Some(url) = &self.endpoint {
            set(format!("providers.{ENDPOINT}.base_url"), url.clone());
            set(format!("providers.{ENDPOINT}.protocols"), format!("[\"{}\"]", self.endpoint_format));
            if let Some(name) = &self.endpoint_key_env {
                set(format!("providers.{ENDPOINT}.api_key_env"), name.clone());
            }
            model = format!("{ENDPOINT}/{model}");
        }
        let config = source.load()?.config;
        let budgets: Vec<u32> =
            arms.iter().filter_map(|arm| if let Arm::Served(it) = arm { Some(*it) } else { None }).collect();
        if budgets.is_empty() {
            return Ok((config, model));
        }
        let routes = Routes::new(&config);
        let targets: Vec<String> =
            routes.find(&model)?.targets.iter().map(|it| format!("\"{}/{}\"", it.provider, it.model)).collect();
        for budget in budgets {
            let route = format!("routes.{}", served_route(budget));
            source.overrides.push((format!("{route}.targets"), format!("[{}]", targets.join(", "))));
            source.overrides.push((format!("{route}.tools_budget_tokens"), budget.to_string()));
        }
        Ok((source.load()?.config, model))
    }
}
