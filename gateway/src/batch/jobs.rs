//! Jobs that go on by themselves: kept in the store, taken up again where they stood, ended when somebody wants it.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{
    Answers, Sender, Simulated, Target, drive, is_simulated,
    stored::{Standing, Stored},
    wire::{self, Spec},
};
use crate::{
    auth::key::ApiKey,
    ledger::{
        moment::{DAY_MS, Moment},
        slot,
    },
    proxy::Proxy,
    store::Store,
    sync::lock,
};
use tollgate_planners::batch::BatchPrompt;

/// Jobs that run at once in one process.
const MOST_RUNNING: usize = 32;

/// How long a job that ended is remembered.
const KEPT_DAYS: u64 = 7;

/// The jobs of this process, and the store that all are kept in.
pub struct Jobs {
    pub stored: Stored,
    slot: u32,
    /// The data folder, where there is one: other gateways may share it.
    folder: Option<PathBuf>,
    running: std::sync::Mutex<HashMap<String, CancellationToken>>,
}

impl Jobs {
    pub fn new(store: Arc<dyn Store>, slot: u32, folder: Option<PathBuf>) -> Self {
        Self { stored: Stored(store), slot, folder, running: Default::default() }
    }

    /// Whether another may begin.
    ///
    /// # Errors
    /// That too many run.
    pub fn has_room(&self) -> Result<(), String> {
        match lock(&self.running).len() < MOST_RUNNING {
            true => Ok(()),
            false => Err(format!("{MOST_RUNNING} batches run already; come again when one has ended")),
        }
    }

    /// Begins a job, and gives its id.
    ///
    /// # Errors
    /// That it cannot be kept.
    pub fn begin(
        &self,
        proxy: &Arc<Proxy>,
        spec: &Spec,
        batch: BatchPrompt,
        key: Option<Arc<ApiKey>>,
    ) -> Result<String, String> {
        let id = format!("batch-{:016x}", fastrand::u64(..));
        let standing = Standing {
            status: "running".into(),
            error: None,
            key: key.as_ref().map(|it| it.record.id.to_string()),
            slot: self.slot,
            created_ms: Moment::now().0,
        };
        self.stored.create(&id, spec, &standing).map_err(|error| error.to_string())?;
        self.spawn(proxy, id.clone(), batch, answers(proxy, spec, key)?, standing);
        Ok(id)
    }

    /// Wants a job to end, whichever gateway runs it.
    ///
    /// # Errors
    /// That the store cannot be written.
    pub fn cancel(&self, id: &str) -> Result<(), String> {
        self.stored.cancel(id).map_err(|error| error.to_string())?;
        if let Some(token) = lock(&self.running).get(id) {
            token.cancel();
        }
        Ok(())
    }

    /// Takes up the jobs that ran when their gateway ended, and forgets those that ended long ago.
    pub fn resume(&self, proxy: &Arc<Proxy>) {
        let all = self.stored.all().unwrap_or_else(|error| {
            tracing::warn!("batches from before cannot be read: {error}");
            Vec::new()
        });
        for (id, standing) in all {
            let outcome = match standing.status.as_str() {
                "running" if self.is_orphan(standing.slot) => self.take_up(proxy, &id, standing),
                "running" => Ok(()),
                _ if standing.created_ms + KEPT_DAYS * DAY_MS < Moment::now().0 => {
                    self.stored.remove(&id).map_err(|error| error.to_string())
                }
                _ => Ok(()),
            };
            if let Err(error) = outcome {
                tracing::warn!(%id, "a batch from before is not taken up: {error}");
            }
        }
    }

    /// Whether nobody runs what this slot ran. This process holds its own, so that the last holder is gone.
    fn is_orphan(&self, slot: u32) -> bool {
        let is_free = |folder: &PathBuf| slot::is_free(folder, slot);
        slot == self.slot || self.folder.as_ref().is_some_and(is_free)
    }

    fn take_up(&self, proxy: &Arc<Proxy>, id: &str, mut standing: Standing) -> Result<(), String> {
        let taken = self.taken_up(proxy, id, &standing);
        standing.slot = self.slot;
        match taken {
            Ok((batch, answers)) => {
                self.stored.set_standing(id, &standing).map_err(|error| error.to_string())?;
                tracing::info!(%id, "a batch goes on where it stood");
                self.spawn(proxy, id.to_owned(), batch, answers, standing);
                Ok(())
            }
            Err(told) => {
                (standing.status, standing.error) = ("failed".into(), Some(told.clone()));
                self.stored.set_standing(id, &standing).map_err(|error| error.to_string())?;
                Err(told)
            }
        }
    }

    fn taken_up(
        &self,
        proxy: &Arc<Proxy>,
        id: &str,
        standing: &Standing,
    ) -> Result<(BatchPrompt, Arc<dyn Answers>), String> {
        let (spec, batch) = self.load(proxy, id)?.ok_or("it is not there any more")?;
        let key = match &standing.key {
            Some(key) => Some(proxy.access.of_id(key, Moment::now())?),
            None => None,
        };
        Ok((batch, answers(proxy, &spec, key)?))
    }

    /// A job as it stands in the store.
    ///
    /// # Errors
    /// That it cannot be read, or is of a model that is not there any more.
    pub fn load(&self, proxy: &Proxy, id: &str) -> Result<Option<(Spec, BatchPrompt)>, String> {
        let Some(spec) = self.stored.spec(id).map_err(|error| error.to_string())? else { return Ok(None) };
        let progress = self.stored.progress(id, spec.items.len()).map_err(|error| error.to_string())?;
        let tokenizer = Target::find(proxy.routes(), &spec.model)?.tokenizer;
        let (task, items, policy) = (spec.task.clone(), spec.items.clone(), spec.policy.clone());
        let batch = BatchPrompt::resume(task, items, policy, tokenizer, progress).map_err(|error| error.to_string())?;
        Ok(Some((spec, batch)))
    }

    fn spawn(
        &self,
        proxy: &Arc<Proxy>,
        id: String,
        mut batch: BatchPrompt,
        answers: Arc<dyn Answers>,
        mut standing: Standing,
    ) {
        let (token, stored, proxy) = (CancellationToken::new(), self.stored.clone(), Arc::clone(proxy));
        lock(&self.running).insert(id.clone(), token.clone());
        tokio::spawn(async move {
            let step = |batch: &mut BatchPrompt| {
                batch.take_settled();
                let kept = stored.add(&id, &batch.take_changes()).and_then(|()| stored.is_cancelled(&id));
                if kept.map_err(|error| error.to_string())? {
                    token.cancel();
                }
                Ok(())
            };
            let outcome = drive::run(&mut batch, &*answers, &token, step).await;
            (standing.status, standing.error) = match outcome {
                Ok(outcome) => (wire::status(&batch).to_owned(), outcome.last_failure),
                Err(error) => ("failed".to_owned(), Some(error)),
            };
            let kept = stored.add(&id, &batch.take_changes()).and_then(|()| stored.set_standing(&id, &standing));
            if let Err(error) = kept {
                tracing::error!(%id, "how a batch ended cannot be kept: {error}");
            }
            lock(&proxy.jobs.running).remove(&id);
        });
    }
}

/// A job at its beginning.
///
/// # Errors
/// What is wrong with it.
pub fn started(proxy: &Proxy, spec: &Spec) -> Result<BatchPrompt, String> {
    let tokenizer = Target::find(proxy.routes(), &spec.model)?.tokenizer;
    let started = BatchPrompt::new(spec.task.clone(), spec.items.clone(), spec.policy.clone(), tokenizer);
    started.map_err(|error| error.to_string())
}

/// Who answers a job's prompts.
///
/// # Errors
/// That there is no such model.
pub fn answers(proxy: &Arc<Proxy>, spec: &Spec, key: Option<Arc<ApiKey>>) -> Result<Arc<dyn Answers>, String> {
    if is_simulated(&spec.model) {
        return Ok(Arc::new(Simulated::new(&spec.model, spec.policy.seed, &spec.items)?));
    }
    let tokenizer = Target::find(proxy.routes(), &spec.model)?.tokenizer;
    Ok(Arc::new(Sender { proxy: Arc::clone(proxy), key, model: spec.model.clone(), tokenizer }))
}
