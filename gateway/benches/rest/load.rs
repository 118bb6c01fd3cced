//! Requests, as fast as answers come or at a rate, and what became of them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use crate::contestants::Contestant;
use crate::http::Connection;
use crate::workloads::Workload;

const WARM_UP: Duration = Duration::from_millis(1_500);

/// How the requests come.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    /// Requests a second over all connections; without it, each connection sends when it has its answer.
    pub rate: Option<f64>,
    pub duration: Duration,
}

/// What became of them.
#[derive(Default)]
pub struct Outcome {
    /// Of the answers with status 200, sorted.
    times_ms: Vec<f64>,
    /// Status, or 0 for a connection that broke, to how often.
    pub statuses: BTreeMap<u16, u64>,
    pub per_s: f64,
    pub cpu_us: f64,
}

impl Outcome {
    /// The time that a share of the answers was within.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let at = (self.times_ms.len().saturating_sub(1) as f64 * share) as usize;
        self.times_ms.get(at).copied().unwrap_or(f64::NAN)
    }

    /// Requests a second that were answered with 200.
    pub fn answered_per_s(&self) -> f64 {
        let answered = self.statuses.get(&200).copied().unwrap_or(0) as f64;
        self.per_s * answered / (answered + self.failed() as f64).max(1.0)
    }

    /// How many were not answered with 200.
    pub fn failed(&self) -> u64 {
        self.statuses.iter().filter(|(status, _)| **status != 200).map(|(_, n)| n).sum()
    }
}

/// Warms up, then measures; CPU time is that of the contestant a request.
pub async fn run(contestant: &Contestant, workload: &Workload, load: Load) -> Outcome {
    drive(contestant, workload, Load { duration: WARM_UP.min(load.duration), ..load }).await;
    let (cpu_before, begun) = (contestant.pid.cpu_ms(), Instant::now());
    let mut outcome = drive(contestant, workload, load).await;
    let n_requests = outcome.statuses.values().sum::<u64>().max(1) as f64;
    outcome.cpu_us = (contestant.pid.cpu_ms() - cpu_before) * 1e3 / n_requests;
    outcome.per_s = n_requests / begun.elapsed().as_secs_f64();
    outcome.times_ms.sort_by(f64::total_cmp);
    outcome
}

/// The most requests a second that are answered with 200.
pub async fn capacity(contestant: &Contestant, workload: &Workload, duration: Duration) -> f64 {
    saturated(contestant, workload, duration).await.answered_per_s()
}

/// What becomes of requests that come as fast as answers do.
pub async fn saturated(contestant: &Contestant, workload: &Workload, duration: Duration) -> Outcome {
    run(contestant, workload, Load { connections: 64, rate: None, duration }).await
}

async fn drive(contestant: &Contestant, workload: &Workload, load: Load) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let request: Rc<[u8]> = contestant.request(workload).into();
    let begun = Instant::now();
    let workers = LocalSet::new();
    for worker_idx in 0..load.connections {
        let worker = Worker {
            address: contestant.address.clone(),
            request: Rc::clone(&request),
            outcome: Rc::clone(&outcome),
            begun,
            load,
            worker_idx,
        };
        workers.spawn_local(worker.work());
    }
    workers.await;
    Rc::into_inner(outcome).map(RefCell::into_inner).expect("all workers have ended")
}

struct Worker {
    address: String,
    request: Rc<[u8]>,
    outcome: Rc<RefCell<Outcome>>,
    begun: Instant,
    load: Load,
    worker_idx: usize,
}

impl Worker {
    async fn work(self) {
        let mut connection = None;
        let mut round = 0;
        loop {
            let begun = self.turn(round).await;
            round += 1;
            if self.begun.elapsed() >= self.load.duration {
                return;
            }
            match self.exchange(connection.take()).await {
                Ok((status, kept)) => {
                    self.note(status, begun);
                    connection = Some(kept);
                }
                // Lost: the connection broke, or none was to be had.
                Err(_) => self.note(0, begun),
            }
        }
    }

    /// Waits for the worker's turn. A worker that is late because of its last answer counts from when its turn was; one that the
    /// clock woke late does not.
    async fn turn(&self, round: usize) -> Instant {
        let Some(rate) = self.load.rate else {
            return Instant::now();
        };
        let number = round * self.load.connections + self.worker_idx;
        let due = self.begun + Duration::from_secs_f64(number as f64 / rate);
        if due < Instant::now() {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        Instant::now()
    }

    async fn exchange(&self, kept: Option<Connection>) -> std::io::Result<(u16, Connection)> {
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        let answer = connection.exchange(&self.request).await?;
        Ok((answer.status, connection))
    }

    fn note(&self, status: u16, begun: Instant) {
        let mut outcome = self.outcome.borrow_mut();
        *outcome.statuses.entry(status).or_default() += 1;
        if status == 200 {
            outcome.times_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
}
