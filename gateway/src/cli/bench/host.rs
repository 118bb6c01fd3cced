//! Who runs the tools: a mock made from their definitions, the configured upstreams, or what a record says they answered.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use tokio_util::sync::CancellationToken;

use super::journal;
use crate::{
    app::App,
    cli::{ConfigSource, Failure},
    mcp::{gate::Gate, view::View},
    proxy::run_tool,
    serve::DEFAULT_PROFILE,
    upstream::State,
};
use tollgate_benchmarks::{
    episode::Ran,
    host::{Faults, Mock, canonical},
    random::digest,
    task::Task,
    trace::{MOST_KEPT, Status},
};

/// How long upstreams may take until all of them are up, and how often that is looked at.
const LONGEST_START: Duration = Duration::from_secs(60);
const START_POLL: Duration = Duration::from_millis(200);

/// A tool host.
pub trait Host: Send + Sync {
    /// Calls a tool.
    ///
    /// # Errors
    /// That the host itself is gone, which says nothing about the model.
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>>;

    /// The lists of its tools, where it has tools of its own.
    fn lists(&self) -> Option<String> {
        None
    }

    /// Makes ready for an attempt.
    ///
    /// # Errors
    /// That it cannot.
    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    /// Whether what a task expects at the end is so, check by check.
    ///
    /// # Errors
    /// That nothing here holds a state, or that it cannot be asked.
    fn check<'a>(&'a self, checks: &'a [Value]) -> BoxFuture<'a, Result<Vec<bool>, String>> {
        async move {
            match checks.is_empty() {
                true => Ok(Vec::new()),
                false => Err("this task is judged by what servers hold; run it with `--host upstreams`".to_owned()),
            }
        }
        .boxed()
    }

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
    /// Run this in a shell before each attempt, to put back what the upstreams work on; attempts then come one by one
    #[arg(long, value_name = "COMMAND")]
    reset: Option<String>,
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

    /// Whether attempts must come one by one.
    pub fn is_one_by_one(&self) -> bool {
        self.reset.is_some()
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
            "upstreams" => {
                let opened = Upstreams::open(source, &self.profile, self.reset.clone());
                Ok(Box::new(runtime.block_on(opened)?))
            }
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
    reset: Option<String>,
}

/// A check of the final state: what a call of a server's own tool must say, and what not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    server: String,
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    /// Whether the call itself must fail, as reading a file that is gone does.
    #[serde(default)]
    fails: bool,
}

impl Upstreams {
    async fn open(source: &ConfigSource, profile: &str, reset: Option<String>) -> Result<Self, Failure> {
        // Upstreams may work in folders that the command makes.
        run_reset(reset.as_deref()).await?;
        let config = source.load()?.config;
        let (app, gate) = App::of_profile(&config, profile)?;
        app.start();
        if let Err(told) = all_up(&gate).await {
            app.stop().await;
            return Err(told.into());
        }
        let view = gate.settled_view().await.map_err(|fault| fault.message())?;
        Ok(Self { app, _gate: gate, view, reset })
    }

    fn find(&self, server: &str, name: &str) -> Result<usize, String> {
        let mut tools = self.view.catalogue.tools().iter();
        let found = tools.position(|it| it.server == server && it.name == name);
        found.ok_or_else(|| format!("the profile has no tool `{name}` of an upstream `{server}`; configure it"))
    }

    async fn holds(&self, check: &Value) -> Result<bool, String> {
        let check = Check::deserialize(check).map_err(|error| format!("`{check}` is no check ({error})"))?;
        let idx = self.find(&check.server, &check.tool)?;
        let arguments = Value::Object(check.arguments).to_string();
        let answer = run_tool(&self.view, idx, &arguments, CancellationToken::new()).await;
        let has = |text: &String| answer.text.contains(text.as_str());
        Ok(answer.is_error == check.fails && check.contains.iter().all(has) && !check.lacks.iter().any(has))
    }
}

impl Host for Upstreams {
    fn call<'a>(&'a self, task: &'a Task, tool: usize, arguments: &'a Value) -> BoxFuture<'a, Result<Ran, String>> {
        async move {
            let def = task.tools.defs.get(tool).ok_or("there is no such tool in the task")?;
            let idx = self.find(&def.server, &def.name)?;
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

    fn lists(&self) -> Option<String> {
        let mut lists: Vec<(&str, Vec<&RawValue>)> = Vec::new();
        for def in self.view.catalogue.tools() {
            match lists.last_mut() {
                Some((server, tools)) if *server == def.server => tools.push(&def.definition),
                _ => lists.push((&def.server, vec![&def.definition])),
            }
        }
        let list = |(server, tools): (&str, Vec<&RawValue>)| serde_json::to_string(&Listed { server, tools }).ok();
        let lists: Option<Vec<String>> = lists.into_iter().map(list).collect();
        lists.map(|it| format!("[{}]", it.join(",")))
    }

    fn begin(&self) -> BoxFuture<'_, Result<(), String>> {
        run_reset(self.reset.as_deref()).boxed()
    }

    fn check<'a>(&'a self, checks: &'a [Value]) -> BoxFuture<'a, Result<Vec<bool>, String>> {
        async move {
            let mut found = Vec::with_capacity(checks.len());
            for check in checks {
                found.push(self.holds(check).await?);
            }
            Ok(found)
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.app.stop().boxed()
    }
}

/// Waits until every upstream is up: tasks whose tools are missing would be none.
async fn all_up(gate: &Gate) -> Result<(), String> {
    let started = Instant::now();
    loop {
        gate.settled_view().await.map_err(|fault| fault.message())?;
        let mut states = gate.upstreams.iter().map(|it| (it.id(), it.state()));
        let Some((id, state)) = states.find(|(_, state)| !matches!(state, State::Ready(_) | State::Idle)) else {
            return Ok(());
        };
        if started.elapsed() > LONGEST_START {
            let reason = if let State::Down { reason, .. } = state { reason } else { "it is still starting".into() };
            return Err(format!("the upstream `{id}` is not up: {reason}"));
        }
        tokio::time::sleep(START_POLL).await;
    }
}

/// A server's tools, as suites read them.
#[derive(Serialize)]
struct Listed<'a> {
    server: &'a str,
    tools: Vec<&'a RawValue>,
}

async fn run_reset(command: Option<&str>) -> Result<(), String> {
    let Some(command) = command else { return Ok(()) };
    let run = tokio::process::Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).output().await;
    let done = run.map_err(|error| format!("`{command}` did not start ({error})"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("`{command}` failed: {}", String::from_utf8_lossy(&done.stderr).trim())),
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
