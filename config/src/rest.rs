//! The checked half of the configuration that the REST proxy reads: LLM APIs, and how requests reach them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use crate::config::Backoff;
use crate::glob::glob_set;

/// A wire format of an LLM API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireFormat {
    /// OpenAI's chat completions.
    OpenaiChat,
    /// OpenAI's responses.
    OpenaiResponses,
    /// Anthropic's messages.
    Anthropic,
}

impl WireFormat {
    /// Whether tools can be left to a search of the provider's in this format.
    #[must_use]
    pub const fn defers_tools(self) -> bool {
        matches!(self, Self::OpenaiResponses | Self::Anthropic)
    }

    /// Every format by its name.
    pub const ALL: &[(&str, Self)] = &[
        ("openai-chat", Self::OpenaiChat),
        ("openai-responses", Self::OpenaiResponses),
        ("anthropic", Self::Anthropic),
    ];

    /// The name in configuration, headers and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// An LLM API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// `^[a-z0-9][a-z0-9_-]{0,31}$`.
    pub name: String,
    /// Where paths such as `/chat/completions` are appended; without a slash at its end.
    pub base_url: String,
    /// What it speaks, the preferred format first; never empty.
    pub protocols: Vec<WireFormat>,
    /// Globs over its models: those that search tools themselves.
    pub tool_search: Vec<String>,
    /// Where its key comes from; `None` where it needs none.
    pub key: Option<ProviderKey>,
    /// How the key is shown.
    pub auth: AuthStyle,
    /// Sent with every request.
    pub headers: IndexMap<String, Secret>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the first byte of an answer may take.
    pub first_byte_timeout: Duration,
    /// How long an answer may pause.
    pub idle_timeout: Duration,
    /// Most requests at a time; what is beyond goes to the next target, or is refused at once.
    pub max_in_flight: usize,
    /// How often one request may be sent to it, the first time included.
    pub attempts: u32,
    /// How long to wait between two attempts.
    pub retry: Backoff,
    /// So many failures in a row, and it is left alone for `breaker_pause`; 0 for never.
    pub breaker_failures: u32,
    /// How long it is left alone.
    pub breaker_pause: Duration,
}

impl Provider {
    /// Whether its model of that name searches tools itself.
    #[must_use]
    pub fn searches_tools(&self, model: &str) -> bool {
        !self.tool_search.is_empty() && glob_set(&self.tool_search).is_ok_and(|set| set.is_match(model))
    }
}

/// Where a provider's key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKey {
    /// The configuration itself.
    Given(Secret),
    /// A variable that is not set, or empty: the provider cannot be used until it is.
    Missing(String),
    /// A file, read again when it changes.
    File(PathBuf),
}

/// How a key is shown to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthStyle {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`.
    XApiKey,
    /// As the protocol in use has it: `x-api-key` for Anthropic's, a bearer otherwise.
    Protocol,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What happens to the requests for one model name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The name that requests carry as their model; empty for the rules of models without a route.
    pub name: String,
    /// Where requests go, in this order; empty only where `name` is.
    pub targets: Vec<Target>,
    /// What is done on the way.
    pub rules: RouteRules,
}

/// One model of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A key of `providers`.
    pub provider: String,
    /// The model's name there.
    pub model: String,
}

/// What is done to a request between the client and the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRules {
    /// Most tokens that the tools of a request may cost; `None` leaves them as they are.
    pub tools_budget_tokens: Option<u32>,
    /// How tools that were left out are reached.
    pub tool_search: ToolSearch,
    /// Most tokens that one answer of the gateway's search may cost.
    pub search_budget_tokens: u32,
    /// Most times that the gateway answers the model's own searches and calls in one request.
    pub max_rounds: u32,
    /// The MCP profile whose tools are added.
    pub profile: Option<String>,
    /// What happens to a request that is longer than the model's window.
    pub window: WindowPolicy,
    /// How long an answer is kept for the same request again; `None` keeps nothing.
    pub cache_ttl: Option<Duration>,
    /// Whether keys share the answers that are kept.
    pub cache_is_shared: bool,
}

/// How tools that were left out are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolSearch {
    /// They are not.
    Off,
    /// The gateway adds `search_tools` and `call_tool` and answers them itself.
    Gateway,
    /// The provider's own search, where every target of the route has one in the client's format; otherwise as `Gateway`.
    Provider,
}

/// What happens to a request that is longer than the model's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowPolicy {
    /// It is refused before it is sent.
    Refuse,
    /// It is sent all the same.
    Off,
}
