//! A store that is synced in time: a thread waits for the first write, then `sync_ms`, and makes safe what came by then.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{Entry, Store, StoreError, Write};

pub struct Synced {
    store: Arc<dyn Store>,
    is_dirty: Arc<AtomicBool>,
    wake: SyncSender<()>,
}

impl Synced {
    /// Wraps `store`. The thread ends with the wrapper.
    pub fn start(store: Arc<dyn Store>, every: Duration) -> Arc<dyn Store> {
        let (wake, woken) = sync_channel(1);
        let is_dirty = Arc::new(AtomicBool::new(false));
        let (weak, dirty) = (Arc::downgrade(&store), Arc::clone(&is_dirty));
        let started = thread::Builder::new().name("store-sync".into()).spawn(move || run(&weak, &dirty, &woken, every));
        if let Err(error) = started {
            tracing::warn!(%error, "no thread syncs the store; a loss of power may take more than `store.sync_ms`");
        }
        Arc::new(Self { store, is_dirty, wake })
    }
}

fn run(store: &Weak<dyn Store>, is_dirty: &AtomicBool, woken: &Receiver<()>, every: Duration) {
    while woken.recv().is_ok() {
        thread::sleep(every);
        let Some(store) = store.upgrade() else { return };
        // Before the sync: a write that comes during it asks for another.
        is_dirty.store(false, Ordering::SeqCst);
        if let Err(error) = store.sync() {
            tracing::error!("{error}");
        }
    }
}

impl Store for Synced {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError> {
        self.store.write(batch)?;
        if !self.is_dirty.swap(true, Ordering::SeqCst) {
            // A full channel has the thread awake already.
            let _ = self.wake.try_send(());
        }
        Ok(())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.scan(prefix, after, limit)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.store.sync()
    }

    fn foreign_version(&self) -> Result<u64, StoreError> {
        self.store.foreign_version()
    }
}

/// A proper end leaves nothing to a loss of power.
impl Drop for Synced {
    fn drop(&mut self) {
        if self.is_dirty.load(Ordering::SeqCst)
            && let Err(error) = self.store.sync()
        {
            tracing::error!("{error}");
        }
    }
}
