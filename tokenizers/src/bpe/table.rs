//! Byte strings to token ids: a cache line of keys and ids for short ones, a map for the few long ones.

use rustc_hash::FxHashMap;

use super::key::{Key, MAX_BYTES, Window};

/// No token.
pub(crate) const NONE: u32 = u32::MAX;

const WAYS: usize = 3;

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
            long: FxHashMap::default(),
            longest: 0,
        }
    }

    /// Adds a token; of two with the same bytes the first one stays.
    pub(crate) fn insert(&mut self, bytes: &[u8], id: u32) {
        self.longest = self.longest.max(bytes.len());
        match bytes.len() {
            0 => {}
            1..=MAX_BYTES => self.insert_key(Key::of(bytes, 0, bytes.len()), id),
            _ => drop(self.long.entry(bytes.into()).or_insert(id)),
        }
    }

    fn insert_key(&mut self, wanted: Key, id: u32) {
        let mut place = self.place(wanted);
        loop {
            let bucket = &mut self.buckets[place];
            if let Some(way) = bucket.keys.iter().position(|it| *it == wanted || *it == Key::default()) {
                if bucket.keys[way] != wanted {
                    (bucket.keys[way], bucket.ids[way]) = (wanted, id);
                }
                return;
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
            len if len > self.longest => NONE,
            _ => self.long.get(&bytes[start..end]).copied().unwrap_or(NONE),
        }
    }
}

#[inline(always)]
fn find(bucket: &Bucket, wanted: Key) -> u32 {
    let mut found = NONE;
    for (key, id) in bucket.keys.iter().zip(bucket.ids) {
        let differs = (key.low ^ wanted.low) | (key.high ^ wanted.high);
        found = std::hint::select_unpredictable(differs == 0, id, found);
    }
    found
}
