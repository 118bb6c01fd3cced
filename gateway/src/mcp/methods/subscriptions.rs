//! News from upstreams to those who want them: `subscriptions/listen` of the modern era, and a session's own channel in
//! the legacy one.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    mcp::{
        caller::Caller,
        era,
        gate::Gate,
        jsonrpc::{Fault, INTERNAL_ERROR, INVALID_PARAMS, Id, Message, Outcome, Raw, raw},
        object::RawObject,
        session::Session,
    },
    upstream::{FromUpstream, ListKind, UpstreamEvent, log_level_of},
};

/// Resources that one stream may watch.
const MAX_WATCHED: usize = 10_000;

/// What a client wants to hear.
#[derive(Debug, Default)]
struct Filter {
    lists: Vec<ListKind>,
    uris: Vec<String>,
}

impl Filter {
    fn read(params: &RawObject) -> Result<Self, Fault> {
        let wrong = |what: &str| Fault::new(INVALID_PARAMS, format!("`notifications` {what}"));
        let filter = params.get_object("notifications").ok_or_else(|| wrong("is required and must be an object"))?;
        let lists =
            ListKind::ALL.into_iter().filter(|it| filter.get(it.filter_key()).is_some_and(|it| it.get() == "true"));
        let uris: Vec<String> = match filter.get("resourceSubscriptions") {
            Some(uris) => serde_json::from_str(uris.get())
                .map_err(|_| wrong("has `resourceSubscriptions` that is no array of strings"))?,
            None => Vec::new(),
        };
        if uris.len() > MAX_WATCHED {
            return Err(wrong(&format!("watches {} resources; at most {MAX_WATCHED} fit one stream", uris.len())));
        }
        Ok(Self { lists: lists.collect(), uris })
    }

    /// The part that is honoured, as the acknowledgment repeats it.
    fn to_raw(&self) -> Raw {
        let mut out = serde_json::Map::new();
        for kind in &self.lists {
            out.insert(kind.filter_key().into(), json!(true));
        }
        if !self.uris.is_empty() {
            out.insert("resourceSubscriptions".into(), json!(self.uris));
        }
        raw(&out)
    }

    fn message(&self, event: UpstreamEvent) -> Option<(&'static str, RawObject)> {
        match event {
            UpstreamEvent::ListChanged(kind) if self.lists.contains(&kind) => {
                Some((kind.notification(), RawObject::default()))
            }
            UpstreamEvent::ResourceUpdated { uri, params } if self.uris.contains(&uri) => {
                Some(("notifications/resources/updated", RawObject::parse(&params)?))
            }
            _ => None,
        }
    }
}

/// Stays open until the client leaves or the gateway shuts down (2026-07-28, subscriptions).
pub async fn listen(gate: &Gate, caller: &Caller, params: RawObject) -> Outcome {
    let filter = Filter::read(&params)?;
    let id = caller.request_id.clone();
    let mut events = gate.hub.subscribe();
    let tag = |params: RawObject| Some(tagged(params, &id));
    let mut acknowledged = RawObject::default();
    acknowledged.set("notifications", filter.to_raw());
    caller.outbox.send(Message::notification("notifications/subscriptions/acknowledged", tag(acknowledged)));
    let _watched = watch(gate, caller, &filter.uris).await;
    loop {
        let event = tokio::select! {
            event = next(&mut events, gate) => event,
            () = caller.cancel.cancelled() => return Ok(closed(&id)),
        };
        let Some(event) = event else { return Ok(closed(&id)) };
        if let Some((method, params)) = filter.message(event)
            && !caller.outbox.send(Message::notification(method, tag(params)))
        {
            return Err(Fault::new(INTERNAL_ERROR, "the client reads too slowly; listen again"));
        }
    }
}

fn tagged(mut params: RawObject, id: &Id) -> Raw {
    let mut meta = params.get_object("_meta").unwrap_or_default();
    meta.set(era::META_SUBSCRIPTION_ID, serde_json::from_str(id.as_json()).unwrap_or_else(|_| raw(&())));
    params.set("_meta", meta.to_raw());
    params.to_raw()
}

fn closed(id: &Id) -> Raw {
    let mut result = RawObject::default();
    result.set_str("resultType", "complete");
    RawObject::parse(&tagged(result, id)).unwrap_or_default().to_raw()
}

/// The next event of this gate's upstreams; `None` when there will be none.
async fn next(events: &mut Receiver<FromUpstream>, gate: &Gate) -> Option<UpstreamEvent> {
    loop {
        match events.recv().await {
            Ok(it) if gate.has_upstream(&it.upstream) => return Some(it.event),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "a listener lagged behind"),
            Err(RecvError::Closed) => return None,
        }
    }
}

/// Subscribes at the owners for as long as the guard lives.
async fn watch(gate: &Gate, caller: &Caller, uris: &[String]) -> Watched {
    let mut watched = Watched(Vec::new());
    for uri in uris {
        let knows = |it: &&Arc<crate::upstream::Upstream>| it.lists().is_some_and(|it| it.knows_resource(uri));
        let owner = gate.upstreams.iter().find(knows).or_else(|| gate.only_upstream()).cloned();
        let Some(owner) = owner else { continue };
        match owner.subscribe(caller, uri).await {
            Ok(()) => watched.0.push((owner, uri.clone(), caller.clone())),
            Err(fault) => {
                owner.forget_subscription(uri);
                tracing::debug!(uri, reason = fault.message(), "the resource is not watched");
            }
        }
    }
    watched
}

struct Watched(Vec<(Arc<crate::upstream::Upstream>, String, Caller)>);

impl Drop for Watched {
    fn drop(&mut self) {
        for (owner, uri, mut caller) in self.0.drain(..) {
            // The request is over, the wish to end its subscriptions is not.
            caller.cancel = Default::default();
            tokio::spawn(async move { drop(owner.unsubscribe(&caller, &uri).await) });
        }
    }
}

/// Carries news to a legacy session until it closes.
pub async fn forward_to_session(gate: Arc<Gate>, session: Arc<Session>) {
    let mut events = gate.hub.subscribe();
    loop {
        let event = tokio::select! {
            event = next(&mut events, &gate) => event,
            () = session.closed.cancelled() => return,
        };
        let Some(event) = event else { return };
        if let Some(message) = session_message(&session, event) {
            session.standalone.send(message);
        }
    }
}

fn session_message(session: &Session, event: UpstreamEvent) -> Option<Message> {
    match event {
        UpstreamEvent::ListChanged(kind) => Some(Message::notification(kind.notification(), None)),
        UpstreamEvent::ResourceUpdated { uri, params } => {
            session.is_subscribed(&uri).then(|| Message::notification("notifications/resources/updated", Some(params)))
        }
        UpstreamEvent::Log { params } => session
            .wants_log(&log_level_of(Some(&params)).unwrap_or_default())
            .then(|| Message::notification("notifications/message", Some(params))),
        UpstreamEvent::Other(note) => Some(Message::Notification((*note).clone())),
    }
}

/// Ends what a closed session had subscribed to.
pub async fn release_subscriptions(gate: &Gate, caller: &Caller) {
    let Some(session) = caller.session() else { return };
    for uri in session.subscriptions() {
        let knows = |it: &&Arc<crate::upstream::Upstream>| it.lists().is_some_and(|it| it.knows_resource(&uri));
        let owner = gate.upstreams.iter().find(knows).or_else(|| gate.only_upstream());
        if let Some(owner) = owner
            && let Err(fault) = owner.unsubscribe(caller, &uri).await
        {
            tracing::debug!(uri, reason = fault.message(), "a subscription was not ended");
        }
    }
}
