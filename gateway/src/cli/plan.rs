//! `tollgate plan`: what a profile would list, from files or from live upstreams.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::{json, value::RawValue};

use super::{
    ConfigSource, Failure, print, runtime, start,
    table::{Table, thousands},
};
use crate::{app::App, mcp::object::RawObject, serve::DEFAULT_PROFILE};
use tollgate_planners::tools::{Catalogue, ListPlan, ListRequest, NamePolicy, ToolDef, exposed_names};
use tollgate_tokenizers::Tokenizer;

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
    /// Prefer tools that fit this text
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
}

pub fn run(args: &PlanArgs) -> Result<(), Failure> {
    let config = start::load(&args.source)?.config;
    let Some(profile) = config.profiles.get(&args.profile) else {
        let known: Vec<_> = config.profiles.keys().map(String::as_str).collect();
        return Err(format!("unknown profile `{}`; there is {}", args.profile, known.join(", ")).into());
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
    let tokenizer = Tokenizer::by_name(&profile.tokenizer).map_err(|error| error.to_string())?;
    let (defs, pinned) =
        if args.tools.is_empty() { live_tools(&config, &profile)? } else { file_tools(&args.tools, policy(&profile))? };
    let globs = tollgate_config::glob_set(&profile.pins).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::build(defs, tokenizer);
    let pins = |def: &ToolDef| {
        globs.is_match(&def.exposed)
            || globs.is_match(format!("{}/{}", def.server, def.name))
            || pinned.contains(&def.exposed)
    };
    let request = ListRequest { budget: profile.tools_budget_tokens, pins: &pins, query: args.query.as_deref() };
    let plan = catalogue.plan(&request).map_err(|error| error.to_string())?;
    let planned = Planned {
        catalogue,
        plan,
        budget: profile.tools_budget_tokens,
        model: profile.model,
        is_exact: profile.count_is_exact,
    };
    print(&if args.json { as_json(&planned) } else { as_text(&planned) })
}

fn policy(profile: &tollgate_config::Profile) -> NamePolicy {
    match profile.names {
        tollgate_config::NamePolicy::Always => NamePolicy::Always,
        tollgate_config::NamePolicy::OnCollision => NamePolicy::OnCollision,
    }
}

type Tools = (Vec<ToolDef>, Vec<String>);

/// Starts the profile's upstreams, takes their lists, and stops them again.
fn live_tools(config: &tollgate_config::Config, profile: &tollgate_config::Profile) -> Result<Tools, Failure> {
    runtime()?.block_on(async {
        let (app, gate) = App::of_profile(config, &profile.name)?;
        app.start();
        let view = crate::signal::interruptible(gate.settled_view()).await;
        let view = view.map_or_else(|| Err("was interrupted".into()), |it| it.map_err(|fault| fault.message()));
        app.stop().await;
        let view = view?;
        let pinned = view.catalogue.tools().iter().zip(&view.routes).filter(|(_, route)| route.tool.pinned);
        let pinned = pinned.map(|(def, _)| def.exposed.clone()).collect();
        Ok((view.catalogue.tools().to_vec(), pinned))
    })
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
    Ok((defs.collect(), Vec::new()))
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

fn as_json(planned: &Planned) -> String {
    let Planned { catalogue, plan, budget, .. } = planned;
    let tools: Vec<_> = plan
        .entries
        .iter()
        .filter_map(|entry| Some((entry, catalogue.tools().get(entry.idx)?)))
        .map(|(entry, def)| {
            let view = entry.view.map_or("omit", |it| it.name());
            json!({"server": def.server, "name": def.exposed, "view": view, "tokens": entry.tokens})
        })
        .collect();
    let out = json!({
        "budget": budget,
        "total_tokens": plan.total_tokens,
        "full_tokens": plan.full_tokens,
        "gap": plan.gap,
        "tools": tools,
    });
    format!("{out}\n")
}

fn as_text(planned: &Planned) -> String {
    let Planned { catalogue, plan, budget, model, is_exact } = planned;
    let mut table = Table::new(&["tool", "server", "view", ">tokens"]);
    let mut omitted = 0;
    for entry in &plan.entries {
        let (Some(view), Some(def)) = (entry.view, catalogue.tools().get(entry.idx)) else {
            omitted += 1;
            continue;
        };
        table.row(&[def.exposed.clone(), def.server.clone(), view.name().into(), entry.tokens.to_string()]);
    }
    let mut text = table.to_string();
    let mut line = |it: String| text.push_str(&format!("{it}\n"));
    line(String::new());
    if plan.meta_tools_tokens > 0 {
        let tokens = thousands(plan.meta_tools_tokens);
        line(format!(
            "{tokens} tokens for search_tools, describe_tool and call_tool, the index of short views included"
        ));
    }
    if omitted > 0 {
        line(format!(
            "{omitted} tools are left out: their tokens buy less than those of the tools above; search_tools finds them"
        ));
    }
    let of_budget =
        budget.map_or_else(|| " (no budget)".into(), |it| format!(" of {} budgeted", thousands(u64::from(it))));
    let total = plan.total_tokens;
    let share = if plan.full_tokens > 0 { 100.0 * total as f64 / plan.full_tokens as f64 } else { 100.0 };
    line(format!("{}{of_budget}, {share:.1} % of {} in full", thousands(total), thousands(plan.full_tokens)));
    let estimate =
        if *is_exact { "exact" } else { "an estimate: this model's own tokenizer is not public or not read yet" };
    line(format!("counted for {model} ({}), {estimate}", catalogue.tokenizer().name()));
    if budget.is_some() {
        line(format!("at most {:.2} % from the best plan that is possible", 100.0 * plan.gap));
    }
    text
}
