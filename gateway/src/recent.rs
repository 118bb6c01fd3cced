//! What was made last, found again by the bytes that it was made of.

use std::{collections::VecDeque, hash::Hasher, sync::Mutex};

use rustc_hash::FxHasher;

use crate::sync::lock;

/// Keeps so many values and so many bytes of their keys; the value not used for longest goes first.
pub struct Recent<V> {
    /// The one used last at the end.
    kept: Mutex<VecDeque<Kept<V>>>,
    most: usize,
    most_bytes: usize,
}

struct Kept<V> {
    hash: u64,
    key: Vec<u8>,
    value: V,
}

impl<V: Clone> Recent<V> {
    pub fn new(most: usize, most_bytes: usize) -> Self {
        Self { kept: Mutex::default(), most, most_bytes }
    }

    /// The value of `key`, made where it is not there. Two callers may make it at once; the later one's is kept.
    ///
    /// # Errors
    /// Why it could not be made.
    pub fn get<E>(&self, key: Vec<u8>, make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let mut hasher = FxHasher::default();
        hasher.write(&key);
        let hash = hasher.finish();
        if let Some(found) = self.find(hash, &key) {
            return Ok(found);
        }
        let value = make()?;
        self.keep(Kept { hash, key, value: value.clone() });
        Ok(value)
    }

    fn find(&self, hash: u64, key: &[u8]) -> Option<V> {
        let mut kept = lock(&self.kept);
        let at = kept.iter().rposition(|it| it.hash == hash && it.key == key)?;
        let found = kept.remove(at)?;
        let value = found.value.clone();
        kept.push_back(found);
        Some(value)
    }

    fn keep(&self, new: Kept<V>) {
        let mut kept = lock(&self.kept);
        kept.retain(|it| it.hash != new.hash || it.key != new.key);
        kept.push_back(new);
        let mut bytes: usize = kept.iter().map(|it| it.key.len()).sum();
        while kept.len() > self.most || bytes > self.most_bytes && kept.len() > 1 {
            bytes -= kept.pop_front().map_or(0, |it| it.key.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(recent: &Recent<usize>, key: &str, made: usize) -> usize {
        recent.get(key.into(), || Ok::<_, ()>(made)).unwrap()
    }

    #[test]
    fn the_one_not_used_for_longest_goes() {
        let recent = Recent::new(2, 100);
        assert_eq!([get(&recent, "a", 1), get(&recent, "b", 2), get(&recent, "a", 3)], [1, 2, 1]);
        assert_eq!([get(&recent, "c", 4), get(&recent, "a", 5), get(&recent, "b", 6)], [4, 1, 6]);
    }

    #[test]
    fn long_keys_push_out_others_but_not_themselves() {
        let recent = Recent::new(10, 8);
        let long = "x".repeat(20);
        assert_eq!([get(&recent, "short", 1), get(&recent, &long, 2), get(&recent, &long, 3)], [1, 2, 2]);
        assert_eq!(get(&recent, "short", 4), 4);
    }

    #[test]
    fn failures_are_not_kept() {
        let recent = Recent::new(2, 100);
        assert_eq!(recent.get(b"a".into(), || Err("no")), Err("no"));
        assert_eq!(get(&recent, "a", 1), 1);
    }
}
