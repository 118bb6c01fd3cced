//! `completion/complete`: goes to whoever owns the prompt or the template that is being filled in.

use super::{forward, required};
use crate::{
    mcp::{
        caller::Caller,
        gate::Gate,
        jsonrpc::{Fault, INVALID_PARAMS, Outcome},
        object::RawObject,
    },
    upstream::About,
};

pub async fn complete(gate: &Gate, caller: &Caller, mut params: RawObject) -> Outcome {
    let mut reference = params
        .get_object("ref")
        .ok_or_else(|| Fault::new(INVALID_PARAMS, "`ref` is required: a prompt or a resource template"))?;
    let view = gate.known_view().await?;
    let owner = match required(&reference, "type")?.as_str() {
        "ref/prompt" => {
            let name = required(&reference, "name")?;
            let prompt = view.prompts.iter().find(|it| it.exposed == name);
            if let Some(prompt) = prompt {
                reference.set_str("name", &prompt.name);
                params.set("ref", reference.to_raw());
            }
            prompt.map(|it| it.upstream.clone())
        }
        "ref/resource" => {
            let uri = required(&reference, "uri")?;
            let knows = |template: &str| template == uri;
            gate.upstreams
                .iter()
                .find(|it| it.lists().is_some_and(|lists| lists.templates.iter().any(|it| knows(&it.key))))
                .or_else(|| gate.upstreams.iter().find(|it| it.lists().is_some_and(|it| it.knows_resource(&uri))))
                .cloned()
        }
        other => {
            return Err(Fault::new(
                INVALID_PARAMS,
                format!("unknown reference type `{other}`; use `ref/prompt` or `ref/resource`"),
            ));
        }
    };
    let owner = owner
        .or_else(|| gate.only_upstream().cloned())
        .ok_or_else(|| Fault::new(INVALID_PARAMS, "no upstream has that prompt or resource template"))?;
    forward(&owner, caller, "completion/complete", params, About::default(), false).await
}
