//! Model name -> where a request goes and what is done to it on the way. Pure, over the configuration.

use std::sync::{Arc, RwLock};

use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::sync::{read, write};

use tollgate_config::{Model, Models, Provider, Route, RouteRules, Target};

/// What a request is routed by.
#[derive(Debug)]
pub struct Routes {
    routes: IndexMap<String, Route>,
    default_rules: RouteRules,
    providers: Vec<String>,
    models: Models,
    /// What was found for names before: a name without an entry of its own is looked for among all prefixes, and one that
    /// the catalogue lacks among names that read alike.
    found: RwLock<FxHashMap<String, Option<Arc<Model>>>>,
}

/// Names that are remembered; they come from clients.
const MOST_FOUND: usize = 4096;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed<'a> {
    /// Never empty; the first is tried first.
    pub targets: Vec<Target>,
    pub rules: &'a RouteRules,
    /// The first target's model in the catalogue, where it is there.
    pub model: Option<Arc<Model>>,
}

impl Routes {
    pub fn new(config: &tollgate_config::Config) -> Self {
        Self {
            routes: config.routes.clone(),
            default_rules: config.default_route.rules.clone(),
            providers: config.providers.values().map(|it: &Provider| it.name.clone()).collect(),
            models: config.models.clone(),
            found: RwLock::default(),
        }
    }

    /// A route of that name, else `provider/model`, else a model of the catalogue at the provider that serves it.
    ///
    /// # Errors
    /// What to ask for instead.
    pub fn find(&self, name: &str) -> Result<Routed<'_>, String> {
        if let Some(route) = self.routes.get(name) {
            return Ok(self.routed(route.targets.clone(), &route.rules));
        }
        let target = self.direct(name).map_or_else(|| self.of_catalogue(name), Ok)?;
        Ok(self.routed(vec![target], &self.default_rules))
    }

    /// A model of the catalogue.
    pub fn model(&self, name: &str) -> Option<Arc<Model>> {
        if let Some(known) = read(&self.found).get(name) {
            return known.clone();
        }
        let model = self.models.find(name).ok().cloned().map(Arc::new);
        let mut found = write(&self.found);
        if found.len() == MOST_FOUND {
            found.clear();
        }
        found.insert(name.to_owned(), model.clone());
        model
    }

    /// The names that clients can ask for: routes, then models of the catalogue that a provider serves.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let routes = self.routes.keys().map(|name| (name.as_str(), "tollgate"));
        let served = self.models.iter().filter(|model| self.is_provider(&model.provider));
        routes.chain(served.map(|model| (model.name.as_str(), model.provider.as_str())))
    }

    fn routed<'a>(&'a self, targets: Vec<Target>, rules: &'a RouteRules) -> Routed<'a> {
        let model = targets.first().and_then(|target| self.model(&target.model));
        Routed { targets, rules, model }
    }

    fn direct(&self, name: &str) -> Option<Target> {
        let (provider, model) = name.split_once('/')?;
        let is_target = self.is_provider(provider) && !model.is_empty();
        is_target.then(|| Target { provider: provider.to_owned(), model: model.to_owned() })
    }

    fn of_catalogue(&self, name: &str) -> Result<Target, String> {
        let model = self.models.find(name).map_err(|unknown| format!("{unknown}, or ask for `provider/model`"))?;
        if !self.is_provider(&model.provider) {
            let (provider, list) = (&model.provider, self.providers.join(", "));
            return Err(format!(
                "no provider `{provider}` for model `{name}`; add `[providers.{provider}]`, or ask for `provider/model` \
                 with one of {list}"
            ));
        }
        Ok(Target { provider: model.provider.clone(), model: name.to_owned() })
    }

    fn is_provider(&self, name: &str) -> bool {
        self.providers.iter().any(|it| it == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_config::{Source, Sources};

    fn routes(text: &str) -> Routes {
        let tokenizers: Vec<&str> = tollgate_tokenizers::TOKENIZERS.iter().map(|it| &*it.name).collect();
        let sources = Sources {
            files: vec![Source { path: "t.toml".into(), text: text.to_owned() }],
            working_dir: "/".into(),
            ..Sources::default()
        };
        Routes::new(&tollgate_config::parse(&sources, &tokenizers).unwrap().config)
    }

    #[test]
    fn names_lead_to_targets() {
        let routes = routes(
            "[routes.fast]\ntargets = ['groq/llama', 'openai/gpt-5-mini']\ncache_ttl_s = 5\n\
             [routes.'gpt-4o']\ntargets = ['openrouter/openai/gpt-4o']\n",
        );
        let rows: &[(&str, &[&str])] = &[
            ("fast", &["groq llama", "openai gpt-5-mini"]),
            ("gpt-4o", &["openrouter openai/gpt-4o"]),
            ("gpt-5", &["openai gpt-5"]),
            ("gpt-5-2025-08-07", &["openai gpt-5-2025-08-07"]),
            ("claude-sonnet-4-5", &["anthropic claude-sonnet-4-5"]),
            ("ollama/anything:8b", &["ollama anything:8b"]),
            ("openrouter/a/b", &["openrouter a/b"]),
        ];
        for (name, expected) in rows {
            let found = routes.find(name).unwrap();
            let targets: Vec<_> = found.targets.iter().map(|it| format!("{} {}", it.provider, it.model)).collect();
            assert_eq!(targets, *expected, "{name}");
            assert_eq!(found.rules.cache_ttl.is_some(), *name == "fast");
        }
    }

    #[test]
    fn unknown_names_are_errors_with_a_remedy() {
        let routes = routes("");
        for (name, told) in [
            ("gpt-6o", "did you mean"),
            ("zebra", "ask for `provider/model`"),
            ("openai/", "unknown model"),
            ("llama-3.1-8b", "no provider `meta`"),
            ("", "unknown model"),
        ] {
            let error = routes.find(name).unwrap_err();
            assert!(error.contains(told), "{name}: {error}");
        }
    }
}
