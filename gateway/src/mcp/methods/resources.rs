//! Resources: lists page by page through the upstreams, reads and subscriptions at the owner of the URI.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{forward, own_result, required};
use crate::{
    mcp::{
        caller::Caller,
        era::{Era, RESOURCE_NOT_FOUND},
        gate::Gate,
        jsonrpc::{Fault, INVALID_PARAMS, METHOD_NOT_FOUND, Outcome, raw},
        object::RawObject,
    },
    upstream::{About, Upstream},
};

pub async fn list(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    paged(gate, caller, params, "resources/list", "resources").await
}

pub async fn templates(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    paged(gate, caller, params, "resources/templates/list", "resourceTemplates").await
}

/// One page of one upstream after the other: nothing is held here, and a cursor says where it goes on.
async fn paged(gate: &Gate, caller: &Caller, mut params: RawObject, method: &str, key: &str) -> Outcome {
    gate.known_view().await?;
    let offering: Vec<_> = gate.upstreams.iter().filter(|it| offers_resources(it)).collect();
    if let ([only], 1) = (offering.as_slice(), gate.upstreams.len())
        && only.is_live()
    {
        return forward(only, caller, method, params, About::default(), true).await;
    }
    let mut at = params.get_str("cursor").map_or(Ok(Cursor::default()), |it| Cursor::read(&it))?;
    while let Some(upstream) = offering.get(at.upstream) {
        params.remove("cursor");
        if let Some(inner) = &at.inner {
            params.set_str("cursor", inner);
        }
        match page_of(upstream, caller, method, key, &params).await {
            Ok(page) => return Ok(page_result(caller, &page, key, &at, offering.len())),
            // A dead upstream costs its own resources and nothing else.
            Err(fault) => {
                tracing::warn!(upstream = upstream.id(), reason = fault.message(), "its resources are left out")
            }
        }
        at = Cursor { upstream: at.upstream + 1, inner: None };
    }
    Ok(own_result(caller, &[(key, raw(&serde_json::json!([])))], true))
}

/// A page from the upstream itself; while it is not up, what it listed last, so that no list waits for a restart.
async fn page_of(upstream: &Upstream, caller: &Caller, method: &str, key: &str, params: &RawObject) -> Outcome {
    if upstream.is_live() {
        return upstream.call(caller, method, params.clone(), About::default()).await;
    }
    let is_first = params.get("cursor").is_none();
    let known = upstream.lists().filter(|_| is_first);
    let entries = known.iter().flat_map(|it| if key == "resources" { &it.resources } else { &it.templates });
    let entries: Vec<_> = entries.map(|it| &it.definition).collect();
    Ok(raw(&serde_json::json!({ key: entries })))
}

fn page_result(
    caller: &Caller,
    page: &serde_json::value::RawValue,
    key: &str,
    at: &Cursor,
    count: usize,
) -> crate::mcp::jsonrpc::Raw {
    let page = RawObject::parse(page).unwrap_or_default();
    let items = page.get(key).map_or_else(|| raw(&serde_json::json!([])), ToOwned::to_owned);
    let next = match page.get_str("nextCursor") {
        Some(inner) => Some(Cursor { upstream: at.upstream, inner: Some(inner) }),
        None if at.upstream + 1 < count => Some(Cursor { upstream: at.upstream + 1, inner: None }),
        None => None,
    };
    let mut members = vec![(key, items)];
    if let Some(next) = next {
        members.push(("nextCursor", raw(&next.write())));
    }
    own_result(caller, &members, true)
}

/// Where a merged list goes on: which upstream, and that one's own cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cursor {
    upstream: usize,
    inner: Option<String>,
}

impl Cursor {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!([self.upstream, self.inner]).to_string())
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let read = bytes.and_then(|it| serde_json::from_slice::<(usize, Option<String>)>(&it).ok());
        let (upstream, inner) =
            read.ok_or_else(|| Fault::new(INVALID_PARAMS, format!("unknown cursor `{text}`; start without one")))?;
        Ok(Self { upstream, inner })
    }
}

fn offers_resources(upstream: &Upstream) -> bool {
    upstream.lists().is_some_and(|it| it.introduction.has("resources"))
}

pub async fn read(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let uri = required(&params, "uri")?;
    if let Some(owner) = owner(gate, &uri).await? {
        return forward(&owner, caller, "resources/read", params, About::default(), true).await;
    }
    // Tools hand out links that no list names. Reading changes nothing, so each upstream may be asked in turn.
    let mut last = None;
    for upstream in gate.upstreams.iter().filter(|it| offers_resources(it)) {
        match forward(upstream, caller, "resources/read", params.clone(), About::default(), true).await {
            Ok(result) => return Ok(result),
            Err(fault) if fault.code == METHOD_NOT_FOUND => {}
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| not_found(caller, &uri)))
}

fn not_found(caller: &Caller, uri: &str) -> Fault {
    let code = if caller.era() == Era::Legacy { RESOURCE_NOT_FOUND } else { INVALID_PARAMS };
    Fault::with_data(code, format!("resource not found: `{uri}`"), serde_json::json!({"uri": uri}))
}

/// The upstream that lists the URI or has a template for it; a lone one owns every URI.
async fn owner(gate: &Gate, uri: &str) -> Result<Option<Arc<Upstream>>, Fault> {
    gate.known_view().await?;
    let mut offering = gate.upstreams.iter().filter(|it| offers_resources(it));
    let knows = |it: &&Arc<Upstream>| it.lists().is_some_and(|lists| lists.knows_resource(uri));
    if let Some(found) = gate.upstreams.iter().find(knows) {
        return Ok(Some(Arc::clone(found)));
    }
    match (offering.next(), offering.next()) {
        (Some(only), None) => Ok(Some(Arc::clone(only))),
        _ => Ok(None),
    }
}

pub async fn subscribe(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let uri = required(&params, "uri")?;
    let owner = owner(gate, &uri).await?.ok_or_else(|| not_found(caller, &uri))?;
    if caller.session().is_some_and(|it| it.subscribe(&uri))
        && let Err(fault) = owner.subscribe(caller, &uri).await
    {
        caller.session().map(|it| it.unsubscribe(&uri));
        owner.forget_subscription(&uri);
        return Err(fault);
    }
    Ok(raw(&serde_json::json!({})))
}

pub async fn unsubscribe(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let uri = required(&params, "uri")?;
    let owner = owner(gate, &uri).await?.ok_or_else(|| not_found(caller, &uri))?;
    if caller.session().is_some_and(|it| it.unsubscribe(&uri)) {
        owner.unsubscribe(caller, &uri).await?;
    }
    Ok(raw(&serde_json::json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_way_there_and_back() {
        for cursor in [
            Cursor::default(),
            Cursor { upstream: 3, inner: None },
            Cursor { upstream: 1, inner: Some("äöü\"\\ =".into()) },
        ] {
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
        for text in ["", "x", "bnVsbA", "{}"] {
            assert!(Cursor::read(text).is_err(), "{text}");
        }
    }
}
