//! What a batch must know of the model that it asks: whose tokens it is counted in, what fits, what it costs.

use super::simulated::{self, Simulated};
use crate::proxy::{Routes, vocabulary};
use tollgate_config::Price;
use tollgate_planners::batch::{Limits, Policy};
use tollgate_tokenizers::{Tokenizer, chat::Family};

/// A model, as far as batches go.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub tokenizer: Tokenizer,
    pub limits: Limits,
    pub price: Option<Price>,
}

/// Whether it is one that costs nothing.
pub fn is_simulated(model: &str) -> bool {
    model.starts_with(simulated::PREFIX)
}

impl Target {
    /// The model of this name, by any name that the gateway routes, or a simulated one.
    ///
    /// # Errors
    /// That nobody serves it, or that its vocabulary is not there.
    pub fn find(routes: &Routes, model: &str) -> Result<Self, String> {
        if is_simulated(model) {
            Simulated::new(model, 0, &[])?;
            return Self::of_simulated();
        }
        let routed = routes.find(model)?;
        let entry = routed.model.as_deref();
        let family = Family::of_model(&routed.targets[0].model);
        let tokenizer = vocabulary(entry, family).map_err(|error| error.message)?;
        let default = Limits::default();
        let limits = Limits {
            window: entry.and_then(|it| it.window_tokens).unwrap_or(default.window),
            output: entry.and_then(|it| it.max_output_tokens).unwrap_or(default.output),
            ..default
        };
        Ok(Self { tokenizer, limits, price: entry.and_then(|it| it.price) })
    }

    /// One that costs nothing.
    ///
    /// # Errors
    /// That its vocabulary is not part of this build.
    pub fn of_simulated() -> Result<Self, String> {
        let tokenizer = Tokenizer::by_name(simulated::TOKENIZER).map_err(|error| error.to_string())?;
        Ok(Self { tokenizer, limits: Limits::default(), price: None })
    }

    /// The default policy, within what the model takes.
    pub fn policy(&self) -> Policy {
        Policy { limits: self.limits, ..Policy::default() }
    }
}
