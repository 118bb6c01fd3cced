//! `tollgate plan`: what a profile would list, from files or from live upstreams.

mod report;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::value::RawValue;

use super::{ConfigSource, Failure, print, runtime, start};
use crate::{
    app::App,
    mcp::{gate::Gate, object::RawObject},
    model_files,
    serve::DEFAULT_PROFILE,
    upstream::State,
};
use tollgate_config::{Config, Profile};
use tollgate_planners::tools::{Catalogue, ListPlan, ListRequest, NamePolicy, ToolDef, exposed_names};

/// Show what a profile lists under its budget.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate plan                                    the default profile, its upstreams started for it
  tollgate plan --budget 2000 --query 'read a file'
  tollgate plan --tools git.json time.json --model gpt-5 --budget 1000 --json

A file is {\"server\": NAME, \"tools\": [...]} or a bare array of tools, as `tools/list` returns them.")]
pub struct PlanArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Plan these lists instead of live upstreams
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    tools: Vec<PathBuf>,
    /// The profile whose model, budget and pins are used
    #[arg(short, long, default_value = DEFAULT_PROFILE)]
    profile: String,
    /// The model whose tokens are counted, instead of the profile's
    #[arg(short, long)]
    model: Option<String>,
    /// The budget in tokens, instead of the profile's; 0 for none
    #[arg(short, long, value_name = "TOKENS")]
    budget: Option<u32>,
    /// Prefer tools that fit this text; the others get what is left of the budget
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Everything that a plan is made of.
struct Planned {
    catalogue: Catalogue,
    plan: ListPlan,
    budget: Option<u32>,
    model: String,
    is_exact: bool,
    n_upstreams: usize,
    /// Upstreams whose tools are not known, and why.
    down: Vec<(String, String)>,
}

/// Tools and what is said about them where they come from.
#[derive(Default)]
struct Tools {
    defs: Vec<ToolDef>,
    /// Exposed names that their upstreams' own pins match.
    pinned: Vec<String>,
    n_upstreams: usize,
    down: Vec<(String, String)>,
}

pub fn run(args: &PlanArgs) -> Result<(), Failure> {
    let config = start::load(&args.source)?.config;
    let profile = profile(&config, args)?;
    let tools = match args.tools.is_empty() {
        true => live_tools(&config, &profile)?,
        false => file_tools(&args.tools, policy(&profile))?,
    };
    let planned = plan(tools, profile, args.query.as_deref())?;
    print(&if args.json { report::as_json(&planned) } else { report::as_text(&planned) })
}

/// The profile that was named, with what the command line says instead.
fn profile(config: &Config, args: &PlanArgs) -> Result<Profile, String> {
    let Some(profile) = config.profiles.get(&args.profile) else {
        let known: Vec<_> = config.profiles.keys().map(String::as_str).collect();
        return Err(format!("unknown profile `{}`; there is {}", args.profile, known.join(", ")));
    };
    let mut profile = profile.clone();
    if let Some(name) = &args.model {
        let model = config.models.find(name).map_err(|error| error.to_string())?;
        profile.model.clone_from(name);
        profile.tokenizer.clone_from(&model.tokenizer);
        profile.count_is_exact = model.exact;
    }
    if let Some(budget) = args.budget {
        profile.tools_budget_tokens = Some(budget).filter(|it| *it > 0);
    }
    Ok(profile)
}

fn plan(tools: Tools, profile: Profile, query: Option<&str>) -> Result<Planned, String> {
    let Tools { defs, pinned, n_upstreams, down } = tools;
    let tokenizer = model_files::tokenizer(&profile.tokenizer)?;
    let globs = tollgate_config::glob_set(&profile.pins).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::build(defs, tokenizer);
    let pins = |def: &ToolDef| {
        globs.is_match(&def.exposed)
            || globs.is_match(format!("{}/{}", def.server, def.name))
            || pinned.contains(&def.exposed)
    };
    let budget = profile.tools_budget_tokens;
    let plan = catalogue.plan(&ListRequest { budget, pins: &pins, query }).map_err(|error| error.to_string())?;
    let (model, is_exact) = (profile.model, profile.count_is_exact);
    Ok(Planned { catalogue, plan, budget, model, is_exact, n_upstreams, down })
}

fn policy(profile: &Profile) -> NamePolicy {
    match profile.names {
        tollgate_config::NamePolicy::Always => NamePolicy::Always,
        tollgate_config::NamePolicy::OnCollision => NamePolicy::OnCollision,
    }
}

/// Starts the profile's upstreams, takes their lists, and stops them again.
fn live_tools(config: &Config, profile: &Profile) -> Result<Tools, Failure> {
    runtime()?.block_on(async {
        let (app, gate) = App::of_profile(config, &profile.name)?;
        app.start();
        let view = crate::signal::interruptible(gate.settled_view()).await;
        let view = view.map_or_else(|| Err("was interrupted".into()), |it| it.map_err(|fault| fault.message()));
        let down = down(&gate);
        app.stop().await;
        let view = view?;
        let pinned = view.catalogue.tools().iter().zip(&view.routes).filter(|(_, route)| route.tool.pinned);
        let pinned = pinned.map(|(def, _)| def.exposed.clone()).collect();
        Ok(Tools { defs: view.catalogue.tools().to_vec(), pinned, n_upstreams: gate.upstreams.len(), down })
    })
}

/// The upstreams that are not up, and why.
fn down(gate: &Gate) -> Vec<(String, String)> {
    let reason = |state| match state {
        State::Down { reason, .. } => Some(reason),
        _ => None,
    };
    gate.upstreams.iter().filter_map(|it| Some((it.id().to_owned(), reason(it.state())?))).collect()
}

fn file_tools(paths: &[PathBuf], policy: NamePolicy) -> Result<Tools, Failure> {
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for path in paths {
        match file_list(path) {
            Ok(tools) => found.extend(tools),
            Err(error) => wrong.push(format!("`{}` {error}", path.display())),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure(wrong));
    }
    let keys: Vec<_> = found.iter().map(|(server, name, _)| (server.as_str(), name.as_str())).collect();
    let exposed = exposed_names(&keys, policy);
    let defs = found.into_iter().zip(exposed).map(|((server, name, definition), exposed)| ToolDef {
        server,
        name,
        exposed,
        definition,
    });
    Ok(Tools { defs: defs.collect(), ..Tools::default() })
}

type FileTool = (String, String, Arc<RawValue>);

fn file_list(path: &Path) -> Result<Vec<FileTool>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read ({error})"))?;
    let value: Box<RawValue> = serde_json::from_str(&text).map_err(|error| format!("is no JSON ({error})"))?;
    let stem = path.file_stem().map_or_else(|| "tools".into(), |it| it.to_string_lossy().into_owned());
    let (server, tools) = match RawObject::parse(&value) {
        Some(object) => {
            let tools = object.get("tools").map(ToOwned::to_owned);
            (object.get_str("server").unwrap_or(stem), tools.ok_or("has no `tools`; give a `tools/list` result")?)
        }
        None => (stem, value),
    };
    let tools: Vec<Box<RawValue>> =
        serde_json::from_str(tools.get()).map_err(|_| "has `tools` that is no array; give a `tools/list` result")?;
    tools
        .into_iter()
        .enumerate()
        .map(|(at, tool)| {
            let name = RawObject::parse(&tool).and_then(|it| it.get_str("name"));
            let name = name.ok_or_else(|| format!("has a tool without a name (number {})", at + 1))?;
            Ok((server.clone(), name, tool.into()))
        })
        .collect()
}
