//! Who is let in: the API key that a request shows, or nobody where no key is asked for.

use std::sync::Arc;

use http::{HeaderMap, header};

use crate::{
    auth::{Keys, key::ApiKey},
    ledger::moment::Moment,
};
use tollgate_config::{Config, RequireKeys, StoreKind};

/// The rule of one gateway.
pub struct Access {
    keys: Option<Keys>,
    rule: RequireKeys,
    is_local: bool,
}

impl Access {
    /// # Errors
    /// That the file of keys cannot be read.
    pub fn open(config: &Config) -> Result<Self, String> {
        let folder = config.store.folder.as_ref().filter(|_| config.store.kind != StoreKind::Memory);
        let keys = folder.map(|folder| Keys::open(folder)).transpose().map_err(|error| error.to_string())?;
        let is_local = config.server.listen.ip().is_loopback();
        let access = Self { keys, rule: config.server.require_keys, is_local };
        if access.lets_nobody_in(Moment::now()) {
            tracing::warn!("no request is let in until `tollgate keys create` made an api key");
        }
        Ok(access)
    }

    fn lets_nobody_in(&self, now: Moment) -> bool {
        let asks = match self.rule {
            RequireKeys::Always => true,
            RequireKeys::Auto => !self.is_local,
            RequireKeys::Never => false,
        };
        asks && self.has_none(now)
    }

    /// The key that a request shows; `None` where it needs none.
    ///
    /// # Errors
    /// Why it is not let in, with the remedy.
    pub fn admit(&self, headers: &HeaderMap, now: Moment) -> Result<Option<Arc<ApiKey>>, String> {
        let shown = shown(headers);
        let found = || match (&self.keys, shown) {
            (Some(keys), Some(shown)) => keys.find(shown, now).map_err(|denied| denied.to_string()),
            (None, _) => Err("the gateway keeps no api keys; set `folder` and `kind` under `[store]`".into()),
            (_, None) => {
                Err("no api key; send one that `tollgate keys create` made as a bearer or as `x-api-key`".into())
            }
        };
        match self.rule {
            RequireKeys::Never => Ok(found().ok()),
            RequireKeys::Always => found().map(Some),
            RequireKeys::Auto if self.has_none(now) && self.is_local => Ok(None),
            RequireKeys::Auto => found().map(Some),
        }
    }

    /// The key of this id, where it is still let in.
    ///
    /// # Errors
    /// Why it is not.
    pub fn of_id(&self, id: &str, now: Moment) -> Result<Arc<ApiKey>, String> {
        let keys = self.keys.as_ref().ok_or("the gateway keeps no api keys")?;
        keys.of_id(id, now).map_err(|denied| denied.to_string())
    }

    fn has_none(&self, now: Moment) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.is_empty(now))
    }
}

/// As OpenAI's clients show a key, or as Anthropic's do.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|it: &http::HeaderValue| it.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|it| {
        let (scheme, key) = it.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| text("x-api-key"))
}
