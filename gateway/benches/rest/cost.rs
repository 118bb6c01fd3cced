//! CPU time of a request, at a fixed rate (half of what the contestant can do, and not above a bound that is the same for all),
//! and as fast as answers come. At the rate most requests find the contestant asleep, and pay for waking it.
//!
//! The floor: a proxy makes two exchanges on the loopback device, each of some 4 system calls on its side. The row `direct` is
//! what the provider itself costs.

use serde_json::json;

use crate::Options;
use crate::contestants::Field;
use crate::load::{self, Load};
use crate::report::{self, number};
use crate::workloads;

const CONNECTIONS: usize = 8;
const MAX_RATE: f64 = 1_000.0;

/// Prints a row for each workload and contestant.
pub async fn run(field: &Field, options: &Options) {
    let duration = options.duration(10);
    let mut rows = Vec::new();
    for workload in workloads::ALL {
        for it in field.contestants.iter().filter(|it| it.can(workload)) {
            let fastest = load::saturated(it, workload, duration / 4).await;
            let rate = options.number("--rate").map_or((fastest.answered_per_s() / 2.0).min(MAX_RATE), f64::from);
            let outcome = load::run(it, workload, Load { connections: CONNECTIONS, rate: Some(rate), duration }).await;
            rows.push(vec![
                ("workload", json!(workload.name)),
                ("contestant", json!(it.name)),
                ("rate a second", number(outcome.per_s)),
                ("CPU us a request", number(outcome.cpu_us)),
                ("saturated", number(fastest.cpu_us)),
                ("a second at most", number(fastest.answered_per_s())),
                ("p50 ms", number(outcome.quantile_ms(0.5))),
                ("p99 ms", number(outcome.quantile_ms(0.99))),
                ("failed", json!(outcome.failed())),
                ("RSS MB", number(it.pid.rss_mb())),
            ]);
        }
    }
    report::print("cost of a request", &rows, options.has("--json"));
}
