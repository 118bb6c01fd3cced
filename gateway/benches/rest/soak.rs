//! Memory over time at a steady load of all workloads in turn. It is flat if the second half of the run does not grow.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Options;
use crate::contestants::{Contestant, Field};
use crate::load::{self, Load};
use crate::report::{self, Row, number};
use crate::workloads;

const SECONDS: u32 = 600;
const SLICE: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 32;
const RATE: u32 = 500;

/// Prints a row for each contestant, one after the other.
pub async fn run(field: &Field, options: &Options) {
    let mut rows = Vec::new();
    for it in &field.contestants {
        rows.push(soak(it, options).await);
    }
    report::print("soak", &rows, options.has("--json"));
}

async fn soak(contestant: &Contestant, options: &Options) -> Row {
    let (duration, rate) = (options.duration(SECONDS), options.number("--rate").unwrap_or(RATE));
    let load = Load { connections: CONNECTIONS, rate: Some(rate.into()), duration: SLICE };
    let begun = Instant::now();
    let (mut samples, mut n_failed, mut n_answered) = (Vec::new(), 0, 0);
    for workload in workloads::ALL.iter().filter(|it| contestant.can(it)).cycle() {
        let outcome = load::run(contestant, workload, load).await;
        n_failed += outcome.failed();
        n_answered += outcome.statuses.get(&200).copied().unwrap_or(0);
        samples.push((begun.elapsed().as_secs_f64(), contestant.pid.rss_mb()));
        if begun.elapsed() >= duration {
            break;
        }
    }
    let half = &samples[samples.len() / 2..];
    let rss = |it: Option<&(f64, f64)>| number(it.map_or(f64::NAN, |it| it.1));
    vec![
        ("contestant", json!(contestant.name)),
        ("answered", json!(n_answered)),
        ("failed", json!(n_failed)),
        ("RSS MB at the start", rss(samples.first())),
        ("in the middle", rss(half.first())),
        ("at the end", rss(samples.last())),
        ("MB an hour, second half", number(slope(half) * 3_600.0)),
    ]
}

/// The slope of the line that fits best, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n_points = points.len() as f64;
    let mean_x = points.iter().map(|it| it.0).sum::<f64>() / n_points;
    let mean_y = points.iter().map(|it| it.1).sum::<f64>() / n_points;
    let above: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}
