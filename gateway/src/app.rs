//! The running whole: upstreams, and a gate for every profile, made of one checked configuration.

use std::sync::Arc;

use futures_util::future::join_all;
use indexmap::IndexMap;

use crate::{
    mcp::gate::Gate,
    proxy::Proxy,
    tls,
    upstream::{Deps, LateProxy, State, Upstream, hub},
};
use tollgate_config::{Config, Start, Transport};

pub struct App {
    pub upstreams: IndexMap<String, Arc<Upstream>>,
    pub gates: IndexMap<String, Arc<Gate>>,
    proxy: LateProxy,
}

impl App {
    /// Builds everything; nothing is started yet.
    ///
    /// # Errors
    /// What of the configuration cannot be built.
    pub fn new(config: &Config) -> Result<Self, String> {
        Self::of_profiles(config, |_| true)
    }

    /// Builds one profile and the upstreams behind it.
    ///
    /// # Errors
    /// That there is no such profile, or what cannot be built.
    pub fn of_profile(config: &Config, name: &str) -> Result<(Self, Arc<Gate>), String> {
        let app = Self::of_profiles(config, |it| it == name)?;
        let known: Vec<_> = config.profiles.keys().map(String::as_str).collect();
        let gate = app.gates.get(name).cloned();
        let gate = gate.ok_or_else(|| format!("unknown profile `{name}`; there is {}", known.join(", ")))?;
        Ok((app, gate))
    }

    fn of_profiles(config: &Config, wanted: impl Fn(&str) -> bool) -> Result<Self, String> {
        let models = Arc::new(config.models.clone());
        let proxy = LateProxy::default();
        let deps = Deps {
            client: http_client()?,
            models,
            store: config.store.clone(),
            proxy: proxy.clone(),
            lists_wait: config.server.lists_wait,
        };
        let hub = hub();
        let mut upstreams = IndexMap::new();
        let profiles: Vec<_> = config.profiles.iter().filter(|(name, _)| wanted(name)).collect();
        let is_used = |id: &String| profiles.iter().any(|(_, profile)| profile.upstreams.contains(id));
        for (id, upstream) in config.upstreams.iter().filter(|(id, it)| it.enabled && is_used(id)) {
            let built =
                Upstream::new(upstream.clone(), deps.clone(), hub.clone()).map_err(|error| error.to_string())?;
            upstreams.insert(id.clone(), built);
        }
        let mut gates = IndexMap::new();
        for (name, profile) in profiles {
            let behind = profile.upstreams.iter().filter_map(|id| upstreams.get(id)).cloned().collect();
            gates.insert(name.clone(), Gate::new(profile.clone(), behind, hub.clone())?);
        }
        Ok(Self { upstreams, gates, proxy })
    }

    /// Gives the built-in upstreams that ask models whom to ask.
    pub fn ask_through(&self, proxy: &Arc<Proxy>) {
        // Called once; a second proxy of the same process would be as good.
        let _ = self.proxy.set(Arc::downgrade(proxy));
    }

    /// Whether an upstream asks models.
    pub fn asks_models(&self) -> bool {
        self.upstreams.values().any(|it| matches!(it.config.transport, Transport::Batch { .. }))
    }

    /// Starts all upstreams' supervisors.
    pub fn start(&self) {
        self.upstreams.values().for_each(Upstream::start);
    }

    /// Whether every eager upstream is up or has failed.
    pub fn is_settled(&self) -> bool {
        let eager = self.upstreams.values().filter(|it| it.config.start == Start::Eager);
        eager.map(|it| it.state()).all(|it| !matches!(it, State::Idle | State::Starting))
    }

    /// Waits until every eager upstream is up or has failed.
    pub async fn settled(&self) {
        let eager = self.upstreams.values().filter(|it| it.config.start == Start::Eager);
        join_all(eager.map(|it| it.settled())).await;
    }

    /// Ends all connections, each in its own time, together.
    pub async fn stop(&self) {
        join_all(self.upstreams.values().map(|it| it.stop())).await;
    }
}

fn http_client() -> Result<reqwest::Client, String> {
    tls::init();
    let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
    let client = reqwest::Client::builder().user_agent(agent).tcp_nodelay(true);
    client.build().map_err(|error| format!("no HTTP client: {error}"))
}
