//! One live connection to an upstream: opened, introduced in the right era, asked, closed.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{
    Deps,
    child::{ChildLink, Spawn},
    event::{ListKind, UpstreamEvent},
    http::HttpLink,
    lines::LineLink,
    mux::{About, Link, LinkError, Mux, fit_params},
};
use crate::{
    batch, context,
    mcp::{
        caller::Caller,
        era::{self, Era},
        jsonrpc::{Fault, INTERNAL_ERROR, Message, Outcome, Raw, raw},
        object::RawObject,
    },
};
use tollgate_config::{Transport, Upstream as UpstreamConfig};

/// How long a stdio server may leave `server/discover` unanswered before `initialize` is tried as well. Servers that
/// know only `initialize` usually answer at once with an error; some say nothing.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);
/// A cancelled request's notice is sent in the background and given up after this.
const CANCEL_NOTICE: Duration = Duration::from_secs(2);

/// What an upstream said of itself.
#[derive(Clone, Debug)]
pub struct Introduction {
    pub era: Era,
    pub version: String,
    pub capabilities: RawObject,
    pub instructions: Option<String>,
    /// A modern server that serves legacy clients too.
    pub is_dual: bool,
}

impl Introduction {
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.get(capability).is_some_and(|it| it.get() != "null")
    }

    /// Whether changes of a list are announced.
    fn announces(&self, kind: ListKind) -> bool {
        let capability = self.capabilities.get_object(kind.capability());
        capability.is_some_and(|it| it.get("listChanged").is_some_and(|it| it.get() == "true"))
    }
}

pub struct Connection {
    mux: Arc<Mux>,
    link: Arc<dyn Link>,
    pub introduction: Introduction,
}

/// The outcome of a call, and whether the upstream can have acted on it.
#[derive(Debug)]
pub struct CallError {
    pub fault: Fault,
    pub not_run: bool,
}

impl Connection {
    /// Opens the transport and introduces the gateway. `children` counts a child process until it is gone.
    ///
    /// # Errors
    /// Why the upstream cannot be used, with the remedy where there is one.
    pub async fn open(
        config: &UpstreamConfig,
        deps: &Deps,
        mux: Arc<Mux>,
        children: &TaskTracker,
        probe: bool,
    ) -> Result<Self, String> {
        let limit = config.max_message_bytes;
        match &config.transport {
            Transport::Http { url, headers } => {
                let headers = header_map(headers)?;
                let link = Arc::new(HttpLink::new(deps.client.clone(), parse_url(url)?, headers, &mux, limit));
                Self::introduce_http(mux, link, config.startup_timeout).await
            }
            Transport::Stdio { command, args, env, cwd } => {
                let spawn = Spawn { command, args, env, cwd: cwd.as_deref() };
                let link: Arc<dyn Link> = Arc::new(ChildLink::start(spawn, &mux, limit, children)?);
                Self::introduce_lines(mux, link, probe).await
            }
            Transport::Context { .. } | Transport::Batch { .. } => {
                let (reader, writer) = match &config.transport {
                    Transport::Batch { models } => batch::serve(models, &deps.proxy)?,
                    Transport::Context { root, max_file_bytes } => {
                        context::serve(root, *max_file_bytes, &deps.models, &deps.store)?
                    }
                    _ => return Err("it is no built-in upstream".to_owned()),
                };
                let link: Arc<dyn Link> = Arc::new(LineLink::start_pipe(reader, writer, &mux, limit));
                Self::introduce_lines(mux, link, probe).await
            }
        }
    }

    /// stdio: `server/discover` first, `initialize` where that fails or stays unanswered (2026-07-28, stdio).
    async fn introduce_lines(mux: Arc<Mux>, link: Arc<dyn Link>, probe: bool) -> Result<Self, String> {
        mux.attach(&link);
        let introduction = if probe {
            let discover = discover(&mux, &link);
            tokio::pin!(discover);
            match tokio::time::timeout(PROBE_PATIENCE, &mut discover).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => initialize(&mux, &link).await?,
                // Slow is not legacy: whichever introduction succeeds first counts.
                Err(_) => tokio::select! {
                    Ok(found) = &mut discover => found,
                    found = initialize(&mux, &link) => found?,
                },
            }
        } else {
            initialize(&mux, &link).await?
        };
        Ok(Self { mux, link, introduction })
    }

    /// HTTP: a modern request first; what is no modern answer means the legacy era (2026-07-28, streamable HTTP).
    async fn introduce_http(mux: Arc<Mux>, http: Arc<HttpLink>, patience: Duration) -> Result<Self, String> {
        let link: Arc<dyn Link> = http.clone();
        mux.attach(&link);
        let discovered = tokio::time::timeout(patience / 2, discover(&mux, &link)).await;
        let introduction = match discovered {
            Ok(Ok(found)) => {
                http.set_era(Era::Modern, &found.version);
                found
            }
            Ok(Err(NoDiscover::Unreachable(reason))) => return Err(reason),
            Ok(Err(NoDiscover::Legacy)) | Err(_) => introduce_legacy(&mux, &http, &link).await?,
        };
        Ok(Self { mux, link, introduction })
    }

    /// A second connection to a dual-era server, for clients that speak only the legacy era.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open_legacy(
        config: &UpstreamConfig,
        deps: &Deps,
        events: mpsc::Sender<UpstreamEvent>,
    ) -> Result<Self, String> {
        let Transport::Http { url, headers } = &config.transport else {
            return Err("has one pipe, which speaks one era".into());
        };
        let mux = Mux::new(config.id.as_str().into(), events);
        let headers = header_map(headers)?;
        let http =
            Arc::new(HttpLink::new(deps.client.clone(), parse_url(url)?, headers, &mux, config.max_message_bytes));
        let link: Arc<dyn Link> = http.clone();
        mux.attach(&link);
        let introduction = introduce_legacy(&mux, &http, &link).await?;
        Ok(Self { mux, link, introduction })
    }

    pub fn ended(&self) -> &tokio_util::sync::CancellationToken {
        self.mux.ended()
    }

    pub fn end_reason(&self) -> String {
        self.mux.end_reason()
    }

    /// Sends a request and waits for its answer, at most `timeout`.
    ///
    /// # Errors
    /// The upstream's own error, or why there is no answer.
    pub async fn request(
        &self,
        method: &str,
        params: RawObject,
        caller: Option<&Caller>,
        about: About,
        timeout: Duration,
    ) -> Result<Outcome, CallError> {
        let Introduction { era, version, .. } = &self.introduction;
        let token = params.get_object("_meta").and_then(|it| it.get("progressToken").map(ToOwned::to_owned));
        let (open, answer) = self.mux.open(caller.cloned(), token);
        let params = fit_params(params, *era, version, caller, open.id);
        let message = Message::request(crate::mcp::jsonrpc::Id::number(open.id), method, params);
        let exchange = exchange(&self.link, message, about, answer);
        let cancelled = async {
            match caller {
                Some(caller) => caller.cancel.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = exchange => outcome.map_err(|why| self.lost(why)),
            () = tokio::time::sleep(timeout) => {
                self.announce_cancel(open.id, "timed out");
                Err(CallError { fault: self.timed_out(method, timeout), not_run: false })
            }
            () = cancelled => {
                self.announce_cancel(open.id, "the client cancelled the request");
                Err(CallError { fault: Fault::new(INTERNAL_ERROR, "cancelled"), not_run: false })
            }
        }
    }

    fn lost(&self, why: Lost) -> CallError {
        let upstream = self.mux.upstream();
        let (told, not_run) = match why {
            Lost::Unsent(error) => (format!("upstream `{upstream}` {}", error.reason), error.not_run),
            Lost::Ended => (
                format!(
                    "upstream `{upstream}` ended while the request was running, which may or may not have taken effect: it {}",
                    self.mux.end_reason()
                ),
                false,
            ),
        };
        CallError { fault: Fault::new(INTERNAL_ERROR, told), not_run }
    }

    fn timed_out(&self, method: &str, timeout: Duration) -> Fault {
        let told = format!(
            "upstream `{}` did not answer `{method}` within {} s; raise `call_timeout_s` of this upstream if it needs longer{}",
            self.mux.upstream(),
            timeout.as_secs_f64(),
            self.mux.last_output(),
        );
        Fault::new(INTERNAL_ERROR, told)
    }

    /// Tells the upstream to stop, where its transport does not say it by itself.
    fn announce_cancel(&self, id: u64, reason: &str) {
        if !self.link.announces_cancel() {
            return;
        }
        let params = raw(&json!({"requestId": id, "reason": reason}));
        let link = Arc::clone(&self.link);
        tokio::spawn(async move {
            let notice = link.send(Message::notification("notifications/cancelled", Some(params)), About::default());
            // The upstream may be gone, which also ends the request.
            let _ = tokio::time::timeout(CANCEL_NOTICE, notice).await;
        });
    }

    /// A modern upstream tells of changes only on a stream that stays open (2026-07-28, subscriptions). Runs until the
    /// stream ends.
    pub async fn listen(&self, resource_uris: &[String]) {
        let mut filter = serde_json::Map::new();
        for kind in ListKind::ALL.into_iter().filter(|it| self.introduction.announces(*it)) {
            filter.insert(kind.filter_key().into(), json!(true));
        }
        if !resource_uris.is_empty() {
            filter.insert("resourceSubscriptions".into(), json!(resource_uris));
        }
        if filter.is_empty() {
            return;
        }
        let mut params = RawObject::default();
        params.set("notifications", raw(&filter));
        let forever = Duration::from_secs(u64::from(u32::MAX));
        if let Err(error) = self.request("subscriptions/listen", params, None, About::default(), forever).await {
            tracing::debug!(upstream = %self.mux.upstream(), reason = error.fault.message(), "no standing subscription");
        }
    }

    pub async fn close(&self) {
        self.link.close().await;
    }
}

async fn introduce_legacy(mux: &Arc<Mux>, http: &HttpLink, link: &Arc<dyn Link>) -> Result<Introduction, String> {
    http.set_era(Era::Legacy, era::LATEST_LEGACY);
    let found = initialize(mux, link).await?;
    http.set_era(Era::Legacy, &found.version);
    http.listen();
    Ok(found)
}

/// Why an exchange came to nothing.
enum Lost {
    Unsent(LinkError),
    /// The connection ended first, and knows why.
    Ended,
}

/// Delivers a request and waits for its answer, whichever of sending and answering ends first.
async fn exchange(
    link: &Arc<dyn Link>,
    message: Message,
    about: About,
    answer: tokio::sync::oneshot::Receiver<Outcome>,
) -> Result<Outcome, Lost> {
    let send = link.send(message, about);
    tokio::pin!(send, answer);
    tokio::select! {
        biased;
        outcome = &mut answer => return outcome.map_err(|_| Lost::Ended),
        sent = &mut send => sent.map_err(Lost::Unsent)?,
    }
    answer.await.map_err(|_| Lost::Ended)
}

/// One exchange before the introduction is done.
async fn ask(mux: &Arc<Mux>, link: &Arc<dyn Link>, method: &str, params: Raw) -> Result<Outcome, String> {
    let (open, answer) = mux.open(None, None);
    let message = Message::request(crate::mcp::jsonrpc::Id::number(open.id), method, Some(params));
    exchange(link, message, About::default(), answer).await.map_err(|why| match why {
        Lost::Unsent(error) => error.reason,
        Lost::Ended => mux.end_reason(),
    })
}

enum NoDiscover {
    /// Not a modern server; `initialize` is to be tried.
    Legacy,
    /// Nothing is there.
    Unreachable(String),
}

async fn discover(mux: &Arc<Mux>, link: &Arc<dyn Link>) -> Result<Introduction, NoDiscover> {
    let mut version = era::LATEST_MODERN.to_owned();
    // Twice at most: once with our newest revision, once with one that the server names.
    for _ in 0..2 {
        let mut meta = RawObject::default();
        meta.set_str(era::META_VERSION, &version);
        meta.set(era::META_CLIENT_INFO, era::implementation());
        meta.set(era::META_CLIENT_CAPABILITIES, raw(&json!({})));
        let params = raw(&json!({"_meta": meta}));
        match ask(mux, link, "server/discover", params).await {
            Ok(Ok(result)) => return read_discover(&result, version).ok_or(NoDiscover::Legacy),
            Ok(Err(fault)) => version = common_version(&fault).ok_or(NoDiscover::Legacy)?,
            Err(reason) if reason.starts_with("cannot be reached") => return Err(NoDiscover::Unreachable(reason)),
            Err(_) => return Err(NoDiscover::Legacy),
        }
    }
    Err(NoDiscover::Legacy)
}

/// A modern revision out of `data.supported` that is spoken here.
fn common_version(fault: &Fault) -> Option<String> {
    let error = serde_json::from_str::<serde_json::Value>(fault.as_json()).ok()?;
    let supported = error.get("data")?.get("supported")?.as_array()?;
    let spoken = era::MODERN_VERSIONS.iter().find(|it| supported.iter().any(|other| other.as_str() == Some(it)))?;
    Some((*spoken).to_owned())
}

fn read_discover(result: &Raw, version: String) -> Option<Introduction> {
    let result = RawObject::parse(result)?;
    let supported: Vec<String> = serde_json::from_str(result.get("supportedVersions")?.get()).ok()?;
    let version = if supported.contains(&version) {
        version
    } else {
        era::MODERN_VERSIONS.iter().find(|it| supported.iter().any(|other| other == *it)).map(|it| (*it).to_owned())?
    };
    Some(Introduction {
        era: Era::Modern,
        version,
        capabilities: result.get_object("capabilities").unwrap_or_default(),
        instructions: result.get_str("instructions"),
        is_dual: supported.iter().any(|it| it == era::LATEST_LEGACY),
    })
}

async fn initialize(mux: &Arc<Mux>, link: &Arc<dyn Link>) -> Result<Introduction, String> {
    let client = era::implementation();
    // What clients of the gateway may be asked; a question to one that cannot answer is refused when it comes.
    let params = raw(&json!({
        "protocolVersion": era::LATEST_LEGACY,
        "capabilities": {"sampling": {}, "elicitation": {"form": {}, "url": {}}},
        "clientInfo": client,
    }));
    let result = match ask(mux, link, "initialize", params).await? {
        Ok(result) => result,
        Err(fault) => return Err(format!("refused `initialize`: {}", fault.message())),
    };
    let result = RawObject::parse(&result).ok_or("answered `initialize` with no object")?;
    let version = result.get_str("protocolVersion").ok_or("answered `initialize` without `protocolVersion`")?;
    if !era::LEGACY_VERSIONS.contains(&version.as_str()) {
        return Err(format!("speaks `{version}`, and the gateway speaks {}", era::LEGACY_VERSIONS.join(", ")));
    }
    let done = Message::notification("notifications/initialized", None);
    link.send(done, About::default()).await.map_err(|it| it.reason)?;
    Ok(Introduction {
        era: Era::Legacy,
        version,
        capabilities: result.get_object("capabilities").unwrap_or_default(),
        instructions: result.get_str("instructions"),
        is_dual: false,
    })
}

fn parse_url(url: &str) -> Result<reqwest::Url, String> {
    url.parse().map_err(|error| format!("has a bad `url` ({error})"))
}

fn header_map(headers: &indexmap::IndexMap<String, String>) -> Result<http::HeaderMap, String> {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        let name = http::HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header name"))?;
        let mut value =
            http::HeaderValue::try_from(value).map_err(|_| format!("the value of `{name}` is no header value"))?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}
