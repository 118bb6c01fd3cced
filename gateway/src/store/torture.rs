//! Kill -9 in the middle of writes: this test program runs itself as the writer, kills it at random moments, and looks at
//! what is left. The long run, 50 kills of every kind of store:
//!
//! ```sh
//! cargo test -p tollgate --lib fifty_kills -- --ignored --nocapture --test-threads 1
//! ```

use std::{
    io::{BufRead, BufReader, IsTerminal, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::*;

/// Threads that write at the same time.
pub const N_WRITERS: usize = 2;

/// A writer's records go round; this many of the newest must be there.
const RING: u64 = 500;

/// Kills in an ordinary run.
const FEW: usize = 4;

/// What one write sets, all or nothing: two counters, and the newest record.
struct Settled {
    number: u64,
    sum: u64,
}

impl Settled {
    fn next(&self) -> Self {
        let number = self.number + 1;
        Self { number, sum: self.sum + number % 97 }
    }

    /// What the counters are after so many writes.
    fn after(number: u64) -> u64 {
        (1..=number).map(|it| it % 97).sum()
    }

    fn encode(&self) -> Vec<u8> {
        [self.number.to_be_bytes(), self.sum.to_be_bytes()].concat().repeat(6)
    }

    fn decode(bytes: &[u8]) -> Self {
        let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(bytes, bytes[..16].repeat(6), "a torn value");
        Self { number: number(0), sum: number(8) }
    }
}

fn counter(writer: usize, which: &str) -> Vec<u8> {
    format!("counter/{writer}/{which}").into_bytes()
}

fn record(writer: usize, number: u64) -> Vec<u8> {
    format!("record/{writer}/{:05}", number % RING).into_bytes()
}

fn last(store: &dyn Store, writer: usize, which: &str) -> Settled {
    let value = store.get(&counter(writer, which)).unwrap();
    value.map_or(Settled { number: 0, sum: 0 }, |bytes| Settled::decode(&bytes))
}

fn config(kind: StoreKind, folder: &Path) -> StoreConfig {
    StoreConfig { kind, folder: Some(folder.join("data")), sync_every: Duration::from_millis(50), keep_days: 400 }
}

/// What a writer is told, in a line on its input.
pub struct Task {
    pub kind: StoreKind,
    pub folder: PathBuf,
}

impl Task {
    /// `None` where nobody gave one: somebody runs all ignored tests.
    pub fn given() -> Option<Self> {
        let mut line = String::new();
        if std::io::stdin().is_terminal() || std::io::stdin().read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let (kind, folder) = line.trim_end().split_once(' ')?;
        let kind = StoreKind::ALL.iter().find(|(name, _)| *name == kind)?.1;
        Some(Self { kind, folder: folder.into() })
    }
}

/// Prints that a write has returned; past the capture of tests, and in one piece.
pub fn acknowledge(writer: usize, number: u64) {
    let line = format!("wrote {writer} {number}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

/// Runs in a process of its own.
#[test]
#[ignore = "the writer that the others kill"]
fn writer() {
    let Some(Task { kind, folder }) = Task::given() else { return };
    let store = open(&config(kind, &folder)).unwrap();
    let store = &*store;
    thread::scope(|scope| (0..N_WRITERS).for_each(|it| drop(scope.spawn(move || write_on(store, it)))));
}

fn write_on(store: &dyn Store, writer: usize) {
    let mut settled = last(store, writer, "a");
    loop {
        settled = settled.next();
        let value = settled.encode();
        let keys = [counter(writer, "a"), counter(writer, "b"), record(writer, settled.number)];
        store.write(&keys.each_ref().map(|key| Write::Put(key, &value))).unwrap();
        acknowledge(writer, settled.number);
    }
}

/// Starts the test `writer` as one, kills it after `life`, and returns the last acknowledged write of each thread.
fn killed_after(life: Duration, kind: StoreKind, writer: &str, folder: &Path) -> [u64; N_WRITERS] {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([writer, "--exact", "--ignored", "--nocapture"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let task = format!("{} {}\n", kind.name(), folder.display());
    child.stdin.take().unwrap().write_all(task.as_bytes()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reading = thread::spawn(move || {
        let mut newest = [0; N_WRITERS];
        for line in lines.map_while(Result::ok) {
            if let [_, writer, number] = line.split(' ').collect::<Vec<_>>()[..]
                && let (Ok(writer), Ok(number)) = (writer.parse::<usize>(), number.parse())
            {
                newest[writer] = number;
            }
        }
        newest
    });
    thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

/// Nothing acknowledged is lost, at most one write a thread was in flight, and everything agrees with everything. Returns
/// how many writes there are.
fn check(store: &dyn Store, acknowledged: [u64; N_WRITERS]) -> [u64; N_WRITERS] {
    std::array::from_fn(|writer| {
        let (a, b) = (last(store, writer, "a"), last(store, writer, "b"));
        let acknowledged = acknowledged[writer];
        assert!(
            (acknowledged..=acknowledged + 1).contains(&a.number),
            "{acknowledged} acknowledged, {} found",
            a.number
        );
        assert_eq!((a.number, a.sum), (b.number, b.sum), "half a batch");
        assert_eq!(a.sum, Settled::after(a.number));
        for number in (a.number + 1).saturating_sub(RING).max(1)..=a.number {
            let value = store.get(&record(writer, number)).unwrap().expect("a record that was acknowledged");
            assert_eq!(Settled::decode(&value).number, number);
        }
        a.number
    })
}

fn kill(times: usize, kind: StoreKind) {
    kill_writers(times, kind, "store::torture::writer", |folder, newest| {
        check(&*open(&config(kind, folder)).unwrap(), newest)
    });
}

/// Starts and kills a writer again and again on one folder. `check` gets the newest acknowledged writes each time, and
/// returns those that are there.
pub fn kill_writers(
    times: usize,
    kind: StoreKind,
    writer: &str,
    check: impl Fn(&Path, [u64; N_WRITERS]) -> [u64; N_WRITERS],
) {
    let folder = TempDir::new().unwrap();
    let mut newest = [0; N_WRITERS];
    let mut slowest = Duration::ZERO;
    for _ in 0..times {
        let life = Duration::from_millis(20 + u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 2);
        let acknowledged = killed_after(life, kind, writer, folder.path());
        (0..N_WRITERS).for_each(|it| newest[it] = acknowledged[it].max(newest[it]));
        let opening = Instant::now();
        newest = check(folder.path(), newest);
        slowest = slowest.max(opening.elapsed());
    }
    let written: u64 = newest.iter().sum();
    let size = bytes_below(folder.path()) / 1024;
    println!(
        "{writer} on {}: {times} kills, {written} writes, none lost; opened and checked in {slowest:?}; {size} KiB",
        kind.name()
    );
}

/// A log that is deleted meanwhile has no bytes.
fn bytes_below(folder: &Path) -> u64 {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.iter().map(|it| if it.is_dir() { bytes_below(it) } else { it.metadata().map_or(0, |it| it.len()) }).sum()
}

#[test]
fn a_few_kills_lose_nothing() {
    for it in STORES.iter().filter(|it| it.kind != StoreKind::Memory) {
        kill(FEW, it.kind);
    }
}

#[test]
#[ignore = "a minute; the first lines of this file say how to run it"]
fn fifty_kills_lose_nothing() {
    for it in STORES.iter().filter(|it| it.kind != StoreKind::Memory) {
        kill(50, it.kind);
    }
}
