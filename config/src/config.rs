//! The checked configuration: what the rest of Tollgate reads. A value of these types has been
//! validated, so nothing that holds one checks it again.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::check::rules;
use crate::models::{Models, TokenizerSource};
use crate::rest::{Provider, Route};

/// Everything a user may turn.
#[derive(Clone, Debug)]
pub struct Config {
    /// The HTTP front.
    pub server: Server,
    /// What is logged and how.
    pub log: Log,
    /// Where traces go.
    pub telemetry: Telemetry,
    /// Where API keys and the ledger are kept.
    pub store: Store,
    /// Named sets of upstreams, budget and model, each served at its own URL. `default` is always
    /// there.
    pub profiles: IndexMap<String, Profile>,
    /// The MCP servers behind the gateway, in config order, disabled ones included.
    pub upstreams: IndexMap<String, Upstream>,
    /// The LLM APIs behind the REST proxy.
    pub providers: IndexMap<String, Provider>,
    /// What happens to requests for a model name that a user gave a route.
    pub routes: IndexMap<String, Route>,
    /// The rules for every other model name.
    pub default_route: Route,
    /// The model catalogue.
    pub models: Models,
}

/// The HTTP front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Address and port to listen at.
    pub listen: SocketAddr,
    /// Accepted `Host` headers: a host name or address (any port), or `host:port`.
    pub allowed_hosts: Vec<String>,
    /// Accepted `Origin` headers: `scheme://host`, `scheme://host:port` or `scheme://host:*`.
    pub allowed_origins: Vec<String>,
    /// Whether requests must show an API key.
    pub require_keys: RequireKeys,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Most bytes of answers that are kept for the same request again.
    pub cache_max_bytes: usize,
    /// Most client sessions at a time.
    pub max_sessions: usize,
    /// How long a session may be silent before it is dropped.
    pub session_idle: Duration,
    /// How long a list waits for an upstream whose first start is under way.
    pub lists_wait: Duration,
    /// How long running calls may take to finish once shutdown began.
    pub shutdown_grace: Duration,
    /// Time between two comment lines on an open SSE stream.
    pub keep_alive: Duration,
}

/// Whether requests must show an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireKeys {
    /// As soon as there is one, and wherever other machines reach the gateway.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

impl Server {
    /// The hosts by which other machines may reach it.
    pub fn hosts_for_others(&self) -> impl Iterator<Item = &str> {
        self.allowed_hosts.iter().map(String::as_str).filter(|host| !rules::is_loopback_host(host))
    }
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A filter in `RUST_LOG` syntax.
    pub level: String,
    /// One line of text or one JSON object per event.
    pub format: LogFormat,
    /// Whether what is said over REST is logged too.
    pub contents: bool,
}

/// Where traces of requests over REST go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// The URL that takes spans, OTLP in protobuf over HTTP; `None` sends none.
    pub traces_url: Option<String>,
    /// What the spans say that sent them.
    pub service_name: String,
}

/// How a log event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object for machines.
    Json,
}

/// Where API keys and the ledger are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// What keeps the ledger.
    pub kind: StoreKind,
    /// The data folder; `None` where nobody names one and the machine knows no home.
    pub folder: Option<PathBuf>,
    /// Most time between a write and its being safe from a loss of power.
    pub sync_every: Duration,
    /// How long a day's numbers are kept.
    pub keep_days: u32,
}

/// What keeps the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite in one file, for any number of gateways at a time.
    Sqlite,
    /// sled, for one gateway at a time.
    Sled,
    /// Nothing outlives the process.
    Memory,
}

impl StoreKind {
    /// Every kind by its name.
    pub const ALL: &[(&str, Self)] = &[("sqlite", Self::Sqlite), ("sled", Self::Sled), ("memory", Self::Memory)];

    /// The name in configuration and errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// A named set of upstreams, budget and model, served at its own URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name in the URL.
    pub name: String,
    /// Ids of the enabled upstreams that the profile's patterns match, in config order.
    pub upstreams: Vec<String>,
    /// The model as the user named it.
    pub model: String,
    /// The tokenizer that counts for that model.
    pub tokenizer: TokenizerSource,
    /// Whether that tokenizer is the model's own; otherwise counts are estimates.
    pub count_is_exact: bool,
    /// The model's context window, where the catalogue knows it.
    pub window_tokens: Option<u32>,
    /// Most tokens that `tools/list` may cost; `None` when the budget is off.
    pub tools_budget_tokens: Option<u32>,
    /// Most tokens that one answer of the search tool may cost.
    pub search_budget_tokens: u32,
    /// Globs over `upstream/tool` or the exposed name: tools that are always listed.
    pub pins: Vec<String>,
    /// When an exposed tool name carries its upstream's id.
    pub names: NamePolicy,
}

/// When an exposed tool name carries its upstream's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamePolicy {
    /// On every tool.
    Always,
    /// Only on tools whose bare name two upstreams share.
    OnCollision,
}

/// An MCP server behind the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// `^[a-z0-9][a-z0-9_-]{0,31}$`.
    pub id: String,
    /// Whether it is used at all. A disabled upstream's `${VAR}` references stay as written.
    pub enabled: bool,
    /// How it is reached.
    pub transport: Transport,
    /// When it is started.
    pub start: Start,
    /// How long start and handshake may take.
    pub startup_timeout: Duration,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How long to wait before starting it again.
    pub restart: Backoff,
    /// Globs over its tool names; never empty, a tool must match one.
    pub allow: Vec<String>,
    /// Globs over its tool names; a tool must match none.
    pub deny: Vec<String>,
    /// Globs over its tool names: tools that are always listed.
    pub pins: Vec<String>,
    /// The upstream's tool name -> the name we expose.
    pub rename: IndexMap<String, String>,
    /// Whether arguments are checked against the upstream's schema before a call.
    pub validate_arguments: bool,
    /// Largest single message accepted from it, in bytes.
    pub max_message_bytes: usize,
}

/// How an upstream is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum Transport {
    /// A child process that speaks over its standard input and output.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// The child's complete environment: nothing else is inherited.
        env: IndexMap<String, String>,
        /// The folder it runs in; the gateway's own if `None`.
        cwd: Option<PathBuf>,
    },
    /// Streamable HTTP.
    Http {
        /// `http://` or `https://`.
        url: String,
        /// Headers sent with every request.
        headers: IndexMap<String, String>,
    },
    /// The built-in `context` upstream: files under one folder.
    Context {
        /// The folder that it never leaves; absolute.
        root: PathBuf,
        /// Larger files are not read.
        max_file_bytes: u64,
    },
    /// The built-in `batch` upstream: one question asked of many items, many to a prompt.
    Batch {
        /// Globs over the names of models that it may ask.
        models: Vec<String>,
    },
}

/// When an upstream is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the gateway.
    Eager,
    /// At its first use.
    Lazy,
}

/// An exponential wait between restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub initial: Duration,
    /// The longest wait; never shorter than `initial`.
    pub max: Duration,
}

/// Names only: values of the environment, of headers and of a URL's query may be secrets, and
/// `Debug` ends up in logs.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, args, env, cwd } => f
                .debug_struct("Stdio")
                .field("command", command)
                .field("args", &args.len())
                .field("env", &env.keys())
                .field("cwd", cwd)
                .finish(),
            Self::Http { url, headers } => {
                f.debug_struct("Http").field("url", &crate::redact::url(url)).field("headers", &headers.keys()).finish()
            }
            Self::Context { root, max_file_bytes } => {
                f.debug_struct("Context").field("root", root).field("max_file_bytes", max_file_bytes).finish()
            }
            Self::Batch { models } => f.debug_struct("Batch").field("models", models).finish(),
        }
    }
}
