//! Memory of idle streams: each has had its first event and waits. When the clients go, the provider's streams must end too.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::Options;
use crate::contestants::{Contestant, Field};
use crate::http::Connection;
use crate::report::{self, Row, number};
use crate::workloads::IDLE;

const STREAMS: u32 = 10_000;
/// A peer that needs 15 ms a request would still be opening after minutes.
const PEER_STREAMS: u32 = 1_000;
const OPENED_AT_A_TIME: usize = 32;
const SETTLE: Duration = Duration::from_secs(2);
const END: Duration = Duration::from_secs(30);

/// Prints a row for each contestant.
pub async fn run(field: &Field, options: &Options) {
    let mut rows = Vec::new();
    for it in &field.contestants {
        let is_peer = !matches!(it.name.as_str(), "direct" | "tollgate");
        let wanted = options.number("--streams").unwrap_or(if is_peer { PEER_STREAMS } else { STREAMS });
        rows.push(measure(it, wanted, &field.provider).await);
    }
    report::print("idle streams", &rows, options.has("--json"));
}

async fn measure(contestant: &Contestant, wanted: u32, provider: &str) -> Row {
    let request = contestant.request(&IDLE);
    let (rss_before, begun) = (contestant.pid.rss_mb(), Instant::now());
    let opening = (0..wanted).map(|_| open(&contestant.address, &request));
    let opened: Vec<_> = futures_util::stream::iter(opening).buffer_unordered(OPENED_AT_A_TIME).collect().await;
    let streams: Vec<Connection> = opened.into_iter().flatten().collect();
    let (n_streams, opened_s) = (streams.len(), begun.elapsed().as_secs_f64());
    tokio::time::sleep(SETTLE).await;
    let (rss_open, cpu_before) = (contestant.pid.rss_mb(), contestant.pid.cpu_ms());
    tokio::time::sleep(SETTLE).await;
    let idle_cpu = (contestant.pid.cpu_ms() - cpu_before) / SETTLE.as_secs_f64();
    let at_provider = still_open(provider).await;
    drop(streams);
    let left = wait_for_the_end(provider).await;
    vec![
        ("contestant", json!(contestant.name)),
        ("streams", json!(n_streams)),
        ("failed", json!(wanted as usize - n_streams)),
        ("open at the provider", json!(at_provider)),
        ("opened in s", number(opened_s)),
        ("RSS before MB", number(rss_before)),
        ("RSS MB", number(rss_open)),
        ("kB a stream", number((rss_open - rss_before) * 1024.0 / n_streams.max(1) as f64)),
        ("idle CPU ms a second", number(idle_cpu)),
        ("RSS after MB", number(contestant.pid.rss_mb())),
        ("left at the provider", json!(left)),
    ]
}

async fn open(address: &str, request: &[u8]) -> Option<Connection> {
    let mut connection = Connection::open(address).await.ok()?;
    let status = connection.begin_stream(request).await.ok()?;
    (status == 200).then_some(connection)
}

async fn wait_for_the_end(provider: &str) -> u64 {
    let begun = Instant::now();
    loop {
        let left = still_open(provider).await;
        if left == 0 || begun.elapsed() > END {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many requests the provider has not ended.
async fn still_open(provider: &str) -> u64 {
    let request = format!("GET /mock/stats HTTP/1.1\r\nhost: {provider}\r\n\r\n");
    let mut connection = Connection::open(provider).await.expect("the provider runs");
    let answer = connection.exchange(request.as_bytes()).await.expect("the provider answers");
    let body = String::from_utf8_lossy(&answer.bytes);
    let json = body.split_once("\r\n\r\n").expect("a body").1;
    serde_json::from_str::<Value>(json).ok().and_then(|it| it["open"].as_u64()).expect("a number of streams")
}
