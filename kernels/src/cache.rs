//! Which pages hold what: prefixes are found again by their tokens, exactly, and kept until their room is needed.
//!
//! A full page is named by its tokens and by the name of the page before it, so that equal names mean equal prefixes and
//! no hash is trusted. Pages that nobody uses are given away in the order of their last use.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::backend::PAGE;

/// The name of a prefix; 0 is the empty one. Names are never used again.
type Name = u64;

type Key = (Name, [u32; PAGE]);

/// Pages of a sequence that hold a known prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefix {
    /// The pages, which now have one more user.
    pub pages: Vec<u32>,
    /// The name of what they hold.
    pub name: Name,
}

/// The books of a cache; the numbers themselves are the backend's.
#[derive(Debug)]
pub struct Cache {
    pages: Vec<Page>,
    free: Vec<u32>,
    named: FxHashMap<Key, (Name, u32)>,
    /// Named pages without users, by the time of their last use.
    idle: BTreeMap<u64, u32>,
    last_name: Name,
    time: u64,
}

#[derive(Debug, Clone, Default)]
struct Page {
    n_users: u32,
    key: Option<Key>,
    /// Its key of `idle`.
    idle_since: u64,
}

impl Cache {
    /// Books of `n_pages` empty pages.
    #[must_use]
    pub fn new(n_pages: usize) -> Self {
        Self {
            pages: vec![Page::default(); n_pages],
            free: (0..n_pages as u32).rev().collect(),
            named: FxHashMap::default(),
            idle: BTreeMap::new(),
            last_name: 0,
            time: 0,
        }
    }

    /// Pages that could be taken now.
    #[must_use]
    pub fn n_available(&self) -> usize {
        self.free.len() + self.idle.len()
    }

    /// All pages.
    #[must_use]
    pub fn n_pages(&self) -> usize {
        self.pages.len()
    }

    /// The longest known prefix of `tokens`, in whole pages.
    pub fn find(&mut self, tokens: &[u32]) -> Prefix {
        let mut prefix = Prefix::default();
        for block in tokens.as_chunks::<PAGE>().0 {
            let Some(&(name, page)) = self.named.get(&(prefix.name, *block)) else { break };
            prefix.name = name;
            prefix.pages.push(page);
            self.use_page(page);
        }
        prefix
    }

    fn use_page(&mut self, page: u32) {
        let entry = &mut self.pages[page as usize];
        if entry.n_users == 0 {
            self.idle.remove(&entry.idle_since);
        }
        entry.n_users += 1;
    }

    /// `n` pages to write to, or none if there are not so many.
    pub fn take(&mut self, n: usize) -> Option<Vec<u32>> {
        (n <= self.n_available()).then(|| (0..n).filter_map(|_| self.take_one()).collect())
    }

    fn take_one(&mut self) -> Option<u32> {
        let page = match self.free.pop() {
            Some(page) => page,
            None => self.idle.pop_first()?.1,
        };
        let entry = &mut self.pages[page as usize];
        if let Some(key) = entry.key.take() {
            self.named.remove(&key);
        }
        entry.n_users = 1;
        Some(page)
    }

    /// Names a page that was filled after the prefix `before`; returns the name of the longer prefix.
    pub fn name(&mut self, before: Name, block: &[u32; PAGE], page: u32) -> Name {
        let key = (before, *block);
        if let Some((name, _)) = self.named.get(&key) {
            // Another request filled the same page meanwhile; this one stays unnamed.
            return *name;
        }
        self.last_name += 1;
        self.named.insert(key, (self.last_name, page));
        self.pages[page as usize].key = Some(key);
        self.last_name
    }

    /// Gives back a sequence's pages, in their order.
    pub fn release(&mut self, pages: &[u32]) {
        // The beginning of a prefix is worth most: it is given back last, and so is the last to be taken.
        for &page in pages.iter().rev() {
            let entry = &mut self.pages[page as usize];
            entry.n_users = entry.n_users.saturating_sub(1);
            if entry.n_users > 0 {
                continue;
            }
            if entry.key.is_some() {
                self.time += 1;
                entry.idle_since = self.time;
                self.idle.insert(self.time, page);
            } else {
                self.free.push(page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(n_pages: u32, seed: u32) -> Vec<u32> {
        (0..n_pages * PAGE as u32).map(|it| it * 7 + seed).collect()
    }

    fn fill(cache: &mut Cache, tokens: &[u32]) -> Vec<u32> {
        let mut prefix = cache.find(tokens);
        let blocks = tokens.as_chunks::<PAGE>().0;
        let fresh = cache.take(blocks.len() - prefix.pages.len()).unwrap();
        for (block, page) in blocks[prefix.pages.len()..].iter().zip(&fresh) {
            prefix.name = cache.name(prefix.name, block, *page);
        }
        prefix.pages.extend(fresh);
        prefix.pages
    }

    #[test]
    fn equal_prefixes_share_pages() {
        let mut cache = Cache::new(8);
        let first = fill(&mut cache, &tokens(3, 0));
        let mut other = tokens(3, 0);
        other[PAGE * 2] += 1;
        let second = fill(&mut cache, &other);
        assert_eq!(first[..2], second[..2]);
        assert_ne!(first[2], second[2]);
        assert_eq!(cache.n_available(), 4);
        cache.release(&first);
        assert_eq!(cache.n_available(), 5);
        cache.release(&second);
        assert_eq!(cache.n_available(), 8);
        assert_eq!(cache.find(&other).pages, second);
    }

    #[test]
    fn the_longest_unused_goes_first_and_ends_before_beginnings() {
        let mut cache = Cache::new(4);
        let old = fill(&mut cache, &tokens(2, 0));
        cache.release(&old);
        let new = fill(&mut cache, &tokens(2, 1));
        cache.release(&new);
        let taken = cache.take(1).unwrap();
        assert_eq!(taken, [old[1]]);
        assert_eq!(cache.find(&tokens(2, 0)).pages, old[..1]);
        assert_eq!(cache.find(&tokens(2, 1)).pages, new);
        assert_eq!(cache.take(1), None);
    }
}
