//! The gate: one profile's door. Takes a client's request, decides who answers it, and answers.
//!
//! Transports call [`Gate::handle`] and nothing else; what a method does stands in its file under `methods`.

use std::sync::{Arc, RwLock};

use futures_util::future::{BoxFuture, join_all};

use super::{
    caller::Caller,
    era::{self, Era},
    jsonrpc::{Fault, INTERNAL_ERROR, INVALID_PARAMS, Outcome, Request},
    methods,
    object::RawObject,
    view::{View, ViewRules},
};
use crate::{
    sync::{read, write},
    upstream::{Hub, Upstream},
};
use tollgate_config::Profile;

pub struct Gate {
    pub profile: Profile,
    pub upstreams: Vec<Arc<Upstream>>,
    pub hub: Hub,
    rules: Arc<ViewRules>,
    view: RwLock<Option<Arc<View>>>,
    building: tokio::sync::Mutex<()>,
}

/// How a method is answered.
pub type Handler = for<'a> fn(&'a Gate, &'a Caller, RawObject) -> BoxFuture<'a, Outcome>;

/// A method of the protocol: its name, the eras that have it, its handler.
pub struct Method {
    pub name: &'static str,
    pub eras: &'static [Era],
    pub handler: Handler,
}

impl Gate {
    /// A gate over a profile's upstreams, in the order of the configuration.
    ///
    /// # Errors
    /// An unknown tokenizer or a bad glob; checked profiles have neither.
    pub fn new(profile: Profile, upstreams: Vec<Arc<Upstream>>, hub: Hub) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            rules: Arc::new(ViewRules::new(&profile)?),
            profile,
            upstreams,
            hub,
            view: RwLock::default(),
            building: tokio::sync::Mutex::default(),
        }))
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The fault to send back.
    pub async fn handle(&self, caller: &Caller, request: &Request) -> Outcome {
        let known = methods::METHODS.iter().find(|it| it.name == request.method);
        let params = RawObject::parse_or_empty(request.params.as_deref())
            .ok_or_else(|| Fault::new(INVALID_PARAMS, "`params` must be an object"))?;
        match known {
            Some(method) if method.eras.contains(&caller.era()) => (method.handler)(self, caller, params).await,
            Some(_) => Err(Fault::method_not_found(&request.method)),
            None => self.pass_on(caller, &request.method, params).await,
        }
    }

    /// Methods that the gateway does not know belong to a lone upstream; among several nobody can say to whom.
    async fn pass_on(&self, caller: &Caller, method: &str, params: RawObject) -> Outcome {
        match self.upstreams.as_slice() {
            // The handshake is between neighbours and never between a client and an upstream.
            [only] if method != "initialize" => {
                only.connection().await?;
                if only.era_for(caller) != caller.era() {
                    return Err(Fault::method_not_found(method));
                }
                only.call(caller, method, params, Default::default()).await
            }
            _ => Err(Fault::method_not_found(method)),
        }
    }

    /// The current view, rebuilt where an upstream's lists changed. One build runs at a time.
    ///
    /// # Errors
    /// That the build was lost.
    pub async fn view(&self) -> Result<Arc<View>, Fault> {
        if let Some(view) = self.fresh_view() {
            return Ok(view);
        }
        let _one = self.building.lock().await;
        if let Some(view) = self.fresh_view() {
            return Ok(view);
        }
        let (upstreams, rules) = (self.upstreams.clone(), Arc::clone(&self.rules));
        let built = tokio::task::spawn_blocking(move || Arc::new(View::build(&upstreams, &rules))).await;
        let view = built.map_err(|error| Fault::new(INTERNAL_ERROR, format!("the plan was lost ({error})")))?;
        *write(&self.view) = Some(Arc::clone(&view));
        Ok(view)
    }

    fn fresh_view(&self) -> Option<Arc<View>> {
        read(&self.view).clone().filter(|it| it.is_fresh(&self.upstreams))
    }

    /// The view of what is known, after a short wait for upstreams whose first start is under way.
    ///
    /// # Errors
    /// As [`Self::view`].
    pub async fn known_view(&self) -> Result<Arc<View>, Fault> {
        join_all(self.upstreams.iter().map(|it| it.listable())).await;
        self.view().await
    }

    /// Waits until every upstream is up or has failed, then gives the view. Each upstream's own start-up limit bounds
    /// the wait.
    ///
    /// # Errors
    /// As [`Self::view`].
    pub async fn settled_view(&self) -> Result<Arc<View>, Fault> {
        join_all(self.upstreams.iter().map(|it| it.settled())).await;
        self.view().await
    }

    pub fn has_upstream(&self, id: &str) -> bool {
        self.upstreams.iter().any(|it| it.id() == id)
    }

    pub fn only_upstream(&self) -> Option<&Arc<Upstream>> {
        match self.upstreams.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// Fits an upstream's result to the client's era: a modern client needs `resultType`, and what may be cached its scope.
pub fn fit_result(
    caller: &Caller,
    upstream_era: Era,
    result: super::jsonrpc::Raw,
    cacheable: bool,
) -> super::jsonrpc::Raw {
    if caller.era() == Era::Modern && upstream_era == Era::Legacy {
        return era::complete_result(result, cacheable);
    }
    result
}
