//! The methods of MCP: a file per family, a line per method in [`METHODS`].

mod completion;
mod lifecycle;
mod logging;
mod meta_tools;
mod missing;
mod prompts;
mod resources;
mod subscriptions;
mod tools;

use super::{
    caller::Caller,
    era::Era::{Legacy, Modern},
    gate::{Method, fit_result},
    jsonrpc::{Fault, INVALID_PARAMS, Outcome, Raw, raw},
    object::RawObject,
};
use crate::upstream::{About, Upstream};

pub use lifecycle::initialize_result;
pub use meta_tools::inner_arguments;
pub use subscriptions::{forward_to_session, release_subscriptions};
pub use tools::call_route;

pub const METHODS: &[Method] = &[
    Method {
        name: "ping",
        eras: &[Legacy],
        handler: |gate, caller, params| Box::pin(lifecycle::ping(gate, caller, params)),
    },
    Method {
        name: "server/discover",
        eras: &[Modern],
        handler: |gate, caller, params| Box::pin(lifecycle::discover(gate, caller, params)),
    },
    Method {
        name: "tools/list",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(tools::list(gate, caller, params)),
    },
    Method {
        name: "tools/call",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(tools::call(gate, caller, params)),
    },
    Method {
        name: "prompts/list",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(prompts::list(gate, caller, params)),
    },
    Method {
        name: "prompts/get",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(prompts::get(gate, caller, params)),
    },
    Method {
        name: "resources/list",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(resources::list(gate, caller, params)),
    },
    Method {
        name: "resources/templates/list",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(resources::templates(gate, caller, params)),
    },
    Method {
        name: "resources/read",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(resources::read(gate, caller, params)),
    },
    Method {
        name: "resources/subscribe",
        eras: &[Legacy],
        handler: |gate, caller, params| Box::pin(resources::subscribe(gate, caller, params)),
    },
    Method {
        name: "resources/unsubscribe",
        eras: &[Legacy],
        handler: |gate, caller, params| Box::pin(resources::unsubscribe(gate, caller, params)),
    },
    Method {
        name: "completion/complete",
        eras: &[Legacy, Modern],
        handler: |gate, caller, params| Box::pin(completion::complete(gate, caller, params)),
    },
    Method {
        name: "logging/setLevel",
        eras: &[Legacy],
        handler: |gate, caller, params| Box::pin(logging::set_level(gate, caller, params)),
    },
    Method {
        name: "subscriptions/listen",
        eras: &[Modern],
        handler: |gate, caller, params| Box::pin(subscriptions::listen(gate, caller, params)),
    },
];

/// Forwards to one upstream and fits the result to the client's era.
async fn forward(
    upstream: &Upstream,
    caller: &Caller,
    method: &str,
    params: RawObject,
    about: About,
    cacheable: bool,
) -> Outcome {
    let result = upstream.call(caller, method, params, about).await?;
    Ok(fit_result(caller, upstream.era_for(caller), result, cacheable))
}

/// A result of the gateway's own, marked final where the client's era wants it.
fn own_result(caller: &Caller, members: &[(&str, Raw)], cacheable: bool) -> Raw {
    let mut result = RawObject::default();
    for (key, value) in members {
        result.set(key, value.clone());
    }
    if caller.era() == super::era::Era::Modern {
        result.set_str("resultType", "complete");
        let mut meta = RawObject::default();
        meta.set(super::era::META_SERVER_INFO, super::era::implementation());
        result.set("_meta", meta.to_raw());
        if cacheable {
            result.set("ttlMs", raw(&LIST_TTL_MS));
            // The same for everybody who may open the profile.
            result.set_str("cacheScope", "public");
        }
    }
    result.to_raw()
}

/// How long a modern client may keep a list without asking, ms. Changes are announced before that.
const LIST_TTL_MS: u64 = 60_000;

/// A required string parameter.
fn required(params: &RawObject, key: &str) -> Result<String, Fault> {
    params.get_str(key).ok_or_else(|| Fault::new(INVALID_PARAMS, format!("`{key}` is required and must be a string")))
}
