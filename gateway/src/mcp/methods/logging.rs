//! `logging/setLevel` of the legacy era. The level is the session's; upstreams hear of the most talkative wish.

use super::required;
use crate::{
    mcp::{
        caller::Caller,
        era,
        gate::Gate,
        jsonrpc::{Fault, INVALID_PARAMS, Outcome, raw},
        object::RawObject,
    },
    upstream::{About, State},
};

pub async fn set_level(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let name = required(&params, "level")?;
    let level = era::log_level(&name).ok_or_else(|| {
        Fault::new(INVALID_PARAMS, format!("unknown log level `{name}`; use one of {}", era::LOG_LEVELS.join(", ")))
    })?;
    if let Some(session) = caller.session() {
        session.set_log_level(level);
    }
    for upstream in &gate.upstreams {
        let State::Ready(connection) = upstream.state() else { continue };
        let introduction = &connection.introduction;
        if introduction.era == era::Era::Legacy && introduction.has("logging") {
            // Shared among clients, so only a wish for more is passed on; each session filters what it does not want.
            let set = upstream.call(caller, "logging/setLevel", params.clone(), About::default()).await;
            if let Err(fault) = set {
                tracing::debug!(upstream = upstream.id(), reason = fault.message(), "the log level was not set");
            }
        }
    }
    Ok(raw(&serde_json::json!({})))
}
