//! Byte strings to token ids: a cache line of keys and ids for short ones, a map for the few long ones.

use std::hint::{black_box, select_unpredictable};

use rustc_hash::FxHashMap;

use super::{
    filter::Filter,
    key::{Key, MAX_BYTES, Window},
};

/// No token.
pub(crate) const NONE: u32 = u32::MAX;

const WAYS: usize = 3;
/// Buckets that are asked for before they are written.
const AHEAD: usize = 32;

/// One cache line, so that a look-up waits for memory once.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket {
    keys: [Key; WAYS],
    ids: [u32; WAYS],
    /// Keys that belong here and found no room are in the next bucket, or the one behind it.
    overflows: u32,
}

/// The ids of a vocabulary by their bytes.
pub(crate) struct Table {
    buckets: Box<[Bucket]>,
    shift: u32,
    filter: Filter,
    long: FxHashMap<Box<[u8]>, u32>,
    longest: usize,
}

impl Table {
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        let n_buckets = (3 * n_tokens / (2 * WAYS)).next_power_of_two().max(16);
        let empty = Bucket { keys: [Key::default(); WAYS], ids: [NONE; WAYS], overflows: 0 };
        Self {
            buckets: vec![empty; n_buckets].into(),
            shift: 64 - n_buckets.trailing_zeros(),
            filter: Filter::with_capacity(n_tokens),
            long: FxHashMap::default(),
            longest: 0,
        }
    }

    /// Adds a token; of two with the same bytes the first one stays, and the answer is false.
    pub(crate) fn insert(&mut self, bytes: &[u8], id: u32) -> bool {
        self.insert_part(bytes, (0, bytes.len()), id)
    }

    /// As [`Self::insert`], for the parts `start..end` of `bytes`. Calls `take` with each id and answer.
    ///
    /// A bucket is written once memory has brought it. Many are asked for before the first is needed.
    pub(crate) fn insert_parts(
        &mut self,
        bytes: &[u8],
        mut parts: impl Iterator<Item = (u32, (usize, usize))>,
        mut take: impl FnMut(u32, bool),
    ) {
        let mut group = Vec::with_capacity(AHEAD);
        loop {
            group.clear();
            group.extend(parts.by_ref().take(AHEAD));
            if group.is_empty() {
                return;
            }
            black_box(group.iter().fold(0, |all, (_, (start, end))| {
                let key = Window::at(bytes, *start).key(end - start);
                all | self.buckets[self.place(key)].overflows
            }));
            for (id, part) in &group {
                take(*id, self.insert_part(bytes, *part, *id));
            }
        }
    }

    fn insert_part(&mut self, bytes: &[u8], (start, end): (usize, usize), id: u32) -> bool {
        let len = end - start;
        self.longest = self.longest.max(len);
        match len {
            0 => false,
            1..=MAX_BYTES => self.insert_key(Window::at(bytes, start).key(len), id),
            _ => *self.long.entry(bytes[start..end].into()).or_insert(id) == id,
        }
    }

    fn insert_key(&mut self, wanted: Key, id: u32) -> bool {
        self.filter.insert(wanted.hash());
        let mut place = self.place(wanted);
        loop {
            let bucket = &mut self.buckets[place];
            if let Some(way) = bucket.keys.iter().position(|it| *it == wanted || *it == Key::default()) {
                let is_new = bucket.keys[way] != wanted;
                if is_new {
                    (bucket.keys[way], bucket.ids[way]) = (wanted, id);
                }
                return is_new;
            }
            bucket.overflows = 1;
            place = (place + 1) & (self.buckets.len() - 1);
        }
    }

    #[inline(always)]
    fn place(&self, wanted: Key) -> usize {
        (wanted.hash() >> self.shift) as usize & (self.buckets.len() - 1)
    }

    /// The length of the longest token, bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    #[inline(always)]
    pub(crate) fn get(&self, wanted: Key) -> u32 {
        let place = self.place(wanted);
        let bucket = &self.buckets[place];
        let found = find(bucket, wanted);
        if (found == NONE) & (bucket.overflows != 0) { self.get_behind(place, wanted) } else { found }
    }

    /// As [`Self::get`], for what is often no token: then memory is rarely waited for.
    #[inline(always)]
    pub(crate) fn get_doubtful(&self, wanted: Key) -> u32 {
        let may_be = self.filter.may_have(wanted.hash());
        // What is in no bucket is not in the first one either.
        let place = select_unpredictable(may_be, self.place(wanted), 0);
        let bucket = &self.buckets[place];
        let found = find(bucket, wanted);
        if may_be & (found == NONE) & (bucket.overflows != 0) { self.get_behind(place, wanted) } else { found }
    }

    #[cold]
    fn get_behind(&self, mut place: usize, wanted: Key) -> u32 {
        loop {
            place = (place + 1) & (self.buckets.len() - 1);
            let bucket = &self.buckets[place];
            let found = find(bucket, wanted);
            if found != NONE || bucket.overflows == 0 {
                return found;
            }
        }
    }

    /// The id of any byte string, or [`NONE`].
    #[inline(always)]
    pub(crate) fn get_bytes(&self, bytes: &[u8], start: usize, end: usize) -> u32 {
        match end - start {
            0 => NONE,
            1..=MAX_BYTES => self.get(Window::at(bytes, start).key(end - start)),
            _ => self.get_long(bytes, start, end),
        }
    }

    /// As [`Self::get_bytes`], for what is often no token, as two neighbours in merging.
    #[inline(always)]
    pub(crate) fn get_joined(&self, bytes: &[u8], start: usize, end: usize) -> u32 {
        match end - start {
            0 => NONE,
            1..=MAX_BYTES => self.get_doubtful(Window::at(bytes, start).key(end - start)),
            _ => self.get_long(bytes, start, end),
        }
    }

    fn get_long(&self, bytes: &[u8], start: usize, end: usize) -> u32 {
        if end - start > self.longest {
            return NONE;
        }
        self.long.get(&bytes[start..end]).copied().unwrap_or(NONE)
    }
}

#[inline(always)]
fn find(bucket: &Bucket, wanted: Key) -> u32 {
    let mut found = NONE;
    for (key, id) in bucket.keys.iter().zip(bucket.ids) {
        let differs = (key.low ^ wanted.low) | (key.high ^ wanted.high);
        found = select_unpredictable(differs == 0, id, found);
    }
    found
}
