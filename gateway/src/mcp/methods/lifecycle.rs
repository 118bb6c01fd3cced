//! Who the gateway is and what it can do: `initialize`, `server/discover`, `ping`.

use serde_json::json;

use super::own_result;
use crate::mcp::{
    caller::Caller,
    era::{self, Era},
    gate::Gate,
    jsonrpc::{Outcome, Raw, raw},
    object::RawObject,
    session::Session,
};

/// What any profile can do. Upstreams may come up late or go away, so the claim does not depend on them; a list that
/// nobody fills is empty.
///
/// Extensions are between a client and a lone upstream, whose methods are passed on.
fn capabilities(gate: &Gate, era: Era) -> serde_json::Value {
    let mut claims = json!({
        "completions": {},
        "logging": {},
        "prompts": {"listChanged": true},
        "resources": {"listChanged": true, "subscribe": true},
        "tools": {"listChanged": true},
    });
    let lists = gate.only_upstream().and_then(|it| it.lists()).filter(|it| it.introduction.era == era);
    for key in ["extensions", "experimental", "tasks"] {
        if let Some(own) = lists.as_ref().and_then(|it| it.introduction.capabilities.get(key)) {
            claims[key] = serde_json::from_str(own.get()).unwrap_or_default();
        }
    }
    claims
}

/// The answer to `initialize` (2025-11-25, lifecycle).
pub fn initialize_result(gate: &Gate, session: &Session) -> Raw {
    let mut result = RawObject::default();
    result.set_str("protocolVersion", session.version);
    result.set("capabilities", raw(&capabilities(gate, Era::Legacy)));
    result.set("serverInfo", era::implementation());
    if let Some(text) = instructions(gate) {
        result.set_str("instructions", &text);
    }
    result.to_raw()
}

pub async fn ping(_gate: &Gate, _caller: &Caller, _params: RawObject) -> Outcome {
    Ok(raw(&json!({})))
}

pub async fn discover(gate: &Gate, caller: &Caller, _params: RawObject) -> Outcome {
    let versions: Vec<_> = era::MODERN_VERSIONS.iter().chain(era::LEGACY_VERSIONS).collect();
    let mut members =
        vec![("supportedVersions", raw(&versions)), ("capabilities", raw(&capabilities(gate, Era::Modern)))];
    if let Some(text) = instructions(gate) {
        members.push(("instructions", raw(&text)));
    }
    Ok(own_result(caller, &members, true))
}

/// A lone upstream's instructions are the client's to read; those of several together would grow without a budget.
fn instructions(gate: &Gate) -> Option<String> {
    gate.only_upstream()?.lists()?.introduction.instructions.clone()
}
