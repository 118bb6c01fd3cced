//! The ledger: what each API key used, and whether it may use more. Counts and writes; never waits for a model or a network.
//!
//! A request is reserved before it is sent, against the limits of its key, and settled after it, with what the provider
//! returned. `settle` returns when the numbers are in the store. A reservation that is dropped gives back what it held. The
//! clock is an argument everywhere but in `keeper`.

pub mod limit;
pub mod moment;
pub mod rows;
pub mod settlement;
pub mod totals;

mod keeper;
mod periods;
pub mod slot;

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, RwLock},
};

use self::{
    limit::{Amount, Limit, LimitExceeded},
    moment::{Day, Moment, Period},
    periods::{Indexes, Periods, Tallies},
    settlement::{Estimate, Settlement},
    slot::Slot,
    totals::{Row, Tally},
};
use crate::{
    store::{self, Store, StoreError, Write},
    sync::{lock, read, write},
};
use tollgate_config::{Store as StoreConfig, StoreKind};

/// A key that names more models than this in one day has the rest counted as [`OTHER_MODELS`].
const MAX_MODELS: usize = 256;

/// Where models beyond [`MAX_MODELS`] are counted.
const OTHER_MODELS: &str = "(other)";

/// Longer names of models are cut; a key of the store has an end.
const MAX_MODEL_BYTES: usize = 128;

pub struct Ledger {
    store: Arc<dyn Store>,
    slot: Slot,
    accounts: RwLock<HashMap<Box<str>, Arc<Account>>>,
    others_before: Mutex<Before>,
}

/// What other gateways used this month before a day, by key: it hardly changes, and need not be read again and again.
#[derive(Default)]
struct Before {
    day: Option<Day>,
    month: HashMap<Box<str>, Amount>,
}

/// By key: what this gateway used, and what all others did.
type ByKey = HashMap<Box<str>, (Tallies, Tallies)>;

/// By day and model.
type Rows = HashMap<(Day, Box<str>), Arc<Mutex<Row>>>;

/// What one API key uses.
#[derive(Default)]
struct Account {
    periods: Mutex<Periods>,
    /// The rows of this gateway that were written to lately.
    rows: Mutex<Rows>,
}

impl Ledger {
    /// Opens the configured store and goes on from what is in it. A thread keeps the ledger up to date with other gateways,
    /// and forgets what is older than `keep_days`.
    ///
    /// # Errors
    /// What is wrong with the store or its folder.
    pub fn open(config: &StoreConfig) -> Result<Arc<Self>, StoreError> {
        let store = store::open(config)?;
        let slot = match config.kind {
            StoreKind::Memory => Slot::alone(),
            StoreKind::Sqlite | StoreKind::Sled => Slot::take(&store::data_folder(config)?)?,
        };
        let ledger = Arc::new(Self::over(store, slot, Moment::now())?);
        keeper::start(&ledger, config.keep_days);
        Ok(ledger)
    }

    /// Which of the gateways on the data folder this is.
    pub fn slot(&self) -> u32 {
        self.slot.number
    }

    /// Where everything is kept, for what else is.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// A ledger over an open store.
    fn over(store: Arc<dyn Store>, slot: Slot, now: Moment) -> Result<Self, StoreError> {
        let ledger = Self { store, slot, accounts: RwLock::default(), others_before: Mutex::default() };
        let tallies = ledger.tallies(now, now.day().month_start(), now.day())?;
        let accounts = tallies.into_iter().map(|(key, (own, others))| {
            let periods = Mutex::new(Periods::of(&own, others));
            (key, Arc::new(Account { periods, rows: Mutex::default() }))
        });
        *write(&ledger.accounts) = accounts.collect();
        Ok(ledger)
    }

    /// Holds what a request may need.
    ///
    /// # Errors
    /// The limit of its key that does not have it, and when it does again.
    pub fn reserve(
        self: &Arc<Self>,
        key: &str,
        limits: &[Limit],
        now: Moment,
        estimate: Estimate,
    ) -> Result<Reservation, LimitExceeded> {
        let account = self.account(key);
        let periods = lock(&account.periods).reserve(limits, now, estimate.amount())?;
        Ok(Reservation {
            ledger: Arc::clone(self),
            account,
            key: key.into(),
            day: now.day(),
            periods,
            estimate,
            is_open: true,
        })
    }

    /// What `key` used in the period of `now`, running requests not counted.
    #[cfg(test)]
    pub fn used(&self, key: &str, now: Moment, period: Period) -> Amount {
        let account = self.account(key);
        lock(&account.periods).used(now, period)
    }

    fn account(&self, key: &str) -> Arc<Account> {
        let known = read(&self.accounts).get(key).cloned();
        known.unwrap_or_else(|| Arc::clone(write(&self.accounts).entry(key.into()).or_default()))
    }

    /// Takes over what other gateways settled since.
    ///
    /// # Errors
    /// That the store cannot be read.
    fn refresh(&self, now: Moment) -> Result<(), StoreError> {
        let today = now.day();
        let mut before = lock(&self.others_before);
        if before.day != Some(today) {
            let earlier = self.tallies(now, today.month_start(), Day(today.0.saturating_sub(1)))?;
            let month = earlier.into_iter().map(|(key, (_, others))| (key, others[Period::Month as usize].amount));
            *before = Before { day: Some(today), month: month.collect() };
        }
        for (key, (_, mut others)) in self.tallies(now, today, today)? {
            let earlier = before.month.get(&key).copied().unwrap_or_default();
            others[Period::Month as usize].add(Period::Month.index(now), earlier);
            lock(&self.account(&key).periods).set_others(others);
        }
        Ok(())
    }

    /// What was used in the periods of `now`, as far as the rows from `first` to `last` know.
    fn tallies(&self, now: Moment, first: Day, last: Day) -> Result<ByKey, StoreError> {
        let current = Period::ALL.map(|it| it.index(now));
        let mut by_key = ByKey::new();
        rows::read_from(&*self.store, first, |key, row| {
            if key.day > last {
                return;
            }
            let (own, others) = by_key.entry(key.key.into()).or_default();
            let into = if key.slot == self.slot.number { own } else { others };
            add_all(into, &row.tallies, &current);
        })?;
        Ok(by_key)
    }

    /// Forgets days before `first`, and the rows in memory of days before `now`, but for requests that run past midnight.
    fn forget(&self, first: Day, now: Moment) -> Result<(), StoreError> {
        for account in read(&self.accounts).values() {
            lock(&account.rows).retain(|(day, _), _| day.0 + 1 >= now.day().0);
        }
        rows::forget_before(&*self.store, first)
    }

    fn write(
        &self,
        account: &Account,
        reservation: &Reservation,
        settlement: &Settlement<'_>,
    ) -> Result<(), StoreError> {
        let (model, row) = self.row(account, reservation, settlement.model)?;
        let mut row = lock(&row);
        row.totals.add(settlement, reservation.estimate.prompt_tokens);
        let amount = settlement.amount(reservation.estimate);
        for (tally, index) in row.tallies.iter_mut().zip(reservation.periods) {
            // A request that began in an older period does not bring it back.
            if index >= tally.index {
                tally.add(index, amount);
            }
        }
        let mut value = Vec::with_capacity(128);
        row.encode(&mut value);
        let key = rows::encode_key(reservation.day, &reservation.key, &model, self.slot.number);
        // The lock of the row is held, so that the newest sums are written last.
        self.store.write(&[Write::Put(&key, &value)])
    }

    /// The row of a model, from memory or from the store, and the name that it has there.
    fn row(
        &self,
        account: &Account,
        reservation: &Reservation,
        model: &str,
    ) -> Result<(Box<str>, Arc<Mutex<Row>>), StoreError> {
        let model = &model[..model.floor_char_boundary(MAX_MODEL_BYTES)];
        let mut rows = lock(&account.rows);
        let mut at = (reservation.day, Box::from(model));
        let known = rows.get(&at).cloned();
        if known.is_none() && rows.keys().filter(|(day, _)| *day == reservation.day).count() >= MAX_MODELS {
            at.1 = OTHER_MODELS.into();
        }
        let model = at.1.clone();
        if let Some(row) = known.or_else(|| rows.get(&at).cloned()) {
            return Ok((model, row));
        }
        let key = rows::encode_key(reservation.day, &reservation.key, &model, self.slot.number);
        let row = Arc::new(Mutex::new(rows::read(&*self.store, &key)?));
        rows.insert(at, Arc::clone(&row));
        Ok((model, row))
    }
}

/// Adds up the tallies of the periods `current`.
fn add_all(into: &mut Tallies, from: &[Tally], current: &Indexes) {
    for ((into, from), index) in into.iter_mut().zip(from).zip(current) {
        into.add(*index, from.at(*index));
    }
}

/// What a running request holds. Settle it; dropped, it was never sent and costs nothing.
#[must_use = "a reservation that is dropped gives back what it held"]
pub struct Reservation {
    ledger: Arc<Ledger>,
    account: Arc<Account>,
    key: Box<str>,
    day: Day,
    periods: Indexes,
    estimate: Estimate,
    is_open: bool,
}

impl Reservation {
    /// Counts what the request came to, and returns when that is in the store.
    ///
    /// # Errors
    /// That the store cannot be written. The numbers stay in memory, count against limits, and go out with the next
    /// settlement of the same key and model.
    pub fn settle(mut self, settlement: &Settlement<'_>) -> Result<(), StoreError> {
        let used = settlement.amount(self.estimate);
        self.close(used);
        self.ledger.write(&self.account, &self, settlement)
    }

    fn close(&mut self, used: Amount) {
        if mem::replace(&mut self.is_open, false) {
            lock(&self.account.periods).settle(&self.periods, self.estimate.amount(), used);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.close(Amount::default());
    }
}

#[cfg(test)]
mod tests;
