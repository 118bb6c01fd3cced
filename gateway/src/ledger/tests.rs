//! The ledger against an oracle that keeps every request, under threads, over several gateways, and under kill -9.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    moment::DAY_MS,
    rows::used_from,
    settlement::{Failure, Usage},
    totals::Totals,
    *,
};
use crate::store::{
    Entry,
    torture::{N_WRITERS, Task, acknowledge, kill_writers},
};

const MODELS: [&str; 3] = ["gpt-5", "vendor/model", ""];
const KEYS: [&str; 2] = ["k1", "k2"];

fn config(kind: StoreKind, folder: &Path) -> StoreConfig {
    StoreConfig { kind, folder: Some(folder.join("data")), sync_every: Duration::from_millis(50), keep_days: 400 }
}

fn memory() -> Arc<dyn Store> {
    store::open(&config(StoreKind::Memory, Path::new(""))).unwrap()
}

fn ledger(store: &Arc<dyn Store>, slot: u32, now: Moment) -> Arc<Ledger> {
    let slot = Slot { number: slot, ..Slot::alone() };
    Arc::new(Ledger::over(Arc::clone(store), slot, now).unwrap())
}

fn limits(text: &str) -> Vec<Limit> {
    text.split_whitespace().map(|it| it.parse().unwrap()).collect()
}

fn settlement(model: &str, prompt_tokens: u64, cost_micro_usd: u64) -> Settlement<'_> {
    let returned = Some(Usage { prompt_tokens, ..Usage::default() });
    Settlement { model, returned, is_cache_hit: false, failure: None, saved_tokens: 1, cost_micro_usd }
}

#[derive(Clone, Debug)]
enum Step {
    Reserve { key: usize, after_ms: u64, prompt_tokens: u64, cost: u64 },
    Settle { which: usize, model: usize, share: u64, is_failed: bool },
    Drop { which: usize },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minute = 60_000_u64;
    let after_ms = prop_oneof![8 => 0..minute, 2 => 0..60 * minute, 1 => 0..40 * 24 * 60 * minute];
    let reserve = (0_usize..2, after_ms, 0_u64..40, 0_u64..60);
    let reserve =
        reserve.prop_map(|(key, after_ms, prompt_tokens, cost)| Step::Reserve { key, after_ms, prompt_tokens, cost });
    let settle = (any::<usize>(), 0_usize..3, 0_u64..=100, prop::bool::weighted(0.2));
    let settle = settle.prop_map(|(which, model, share, is_failed)| Step::Settle { which, model, share, is_failed });
    let step = prop_oneof![
        6 => reserve,
        4 => settle,
        1 => any::<usize>().prop_map(|which| Step::Drop { which }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..80)
}

/// One request that the oracle remembers.
struct Request {
    key: usize,
    began: Moment,
    amount: Amount,
}

/// All requests, and the sums that follow from them.
#[derive(Default)]
struct Oracle {
    settled: Vec<Request>,
    held: Vec<Request>,
    sums: BTreeMap<(Day, String, String), [u64; 4]>,
}

fn in_period(requests: &[Request], key: usize, period: Period, now: Moment) -> Amount {
    let current = requests.iter().filter(|it| it.key == key && period.index(it.began) == period.index(now));
    current.fold(Amount::default(), |sum, it| sum.plus(it.amount))
}

impl Oracle {
    fn fits(&self, limit: &Limit, key: usize, now: Moment, asked: Amount) -> bool {
        let taken =
            in_period(&self.settled, key, limit.period, now).plus(in_period(&self.held, key, limit.period, now));
        taken.plus(asked).of(limit.measure) <= limit.most
    }

    fn settle(&mut self, at: usize, model: &str, amount: Amount, is_failed: bool) {
        let request = self.held.swap_remove(at);
        let sum = self.sums.entry((request.began.day(), KEYS[request.key].to_owned(), model.to_owned())).or_default();
        let one = [1, amount.tokens, amount.micro_usd, u64::from(is_failed)];
        sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        self.settled.push(Request { amount, ..request });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// A request is let in exactly if it fits; sums are those of all requests, whatever the order; a restart changes nothing.
    #[test]
    fn the_ledger_keeps_to_every_request(steps in steps()) {
        let limits = limits("requests=6/minute tokens=150/hour usd=0.0002/day requests=40/month");
        let store = memory();
        let mut now = Moment(1_790_000_000_000);
        let mut ledger = ledger(&store, 0, now);
        let mut oracle = Oracle::default();
        let mut open: Vec<Reservation> = Vec::new();
        for step in steps {
            match step {
                Step::Reserve { key, after_ms, prompt_tokens, cost } => {
                    now.0 += after_ms;
                    let estimate = Estimate { prompt_tokens, completion_tokens: 2, cost_micro_usd: cost };
                    let fits = limits.iter().all(|limit| oracle.fits(limit, key, now, estimate.amount()));
                    let reserved = ledger.reserve(KEYS[key], &limits, now, estimate);
                    prop_assert_eq!(reserved.is_ok(), fits, "{:?}", reserved.err());
                    if let Ok(reservation) = reserved {
                        open.push(reservation);
                        oracle.held.push(Request { key, began: now, amount: estimate.amount() });
                    }
                }
                Step::Settle { which, model, share, is_failed } if !open.is_empty() => {
                    let at = which % open.len();
                    let reservation = open.swap_remove(at);
                    let held = oracle.held[at].amount;
                    let amount = Amount { requests: 1, tokens: held.tokens * share / 100, micro_usd: held.micro_usd * share / 100 };
                    let failure = is_failed.then_some(Failure::Cut);
                    let settlement = Settlement { failure, ..settlement(MODELS[model], amount.tokens, amount.micro_usd) };
                    reservation.settle(&settlement).unwrap();
                    oracle.settle(at, MODELS[model], amount, is_failed);
                }
                Step::Drop { which } if !open.is_empty() => {
                    let at = which % open.len();
                    drop(open.swap_remove(at));
                    oracle.held.swap_remove(at);
                }
                Step::Restart => {
                    open.clear();
                    oracle.held.clear();
                    ledger = self::ledger(&store, 0, now);
                }
                Step::Settle { .. } | Step::Drop { .. } => {}
            }
            for (key, period) in (0..KEYS.len()).flat_map(|key| Period::ALL.map(|period| (key, period))) {
                prop_assert_eq!(ledger.used(KEYS[key], now, period), in_period(&oracle.settled, key, period, now));
            }
        }
        let found = used_from(&*store, Day(0)).unwrap().into_iter().map(|it| {
            let sum = [it.totals.requests, it.totals.prompt_tokens, it.totals.cost_micro_usd, it.totals.errors()];
            ((it.day, it.key, it.model), sum)
        });
        prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), oracle.sums);
    }
}

#[test]
fn threads_neither_lose_nor_exceed() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(&config(StoreKind::Sqlite, folder.path())).unwrap();
    let limits = limits("requests=500/month tokens=4000/month");
    let now = Moment::now();
    let (tokens, admitted) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for n in 0..8_u64 {
            let (ledger, limits, tokens, admitted) = (&ledger, &limits, &tokens, &admitted);
            scope.spawn(move || {
                for round in 0..200 {
                    let estimate = Estimate { prompt_tokens: 10, ..Estimate::default() };
                    let Ok(reservation) = ledger.reserve("k", limits, now, estimate) else { continue };
                    let used = (n + round) % 11;
                    if used == 10 {
                        continue;
                    }
                    reservation.settle(&settlement(MODELS[(round % 2) as usize], used, 0)).unwrap();
                    tokens.fetch_add(used, Ordering::SeqCst);
                    admitted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let used = ledger.used("k", now, Period::Month);
    assert_eq!((used.requests, used.tokens), (admitted.into_inner(), tokens.into_inner()));
    assert!(used.requests <= 500 && used.tokens <= 4000, "{used:?}");
    let rows = used_from(&*ledger.store, Day(0)).unwrap();
    let sum = |number: fn(&Totals) -> u64| rows.iter().map(|it| number(&it.totals)).sum::<u64>();
    assert_eq!((sum(|it| it.requests), sum(|it| it.prompt_tokens)), (used.requests, used.tokens));
}

#[test]
fn gateways_add_up_and_see_each_other() {
    let store = memory();
    let now = Moment(1_790_000_000_000);
    let (one, other) = (ledger(&store, 0, now), ledger(&store, 1, now));
    let limits = limits("requests=3/hour");
    // Earlier in the month, and in the month before.
    for ago in [2, 40] {
        let then = Moment(now.0 - ago * DAY_MS);
        other.reserve("k", &[], then, Estimate::default()).unwrap().settle(&settlement("m", 100, 0)).unwrap();
    }
    let spend = |ledger: &Arc<Ledger>| {
        let reserved = ledger.reserve("k", &limits, now, Estimate::default());
        reserved.map(|it| it.settle(&settlement("m", 5, 7)).unwrap())
    };
    spend(&one).unwrap();
    spend(&other).unwrap();
    one.refresh(now).unwrap();
    one.refresh(now).unwrap();
    spend(&one).unwrap();
    assert_eq!(spend(&one).unwrap_err().used, 3);
    assert_eq!(one.used("k", now, Period::Month).tokens, 115);
    // What another settled since the last look is not seen; that is what `keeper` is for.
    spend(&other).unwrap();
    let restarted = ledger(&store, 0, now);
    assert_eq!(restarted.used("k", now, Period::Hour).requests, 4);
    assert_eq!(restarted.used("k", now, Period::Month).tokens, 120);
    let rows = used_from(&*store, now.day()).unwrap();
    let totals = rows.iter().map(|it| (it.totals.requests, it.totals.prompt_tokens, it.totals.cost_micro_usd));
    assert_eq!(totals.collect::<Vec<_>>(), [(4, 20, 28)]);
}

#[test]
fn an_open_ledger_learns_what_others_use() {
    let folder = TempDir::new().unwrap();
    let config = config(StoreKind::Sqlite, folder.path());
    let now = Moment::now();
    let (one, other) = (Ledger::open(&config).unwrap(), Ledger::open(&config).unwrap());
    assert_ne!(one.slot.number, other.slot.number);
    other.reserve("k", &[], now, Estimate::default()).unwrap().settle(&settlement("m", 5, 7)).unwrap();
    let is_seen = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        one.used("k", now, Period::Month).requests == 1
    });
    assert!(is_seen, "the keeper looks every half second");
}

#[test]
fn old_days_are_forgotten() {
    let store = memory();
    let now = Moment(1_790_000_000_000);
    let ledger = ledger(&store, 0, now);
    // More than a page of rows.
    let days = || (0..1500).map(|ago| Moment(now.0 - ago * DAY_MS));
    for at in days() {
        ledger.reserve("k", &[], at, Estimate::default()).unwrap().settle(&settlement("m", 5, 7)).unwrap();
    }
    assert_eq!(used_from(&*store, Day(0)).unwrap().len(), 1500);
    keeper::Kept::default().step(&ledger, now, 40).unwrap();
    let kept: Vec<_> = used_from(&*store, Day(0)).unwrap().into_iter().map(|it| it.day).collect();
    assert_eq!((kept.len(), kept[0], kept[40]), (41, Day(now.day().0 - 40), now.day()));
    let in_memory = lock(&ledger.account("k").rows).len();
    assert_eq!(in_memory, 2, "today and yesterday");
}

#[test]
fn models_without_end_share_a_row() {
    let store = memory();
    let now = Moment(1_790_000_000_000);
    let ledger = ledger(&store, 0, now);
    let settle = |model: &str| {
        ledger.reserve("k", &[], now, Estimate::default()).unwrap().settle(&settlement(model, 1, 0)).unwrap();
    };
    (0..MAX_MODELS + 40).for_each(|n| settle(&format!("model-{n}")));
    settle("model-0");
    settle(&"é".repeat(5000));
    let rows = used_from(&*store, Day(0)).unwrap();
    let requests = |model: &str| rows.iter().find(|it| it.model == model).map_or(0, |it| it.totals.requests);
    assert_eq!((rows.len(), requests(OTHER_MODELS), requests("model-0")), (MAX_MODELS + 1, 41, 2));
    assert!(rows.iter().all(|it| it.model.len() <= MAX_MODEL_BYTES));
}

#[test]
fn what_is_not_returned_is_taken_as_estimated() {
    let now = Moment(1_790_000_000_000);
    let estimate = Estimate { prompt_tokens: 90, completion_tokens: 10, cost_micro_usd: 5 };
    let returned = Some(Usage { prompt_tokens: 85, completion_tokens: 3, cached_tokens: 40, reasoning_tokens: 2 });
    let rows = [
        (returned, None, 88, (85, 90, 5, 0)),
        (returned, Some(Failure::Cut), 88, (85, 90, 5, 0)),
        (None, None, 100, (0, 0, 0, 1)),
        (None, Some(Failure::Provider), 0, (0, 0, 0, 1)),
    ];
    for (returned, failure, counted, expected) in rows {
        let store = memory();
        let ledger = ledger(&store, 0, now);
        let settlement = Settlement { returned, failure, ..settlement("m", 0, 4) };
        ledger.reserve("k", &[], now, estimate).unwrap().settle(&settlement).unwrap();
        let used = ledger.used("k", now, Period::Minute);
        assert_eq!((used.requests, used.tokens, used.micro_usd), (1, counted, 4));
        let totals = used_from(&*store, Day(0)).unwrap()[0].totals;
        let found =
            (totals.prompt_tokens, totals.estimated_tokens, totals.estimate_off_tokens, totals.unreported_requests);
        assert_eq!((found, totals.errors()), (expected, u64::from(failure.is_some())));
    }
}

#[test]
fn a_hit_of_the_cache_is_counted_apart_and_against_no_limit() {
    let now = Moment(1_790_000_000_000);
    let store = memory();
    let ledger = ledger(&store, 0, now);
    let settle = |settlement: &Settlement<'_>| {
        ledger.reserve("k", &[], now, Estimate::default()).unwrap().settle(settlement).unwrap();
    };
    settle(&settlement("m", 70, 4));
    for returned in [Some(Usage { prompt_tokens: 70, completion_tokens: 7, ..Usage::default() }), None] {
        settle(&Settlement { returned, is_cache_hit: true, saved_tokens: 0, ..settlement("m", 0, 0) });
    }
    let used = ledger.used("k", now, Period::Minute);
    assert_eq!((used.requests, used.tokens, used.micro_usd), (1, 70, 4));
    let totals = used_from(&*store, Day(0)).unwrap()[0].totals;
    assert_eq!((totals.requests, totals.prompt_tokens, totals.cost_micro_usd), (1, 70, 4));
    assert_eq!((totals.cache_hits, totals.cache_unspent_tokens, totals.unreported_requests), (2, 77, 0));
}

/// A disk that is full now and then.
struct Failing(Arc<dyn Store>, AtomicBool);

impl Store for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key)
    }

    fn write(&self, batch: &[Write<'_>]) -> Result<(), StoreError> {
        match self.1.load(Ordering::SeqCst) {
            true => Err(StoreError::new(Path::new("disk"), "is full", "make room")),
            false => self.0.write(batch),
        }
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.0.scan(prefix, after, limit)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_failed_write_is_made_good_by_the_next() {
    let failing = Arc::new(Failing(memory(), AtomicBool::new(false)));
    let store: Arc<dyn Store> = failing.clone();
    let now = Moment(1_790_000_000_000);
    let ledger = ledger(&store, 0, now);
    let settled = [false, true, true, false].map(|is_full| {
        failing.1.store(is_full, Ordering::SeqCst);
        ledger.reserve("k", &[], now, Estimate::default()).unwrap().settle(&settlement("m", 5, 1)).is_ok()
    });
    assert_eq!(settled, [true, false, false, true]);
    assert_eq!(used_from(&*store, Day(0)).unwrap()[0].totals.prompt_tokens, 20);
    assert_eq!(ledger.used("k", now, Period::Day).tokens, 20);
}

#[test]
fn a_row_that_is_none_is_told() {
    let store = memory();
    let now = Moment(1_790_000_000_000);
    store.write(&[Write::Put(&rows::encode_key(now.day(), "k", "m", 0), b"?")]).unwrap();
    let error = Ledger::over(store, Slot::alone(), now).err().unwrap().to_string();
    assert!(error.starts_with("`usage/20717/k/m/0` is no row of the ledger; put a copy"), "{error}");
}

/// Runs in a process of its own, as the proxy does: reserves and settles until it is killed.
#[test]
#[ignore = "the writer that the others kill"]
fn settler() {
    let Some(Task { kind, folder }) = Task::given() else { return };
    let ledger = Ledger::open(&config(kind, &folder)).unwrap();
    let ledger = &ledger;
    thread::scope(|scope| (0..N_WRITERS).for_each(|writer| drop(scope.spawn(move || settle_on(ledger, writer)))));
}

fn settle_on(ledger: &Arc<Ledger>, writer: usize) {
    let model = format!("model-{writer}");
    let before = used_from(&*ledger.store, Day(0)).unwrap();
    let mut number = before.iter().filter(|it| it.model == model).map(|it| it.totals.requests).sum();
    loop {
        number += 1;
        let reservation = ledger.reserve("k", &[], Moment::now(), Estimate::default()).unwrap();
        reservation.settle(&settlement(&model, number % 97, number % 7)).unwrap();
        acknowledge(writer, number);
    }
}

/// Nothing acknowledged is lost, at most one request a thread was in flight, and the sums are those of the requests.
fn check(kind: StoreKind, folder: &Path, acknowledged: [u64; N_WRITERS]) -> [u64; N_WRITERS] {
    let ledger = Ledger::open(&config(kind, folder)).unwrap();
    let rows = used_from(&*ledger.store, Day(0)).unwrap();
    let found = std::array::from_fn(|writer| {
        let mine = || rows.iter().filter(|it| it.model == format!("model-{writer}")).map(|it| it.totals);
        let requests: u64 = mine().map(|it| it.requests).sum();
        let acknowledged = acknowledged[writer];
        assert!((acknowledged..=acknowledged + 1).contains(&requests), "{acknowledged} acknowledged, {requests} found");
        assert_eq!(mine().map(|it| it.prompt_tokens).sum::<u64>(), (1..=requests).map(|it| it % 97).sum::<u64>());
        assert_eq!(mine().map(|it| it.cost_micro_usd).sum::<u64>(), (1..=requests).map(|it| it % 7).sum::<u64>());
        requests
    });
    // On the last evening of a month the first requests are of another one.
    assert!(ledger.used("k", Moment::now(), Period::Month).requests <= found.iter().sum());
    found
}

#[test]
fn settlements_survive_a_few_kills() {
    for kind in [StoreKind::Sqlite, StoreKind::Sled] {
        kill_writers(3, kind, "ledger::tests::settler", |folder, newest| check(kind, folder, newest));
    }
}

#[test]
#[ignore = "a minute; `store/torture.rs` says how to run it"]
fn settlements_survive_fifty_kills() {
    for kind in [StoreKind::Sqlite, StoreKind::Sled] {
        kill_writers(50, kind, "ledger::tests::settler", |folder, newest| check(kind, folder, newest));
    }
}

/// Nanoseconds that this thread was on a processor.
#[cfg(target_os = "linux")]
fn on_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// `cargo test --release -p tollgate --lib ledger::tests::costs -- --ignored --nocapture`
#[cfg(target_os = "linux")]
#[test]
#[ignore = "prints what a request costs the ledger"]
fn costs() {
    const ROUNDS: u64 = 20_000;
    let limits = limits("requests=1000000000/minute tokens=1000000000000/day usd=1000000/month");
    for (_, kind) in StoreKind::ALL {
        let folder = TempDir::new().unwrap();
        let ledger = Ledger::open(&config(*kind, folder.path())).unwrap();
        let (now, estimate) =
            (Moment::now(), Estimate { prompt_tokens: 900, completion_tokens: 400, cost_micro_usd: 77 });
        let began = on_cpu_ns();
        (0..ROUNDS).for_each(|_| drop(ledger.reserve("0123456789ab", &limits, now, estimate).unwrap()));
        let reserving = on_cpu_ns() - began;
        let began = on_cpu_ns();
        let mut waits: Vec<u128> = (0..ROUNDS)
            .map(|round| {
                let begun = std::time::Instant::now();
                let reservation = ledger.reserve("0123456789ab", &limits, now, estimate).unwrap();
                reservation.settle(&settlement("gpt-5-mini", 870 + round % 7, 70)).unwrap();
                begun.elapsed().as_nanos()
            })
            .collect();
        let both = on_cpu_ns() - began;
        waits.sort_unstable();
        let [p50, p99] = [50, 99].map(|percent| waits[waits.len() * percent / 100] as f64 / 1e3);
        let each = |ns: u64| ns as f64 / ROUNDS as f64 / 1e3;
        println!(
            "{}: reserve and drop {:.2} us, reserve and settle {:.2} us of CPU; p50 {p50:.1}, p99 {p99:.1} us",
            kind.name(),
            each(reserving),
            each(both)
        );
    }
}
