//! A store that ends with the process, for tests and for gateways that keep no numbers.

use std::{
    collections::BTreeMap,
    ops::Bound,
    path::Path,
    sync::{Arc, RwLock},
};

use super::{Entry, Store, StoreError, Write};
use crate::sync::{read, write};

#[derive(Default)]
struct Memory {
    entries: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind of store is opened alike")]
pub fn open(_: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(Memory::default()))
}

impl Store for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(read(&self.entries).get(key).cloned())
    }

    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError> {
        let mut entries = write(&self.entries);
        for change in batch {
            match change {
                Write::Put(key, value) => entries.insert(key.to_vec(), value.to_vec()),
                Write::Delete(key) => entries.remove(*key),
            };
        }
        Ok(())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let entries = read(&self.entries);
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = entries.range::<[u8], _>((start, Bound::Unbounded));
        let found = found.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
