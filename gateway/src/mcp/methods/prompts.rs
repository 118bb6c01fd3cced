//! `prompts/list` and `prompts/get`.

use super::{forward, own_result, required};
use crate::{
    mcp::{
        caller::Caller,
        gate::Gate,
        jsonrpc::{Fault, INVALID_PARAMS, Outcome, raw},
        object::RawObject,
    },
    upstream::About,
};

/// A lone upstream's list is passed through while it is up, its pages included; those of several are one page.
pub async fn list(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let view = gate.known_view().await?;
    if let Some(only) = gate.only_upstream()
        && only.is_live()
        && only.lists().is_some_and(|it| it.introduction.has("prompts"))
        && view.prompts.iter().all(|it| it.name == it.exposed)
    {
        return forward(only, caller, "prompts/list", params, About::default(), true).await;
    }
    let prompts: Vec<_> = view.prompts.iter().map(|it| &it.definition).collect();
    Ok(own_result(caller, &[("prompts", raw(&prompts))], true))
}

pub async fn get(gate: &Gate, caller: &Caller, mut params: RawObject) -> Outcome {
    let name = required(&params, "name")?;
    let view = gate.known_view().await?;
    let found = view.prompts.iter().find(|it| it.exposed == name);
    match (found, gate.only_upstream()) {
        (Some(prompt), _) => {
            params.set_str("name", &prompt.name);
            forward(&prompt.upstream, caller, "prompts/get", params, About::default(), false).await
        }
        // A lone upstream may know prompts that it does not list, and words its own refusal.
        (None, Some(only)) => forward(only, caller, "prompts/get", params, About::default(), false).await,
        (None, None) => Err(Fault::new(INVALID_PARAMS, format!("unknown prompt: `{name}`; see `prompts/list`"))),
    }
}
