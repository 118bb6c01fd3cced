//! What a contestant adds to the time of an answer: at one connection, and at 64 with half of the load that it can bear.

use serde_json::json;

use crate::Options;
use crate::contestants::Field;
use crate::load::{self, Load};
use crate::report::{self, number};
use crate::workloads;

const CONNECTIONS: usize = 64;

/// Prints a row for each workload, load and contestant; the provider itself is the floor.
pub async fn run(field: &Field, options: &Options) {
    let duration = options.duration(5);
    let mut rows = Vec::new();
    for workload in workloads::ALL {
        let mut floors = [None, None];
        for it in field.contestants.iter().filter(|it| it.can(workload)) {
            let fastest = load::capacity(it, workload, duration / 2).await;
            let loads = [(1, None), (CONNECTIONS, Some(fastest / 2.0))];
            for ((connections, rate), floor) in loads.into_iter().zip(&mut floors) {
                let outcome = load::run(it, workload, Load { connections, rate, duration }).await;
                let p50_ms = outcome.quantile_ms(0.5);
                let floor = *floor.get_or_insert(p50_ms);
                rows.push(vec![
                    ("workload", json!(workload.name)),
                    ("contestant", json!(it.name)),
                    ("connections", json!(connections)),
                    ("rate a second", number(outcome.per_s)),
                    ("p50 ms", number(p50_ms)),
                    ("added p50 ms", number(p50_ms - floor)),
                    ("p99 ms", number(outcome.quantile_ms(0.99))),
                    ("failed", json!(outcome.failed())),
                ]);
            }
        }
    }
    report::print("latency", &rows, options.has("--json"));
}
