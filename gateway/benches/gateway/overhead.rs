//! What a `tools/call` through the gateway costs above a direct one, beside peers in the same run.
//!
//! The floor: one HTTP exchange is 4 system calls on each side, about 25 us of kernel time on loopback; a proxy makes two
//! exchanges.

use std::{path::PathBuf, process::Command, process::Stdio, sync::Arc, time::Instant};

use serde_json::{Value, json};

use crate::client::{Client, median, start_fixture, start_gateway};
use crate::process::{Process, binary, free_port};

const ROUNDS: usize = 5;
const WARM_UP: usize = 200;
const IN_FLIGHT: [usize; 2] = [1, 8];

/// Something that answers `tools/call`, and how to ask it for the same greeting.
struct Front {
    name: &'static str,
    /// Whose CPU counts as overhead; the direct server has none.
    process: Option<Process>,
    url: String,
    client: Arc<Client>,
    params: Value,
}

struct Sample {
    p50_ms: f64,
    p99_ms: f64,
    cpu_ms: f64,
}

/// Measures all fronts with 1 and 8 calls in flight and prints a table, or JSON.
pub async fn run(calls: usize, peers: Option<PathBuf>, as_json: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let (_fixture, url) = start_fixture();
    let fixture = binary("tollgate-fixture");
    let greet = json!({"name": "greet", "arguments": {"name": "you"}});
    let mut fronts = vec![Front {
        name: "direct",
        process: None,
        url: url.clone(),
        client: Arc::new(Client::open(&url).await),
        params: greet.clone(),
    }];
    let profile = "[profiles.default]\nupstreams = [\"it\"]\n[upstreams.it]\n";
    for (name, upstream) in [
        ("tollgate, HTTP upstream", format!("url = \"{url}\"\n")),
        ("tollgate, stdio upstream", format!("command = {:?}\nargs = [\"stdio\"]\n", fixture)),
    ] {
        let (process, url) =
            start_gateway(folder.path(), &name.replace([' ', ','], "-"), &format!("{profile}{upstream}"));
        fronts.push(open(name, process, &url, greet.clone()).await);
    }
    if let Some(peers) = peers {
        fronts.extend(start_peers(&peers, &fixture).await);
    }
    for in_flight in IN_FLIGHT {
        for front in &mut fronts {
            // A fresh session: some fronts forget theirs while the others are measured.
            front.client = Arc::new(Client::open(&front.url).await);
        }
        let samples = measure(&fronts, calls, in_flight).await;
        report(&fronts, &samples, calls, in_flight, as_json);
    }
}

async fn open(name: &'static str, process: Process, url: &str, params: Value) -> Front {
    Front { name, process: Some(process), url: url.to_owned(), client: Arc::new(Client::open(url).await), params }
}

async fn start_peers(venv: &std::path::Path, fixture: &std::path::Path) -> Vec<Front> {
    let invoke = json!({"name": "it_invoke_tool", "arguments": {"tool_name": "greet", "tool_input": {"name": "you"}}});
    let mut fronts = Vec::new();
    let fixture = fixture.display().to_string();
    let port = free_port();
    let mut command = Command::new(venv.join("bin/mcp-compressor"));
    command.args(["--transport", "streamable-http", "--port", &port.to_string(), "-n", "it", "--", &fixture, "stdio"]);
    let process = Process::start(command.stdout(Stdio::null()));
    fronts.push(open("mcp-compressor, stdio upstream", process, &format!("http://127.0.0.1:{port}/mcp"), invoke).await);
    let port = free_port();
    let mut command = Command::new(venv.join("bin/mcp-proxy"));
    command.args(["--port", &port.to_string(), "--", &fixture, "stdio"]);
    let process = Process::start(command.stdout(Stdio::null()));
    let greet = json!({"name": "greet", "arguments": {"name": "you"}});
    fronts.push(open("mcp-proxy, stdio upstream", process, &format!("http://127.0.0.1:{port}/mcp"), greet).await);
    fronts
}

/// Rounds over all fronts in turn, so that a noisy moment hits them alike; the median round of each.
async fn measure(fronts: &[Front], calls: usize, in_flight: usize) -> Vec<Sample> {
    for front in fronts {
        let text = front.client.call(&front.params).await;
        assert!(text.contains("Hello"), "{} answers {text}", front.name);
        exchange(front, WARM_UP, in_flight).await;
    }
    let mut rounds: Vec<Vec<Sample>> = fronts.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (front, samples) in fronts.iter().zip(&mut rounds) {
            samples.push(exchange(front, calls / ROUNDS, in_flight).await);
        }
    }
    rounds.iter().map(|samples| middle(samples)).collect()
}

fn middle(samples: &[Sample]) -> Sample {
    let of = |get: fn(&Sample) -> f64| median(&mut samples.iter().map(get).collect::<Vec<_>>());
    // CPU ticks are coarse: their mean over all rounds is finer than any median.
    let cpu_ms = samples.iter().map(|it| it.cpu_ms).sum::<f64>() / samples.len() as f64;
    Sample { p50_ms: of(|it| it.p50_ms), p99_ms: of(|it| it.p99_ms), cpu_ms }
}

async fn exchange(front: &Front, calls: usize, in_flight: usize) -> Sample {
    let before = front.process.as_ref().map_or(0.0, |it| it.pid.cpu_ms());
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, params) = (Arc::clone(&front.client), front.params.clone());
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(calls / in_flight);
                for _ in 0..calls / in_flight {
                    let begun = Instant::now();
                    client.call(&params).await;
                    times.push(begun.elapsed().as_secs_f64() * 1e3);
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await.expect("the worker ends"));
    }
    let cpu = front.process.as_ref().map_or(0.0, |it| it.pid.cpu_ms()) - before;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Sample { p50_ms: at(0.5), p99_ms: at(0.99), cpu_ms: cpu / times.len() as f64 }
}

fn report(fronts: &[Front], samples: &[Sample], calls: usize, in_flight: usize, as_json: bool) {
    let direct = samples[0].p50_ms;
    if as_json {
        let rows = fronts.iter().zip(samples).map(|(front, it)| {
            json!({"name": front.name, "in_flight": in_flight, "p50_ms": it.p50_ms, "added_p50_ms": it.p50_ms - direct,
                   "p99_ms": it.p99_ms, "cpu_ms_per_call": it.cpu_ms})
        });
        println!("{}", Value::Array(rows.collect()));
        return;
    }
    println!(
        "\n{calls} calls, {in_flight} in flight\n{:<32} {:>9} {:>9} {:>9} {:>12} {:>10}",
        "", "p50 ms", "added", "p99 ms", "CPU ms/call", "CPU ratio"
    );
    let own = samples[1].cpu_ms;
    for (front, it) in fronts.iter().zip(samples) {
        let ratio = if front.process.is_some() { format!("{:.1}", it.cpu_ms / own) } else { "-".into() };
        println!(
            "{:<32} {:>9.3} {:>9.3} {:>9.3} {:>12.3} {:>10}",
            front.name,
            it.p50_ms,
            it.p50_ms - direct,
            it.p99_ms,
            it.cpu_ms,
            ratio
        );
    }
}
