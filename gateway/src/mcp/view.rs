//! What one profile shows of its upstreams at one moment: names, routes, and the planned `tools/list`, ready as bytes.
//!
//! A view is a pure function of the upstreams' lists, the profile and the tokenizer; no client and no earlier request
//! changes it (2026-07-28, tools: the list must not vary per connection).

use std::sync::{Arc, OnceLock};

use globset::GlobSet;
use jsonschema::Validator;
use rustc_hash::FxHashMap;
use serde_json::{Value, value::RawValue};

use super::{
    jsonrpc::{Fault, INTERNAL_ERROR, Raw, raw},
    object::RawObject,
};
use crate::{
    model_files,
    upstream::{Lists, Upstream, UpstreamTool},
};
use tollgate_config::{NamePolicy as ConfigNames, Profile};
use tollgate_planners::tools::{Catalogue, ListPlan, ListRequest, NamePolicy, ToolDef, exposed_names};
use tollgate_tokenizers::Tokenizer;

/// Schemas larger than this are not compiled; the upstream then checks the arguments alone.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// Where calls of one tool go.
pub struct Route {
    pub upstream: Arc<Upstream>,
    pub tool: UpstreamTool,
    validator: OnceLock<Option<Validator>>,
}

impl Route {
    /// Checks arguments against the upstream's own schema. A schema that cannot be compiled checks nothing.
    ///
    /// # Errors
    /// Every violation in words, one a line.
    pub fn validate(&self, arguments: &Value) -> Result<(), String> {
        let Some(validator) = self.validator() else { return Ok(()) };
        let wrong: Vec<String> = validator.iter_errors(arguments).take(20).map(|error| violation(&error)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    fn validator(&self) -> Option<&Validator> {
        self.validator.get_or_init(|| self.compile()).as_ref()
    }

    fn compile(&self) -> Option<Validator> {
        let schema = self.schema()?;
        if schema.get().len() > MAX_SCHEMA_BYTES {
            return None;
        }
        let schema: Value = serde_json::from_str(schema.get()).ok()?;
        match jsonschema::options().offline().build(&schema) {
            Ok(validator) => Some(validator),
            Err(error) => {
                tracing::warn!(upstream = self.upstream.id(), tool = self.tool.name, %error, "arguments of this tool are not validated");
                None
            }
        }
    }

    /// The upstream's own input schema.
    pub fn schema(&self) -> Option<Raw> {
        RawObject::parse(&self.tool.definition)?.remove("inputSchema")
    }
}

fn violation(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    if path.is_empty() { format!("- {error}") } else { format!("- at `{path}`: {error}") }
}

/// A prompt's place behind its exposed name.
pub struct PromptRoute {
    pub exposed: String,
    pub name: String,
    pub upstream: Arc<Upstream>,
    pub definition: Raw,
}

pub struct View {
    pub catalogue: Catalogue,
    /// The plan, or why there is none.
    pub plan: Result<ListPlan, Fault>,
    /// The `tools` array of `tools/list`.
    pub tools_json: Raw,
    pub routes: Vec<Route>,
    pub prompts: Vec<PromptRoute>,
    /// Upstreams' own names that are unique in this profile.
    by_own_name: FxHashMap<String, Option<usize>>,
    /// The lists that this view was made of, to tell when it is stale.
    made_of: Vec<Option<Arc<Lists>>>,
}

/// What a view is made under.
pub struct ViewRules {
    pub tokenizer: Tokenizer,
    pub budget: Option<u32>,
    pub names: NamePolicy,
    pub pins: GlobSet,
}

impl ViewRules {
    /// Reads the rules of a checked profile.
    ///
    /// # Errors
    /// The tokenizer's file, where it cannot be used, or a bad glob, which checked profiles do not have.
    pub fn new(profile: &Profile) -> Result<Self, String> {
        Ok(Self {
            tokenizer: model_files::tokenizer(&profile.tokenizer)?,
            budget: profile.tools_budget_tokens,
            names: match profile.names {
                ConfigNames::Always => NamePolicy::Always,
                ConfigNames::OnCollision => NamePolicy::OnCollision,
            },
            pins: tollgate_config::glob_set(&profile.pins).map_err(|error| error.to_string())?,
        })
    }
}

impl View {
    /// Makes the view of `upstreams` as they are now. Counts tokens, so it may take long with thousands of tools.
    pub fn build(upstreams: &[Arc<Upstream>], rules: &ViewRules) -> Self {
        let made_of: Vec<_> = upstreams.iter().map(|it| it.lists()).collect();
        let routes = routes(upstreams, &made_of);
        let names: Vec<_> = routes.iter().map(|it| (it.upstream.id(), it.tool.shown.as_str())).collect();
        let exposed = exposed_names(&names, rules.names);
        let defs = routes.iter().zip(exposed).map(|(route, exposed)| ToolDef {
            server: route.upstream.id().to_owned(),
            name: route.tool.shown.clone(),
            exposed,
            definition: Arc::clone(&route.tool.definition),
        });
        let catalogue = Catalogue::build(defs.collect(), rules.tokenizer);
        let plan = plan(&catalogue, &routes, rules);
        let tools_json = match &plan {
            Ok(plan) => array(&catalogue.list_json(plan)),
            Err(_) => array(&[]),
        };
        Self {
            by_own_name: own_names(&routes),
            prompts: prompt_routes(upstreams, &made_of, rules.names),
            catalogue,
            plan,
            tools_json,
            routes,
            made_of,
        }
    }

    pub fn is_fresh(&self, upstreams: &[Arc<Upstream>]) -> bool {
        upstreams.iter().zip(&self.made_of).all(|(upstream, lists)| match (upstream.lists(), lists) {
            (Some(now), Some(then)) => Arc::ptr_eq(&now, then),
            (None, None) => true,
            _ => false,
        })
    }

    /// A tool by its exposed name, or by its upstream's own name where that is unique.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.catalogue.find(name).or_else(|| self.by_own_name.get(name).copied().flatten())
    }
}

fn routes(upstreams: &[Arc<Upstream>], lists: &[Option<Arc<Lists>>]) -> Vec<Route> {
    let offers = upstreams.iter().zip(lists).filter_map(|(upstream, lists)| Some((upstream, lists.as_ref()?)));
    offers
        .flat_map(|(upstream, lists)| {
            lists.tools.iter().map(|tool| Route {
                upstream: Arc::clone(upstream),
                tool: tool.clone(),
                validator: OnceLock::new(),
            })
        })
        .collect()
}

fn prompt_routes(upstreams: &[Arc<Upstream>], lists: &[Option<Arc<Lists>>], names: NamePolicy) -> Vec<PromptRoute> {
    let offers = upstreams.iter().zip(lists).filter_map(|(upstream, lists)| Some((upstream, lists.as_ref()?)));
    let prompts: Vec<_> =
        offers.flat_map(|(upstream, lists)| lists.prompts.iter().map(move |it| (upstream, it))).collect();
    let keys: Vec<_> = prompts.iter().map(|(upstream, it)| (upstream.id(), it.key.as_str())).collect();
    // A lone upstream's prompts keep their names, legal for functions or not: prompts are no functions.
    let lone = upstreams.len() == 1 && names == NamePolicy::OnCollision;
    let exposed =
        if lone { prompts.iter().map(|(_, it)| it.key.clone()).collect() } else { exposed_names(&keys, names) };
    let routes = prompts.into_iter().zip(exposed).map(|((upstream, prompt), exposed)| PromptRoute {
        definition: renamed(&prompt.definition, &prompt.key, &exposed),
        name: prompt.key.clone(),
        upstream: Arc::clone(upstream),
        exposed,
    });
    routes.collect()
}

fn renamed(definition: &RawValue, name: &str, exposed: &str) -> Raw {
    match RawObject::parse(definition) {
        Some(mut object) if name != exposed => {
            object.set_str("name", exposed);
            object.to_raw()
        }
        _ => definition.to_owned(),
    }
}

fn own_names(routes: &[Route]) -> FxHashMap<String, Option<usize>> {
    let mut names = FxHashMap::default();
    for (idx, route) in routes.iter().enumerate() {
        names.entry(route.tool.name.clone()).and_modify(|it| *it = None).or_insert(Some(idx));
    }
    names
}

fn plan(catalogue: &Catalogue, routes: &[Route], rules: &ViewRules) -> Result<ListPlan, Fault> {
    let pinned: FxHashMap<&str, bool> =
        catalogue.tools().iter().zip(routes).map(|(def, route)| (def.exposed.as_str(), route.tool.pinned)).collect();
    let pins = |def: &ToolDef| {
        pinned.get(def.exposed.as_str()).copied().unwrap_or(false)
            || rules.pins.is_match(&def.exposed)
            || rules.pins.is_match(format!("{}/{}", def.server, def.name))
    };
    let request = ListRequest { budget: rules.budget, pins: &pins, query: None };
    catalogue.plan(&request).map_err(|error| {
        let told = format!("`tools_budget_tokens` of this profile: {error}; raise it, or pin fewer tools");
        tracing::error!("{told}");
        Fault::new(INTERNAL_ERROR, told)
    })
}

fn array(items: &[Box<RawValue>]) -> Raw {
    raw(&items)
}
