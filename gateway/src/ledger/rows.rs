//! The rows of the ledger in the store: one for each key, model, UTC day and gateway, under `usage/DAY/KEY/MODEL/SLOT`.
//!
//! Each gateway writes rows of its own, so that none overwrites another's, and a write is one put that reads nothing.
//! Readers add them up.

use std::{collections::BTreeMap, path::Path};

use super::{
    moment::Day,
    totals::{Row, Totals},
};
use crate::store::{Entry, Store, StoreError, Write};

const PREFIX: &[u8] = b"usage/";

/// Rows that are read or deleted at a time.
const PAGE: usize = 1000;

/// Whose row it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowKey {
    pub day: Day,
    /// The id of an API key.
    pub key: String,
    pub model: String,
    /// Which gateway of this machine.
    pub slot: u32,
}

/// Days have five digits until the year 2243, so that their order is that of their texts.
fn day_prefix(day: Day) -> Vec<u8> {
    format!("usage/{:05}/", day.0).into_bytes()
}

/// An id of a key has no slash; a model may have some.
pub fn encode_key(day: Day, key: &str, model: &str, slot: u32) -> Vec<u8> {
    format!("usage/{:05}/{key}/{model}/{slot}", day.0).into_bytes()
}

fn decode_key(bytes: &[u8]) -> Option<RowKey> {
    let rest = std::str::from_utf8(bytes).ok()?.strip_prefix("usage/")?;
    let (day, rest) = rest.split_once('/')?;
    let (key, rest) = rest.split_once('/')?;
    let (model, slot) = rest.rsplit_once('/')?;
    let (day, slot) = (Day(day.parse().ok()?), slot.parse().ok()?);
    Some(RowKey { day, key: key.to_owned(), model: model.to_owned(), slot })
}

/// Calls `each` for every row from `first` on, in the order of days, keys and models.
///
/// # Errors
/// That the store cannot be read, or has a row that is none.
pub fn read_from(store: &dyn Store, first: Day, mut each: impl FnMut(RowKey, Row)) -> Result<(), StoreError> {
    // In front of the first row of the day: `usage/00042/`.
    let mut after = day_prefix(first);
    loop {
        let page = store.scan(PREFIX, Some(&after), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for entry in &page {
            let (key, row) = decode(entry)?;
            each(key, row);
        }
    }
}

fn decode((key, value): &Entry) -> Result<(RowKey, Row), StoreError> {
    decode_key(key).zip(Row::decode(value)).ok_or_else(|| damaged(key))
}

/// The row of one gateway; empty if there is none.
///
/// # Errors
/// As [`read_from`].
pub fn read(store: &dyn Store, key: &[u8]) -> Result<Row, StoreError> {
    match store.get(key)? {
        Some(value) => Row::decode(&value).ok_or_else(|| damaged(key)),
        None => Ok(Row::default()),
    }
}

fn damaged(key: &[u8]) -> StoreError {
    let row = key.escape_ascii().to_string();
    StoreError::new(
        Path::new(&row),
        "is no row of the ledger",
        "put a copy of the data folder in its place, or begin anew",
    )
}

/// Deletes the rows of days before `first`, a page at a time, so that nobody waits for long.
///
/// # Errors
/// That the store cannot be read or written.
pub fn forget_before(store: &dyn Store, first: Day) -> Result<(), StoreError> {
    let end = day_prefix(first);
    loop {
        let page = store.scan(PREFIX, None, PAGE)?;
        let old: Vec<_> = page.iter().take_while(|(key, _)| *key < end).map(|(key, _)| Write::Delete(key)).collect();
        store.write(&old)?;
        if old.len() < PAGE {
            return Ok(());
        }
    }
}

/// What was used of one model by one key on one day, by all gateways together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub day: Day,
    pub key: String,
    pub model: String,
    pub totals: Totals,
}

/// Everything from `first` on, by day, key and model.
///
/// # Errors
/// As [`read_from`].
pub fn used_from(store: &dyn Store, first: Day) -> Result<Vec<Used>, StoreError> {
    let mut sums: BTreeMap<(Day, String, String), Totals> = BTreeMap::new();
    read_from(store, first, |key, row| {
        sums.entry((key.day, key.key, key.model)).or_default().merge(&row.totals);
    })?;
    Ok(sums.into_iter().map(|((day, key, model), totals)| Used { day, key, model, totals }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written() {
        for model in ["gpt-5", "Qwen/Qwen3-8B", "", "a/b/1", "é 模"] {
            let expected = RowKey { day: Day(20_782), key: "k1".into(), model: model.into(), slot: 12 };
            assert_eq!(decode_key(&encode_key(Day(20_782), "k1", model, 12)), Some(expected));
        }
        for text in ["usage/", "usage/x/k/m/0", "usage/1/k/0", "usage/1/k/m/x", "layout"] {
            assert_eq!(decode_key(text.as_bytes()), None, "{text}");
        }
    }
}
