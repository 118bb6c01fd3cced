//! `tools/list` and `tools/call`: the planned list, and calls of any real tool, listed or not.

use serde_json::{Value, json};

use super::{forward, meta_tools, missing, own_result, required};
use crate::{
    mcp::{
        caller::Caller,
        gate::Gate,
        jsonrpc::{Fault, INVALID_PARAMS, Outcome, Raw, raw},
        object::RawObject,
        view::{Route, View},
    },
    upstream::About,
};

/// The list is one page: what does not fit the budget is reached by search, not by a cursor.
pub async fn list(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    if let Some(cursor) = params.get_str("cursor") {
        return Err(Fault::new(INVALID_PARAMS, format!("unknown cursor `{cursor}`; the list is one page")));
    }
    let view = gate.known_view().await?;
    if let Err(fault) = &view.plan {
        return Err(fault.clone());
    }
    Ok(own_result(caller, &[("tools", view.tools_json.clone())], true))
}

pub async fn call(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let name = required(&params, "name")?;
    let mut view = gate.view().await?;
    if view.find(&name).is_none() {
        if let Some(handler) = meta_tools::find(&name) {
            return handler(gate, caller, params).await;
        }
        // Its upstream may be starting.
        view = gate.known_view().await?;
    }
    let idx = view.find(&name).ok_or_else(|| unknown_tool(gate, &view, &name))?;
    call_route(&view.routes[idx], caller, params).await
}

/// Calls the tool of a route; `params` may still carry the exposed name.
pub async fn call_route(route: &Route, caller: &Caller, mut params: RawObject) -> Outcome {
    if route.upstream.config.validate_arguments
        && let Some(refusal) = refuse_arguments(route, &params)
    {
        return Ok(fit(caller, refusal));
    }
    params.set_str("name", &route.tool.name);
    let about = About { header_params: route.tool.header_params.clone() };
    forward(&route.upstream, caller, "tools/call", params, about, false).await
}

/// The answer to arguments that break the schema: what is wrong, and the schema, so that the model can mend its call.
fn refuse_arguments(route: &Route, params: &RawObject) -> Option<Raw> {
    let arguments = params.get("arguments").map_or(Ok(json!({})), |it| serde_json::from_str::<Value>(it.get()));
    let wrong = match arguments {
        Ok(arguments) => route.validate(&arguments).err()?,
        Err(error) => format!("- {error}"),
    };
    let schema = route.schema();
    let schema = schema.as_ref().map_or("{}", |it| it.get());
    Some(tool_error(&format!(
        "The arguments of `{}` are not valid; nothing was run.\n{wrong}\nIts input schema: {schema}",
        route.tool.shown
    )))
}

/// A tool result that tells the model what went wrong (2025-11-25, tools: input errors are tool errors).
pub fn tool_error(text: &str) -> Raw {
    raw(&json!({"content": [{"type": "text", "text": text}], "isError": true}))
}

pub fn fit(caller: &Caller, result: Raw) -> Raw {
    crate::mcp::gate::fit_result(caller, crate::mcp::era::Era::Legacy, result, false)
}

fn unknown_tool(gate: &Gate, view: &View, name: &str) -> Fault {
    let near = meta_tools::near(view, name);
    let remedy = if near.is_empty() { "see `tools/list`".to_owned() } else { format!("did you mean {near}?") };
    Fault::new(INVALID_PARAMS, format!("unknown tool: `{name}`; {remedy}{}", missing::note(gate)))
}
