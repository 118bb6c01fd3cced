//! What happens above the most that a contestant can do: 64 connections that never wait, then many more than that.
//! Nothing may be lost: what is too much gets 429 or 503.

use serde_json::{Map, Value, json};

use crate::Options;
use crate::contestants::Field;
use crate::load::{self, Load, Outcome};
use crate::report::{self, number};
use crate::workloads::SMALL;

const CONNECTIONS: [usize; 2] = [64, 2_048];

/// Prints a row for each number of connections and contestant.
pub async fn run(field: &Field, options: &Options) {
    let duration = options.duration(5);
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        for it in &field.contestants {
            let outcome = load::run(it, &SMALL, Load { connections, rate: None, duration }).await;
            rows.push(vec![
                ("workload", json!(SMALL.name)),
                ("contestant", json!(it.name)),
                ("connections", json!(connections)),
                ("answers a second", number(outcome.per_s)),
                ("CPU us a request", number(outcome.cpu_us)),
                ("p50 ms", number(outcome.quantile_ms(0.5))),
                ("p99 ms", number(outcome.quantile_ms(0.99))),
                ("answers by status", statuses(&outcome)),
            ]);
        }
    }
    report::print("saturation", &rows, options.has("--json"));
}

fn statuses(outcome: &Outcome) -> Value {
    let name = |status: u16| if status == 0 { "lost".to_owned() } else { status.to_string() };
    outcome.statuses.iter().map(|(status, n)| (name(*status), json!(n))).collect::<Map<_, _>>().into()
}
