//! Who runs the tools: a mock made from their definitions, the configured upstreams, or what a record says they answered.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::journal;
use crate::{
    app::App,
    cli::{ConfigSource, Failure},
    mcp::{gate::Gate, view::View},
    proxy::run_tool,
    serve::DEFAULT_PROFILE,
};
use tollgate_benchmarks::{
    episode::Ran,
    host::{Faults, Mock, canonical},
    random::digest,
    task::Task,
    trace::{MOST_KEPT, Status},
};

/// A tool host.
pub trait Host: Send + Sync {
    /// Calls a tool.
    ///
    /// # Errors
    /// That the host itself is gone, which says nothing about the model.
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>>;

    /// Lets go of what it holds.
    fn close(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

/// Who runs the tools.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// Who runs the tools: `mock`, `upstreams` (those of a profile), or a record whose answers are given again
    #[arg(long, value_name = "mock|upstreams|RUN", default_value = "mock")]
    host: String,
    /// The profile whose upstreams run the tools
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROFILE)]
    profile: String,
    /// Ask the mock for what the record lacks, instead of failing
    #[arg(long)]
    mock_misses: bool,
    /// The share of the mock's calls that fail, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    fault_rate: f64,
    /// The longest that an answer of the mock's takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
}

impl HostArgs {
    /// Whether its calls take no time.
    pub fn is_instant(&self) -> bool {
        self.host != "upstreams" && self.latency == 0
    }

    /// As the record names it.
    pub fn name(&self) -> String {
        match self.host.as_str() {
            "mock" if self.fault_rate > 0.0 => format!("mock, {} of calls failing", self.fault_rate),
            "upstreams" => format!("upstreams of {}", self.profile),
            name => name.to_owned(),
        }
    }

    /// Makes it ready.
    ///
    /// # Errors
    /// What of the configuration or of the record cannot be used.
    pub fn open(
        &self,
        source: &ConfigSource,
        runtime: &tokio::runtime::Runtime,
        seed: u64,
    ) -> Result<Box<dyn Host>, Failure> {
        let mock = || Mock::new(Faults { rate: self.fault_rate, latency_ms: self.latency, seed });
        match self.host.as_str() {
            "mock" => Ok(Box::new(mock())),
            "upstreams" => Ok(Box::new(runtime.block_on(Upstreams::open(source, &self.profile))?)),
            path => Ok(Box::new(Replay::open(Path::new(path), self.mock_misses.then(mock))?)),
        }
    }
}

impl Host for Mock {
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>> {
        let (ran, latency_ms) = Mock::call(self, task, tool, arguments);
        async move {
            if latency_ms > 0 {
                tokio::time::sleep(Duration::from_millis(latency_ms)).await;
            }
            Ok(ran)
        }
        .boxed()
    }
}

/// The upstreams of a profile, through the gateway's own code.
struct Upstreams {
    app: App,
    /// Keeps the upstreams' lists.
    _gate: Arc<Gate>,
    view: Arc<View>,
}

impl Upstreams {
    async fn open(source: &ConfigSource, profile: &str) -> Result<Self, Failure> {
        let config = source.load()?.config;
        let (app, gate) = App::of_profile(&config, profile)?;
        app.start();
        let view = gate.settled_view().await.map_err(|fault| fault.message())?;
        Ok(Self { app, _gate: gate, view })
    }
}

impl Host for Upstreams {
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>> {
        async move {
            let def = task.tools.defs.get(tool).ok_or("there is no such tool in the task")?;
            let is_it = |at: &tollgate_planners::tools::ToolDef| at.server == def.server && at.name == def.name;
            let found = self.view.catalogue.tools().iter().position(is_it);
            let idx = found.ok_or_else(|| {
                format!("the profile has no tool `{}` of an upstream `{}`; configure it", def.name, def.server)
            })?;
            if let Err(wrong) = self.view.routes[idx].validate(arguments) {
                let schema = task.tools.schema(tool).unwrap_or_default();
                let text = format!(
                    "The arguments of `{}` are not valid; nothing was run.\n{wrong}\nIts input schema: {schema}",
                    def.exposed
                );
                return Ok(Ran { text, status: Status::Invalid });
            }
            let answer = run_tool(&self.view, idx, &arguments.to_string(), CancellationToken::new()).await;
            let status = if answer.is_error { Status::Failed } else { Status::Ran };
            Ok(Ran { text: answer.text, status })
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.app.stop().boxed()
    }
}

/// What the calls of a record came to.
struct Replay {
    path: PathBuf,
    /// By digest of tool and canonical arguments.
    known: HashMap<String, Ran>,
    misses: Option<Mock>,
}

impl Replay {
    fn open(path: &Path, misses: Option<Mock>) -> Result<Self, String> {
        let mut known = HashMap::new();
        journal::read(path, |line| {
            for (_, made) in line.trace.calls() {
                if let (Some(tool), Some(given)) = (&made.tool, &made.given) {
                    known
                        .entry(key(tool, given))
                        .or_insert_with(|| Ran { text: made.answer.clone(), status: made.status });
                }
            }
        })?;
        Ok(Self { path: path.to_owned(), known, misses })
    }
}

fn key(tool: &str, arguments: &Value) -> String {
    digest([tool.as_bytes(), canonical(arguments).as_bytes()])
}

impl Host for Replay {
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>> {
        async move {
            let exposed = task.tools.defs.get(tool).map_or("", |it| it.exposed.as_str());
            match (self.known.get(&key(exposed, arguments)), &self.misses) {
                (Some(ran), _) if ran.text.len() < MOST_KEPT => Ok(ran.clone()),
                (_, Some(mock)) => Ok(Mock::call(mock, task, tool, arguments).0),
                (Some(_), None) => {
                    Err(format!("`{}` keeps only the beginning of what `{exposed}` answered", self.path.display()))
                }
                (None, None) => Err(format!(
                    "`{}` has no call of `{exposed}` with {arguments}; record it, or add --mock-misses",
                    self.path.display()
                )),
            }
        }
        .boxed()
    }
}
