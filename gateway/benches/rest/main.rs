//! The REST proxy measured from outside, as a process, before a provider that costs next to nothing.
//!
//! `cargo build --release --workspace`, then
//! `cargo bench -p tollgate --bench rest -- cost|latency|saturation|streams|soak [--peers VENV] [--portkey NODE_DIR] [--json]`,
//! where VENV is a Python environment with `litellm[proxy]` and NODE_DIR a folder with `@portkey-ai/gateway` in its
//! `node_modules`; it streams only if `overrides` of its `package.json` pin `hono` to 4.9.7 and `@hono/node-server` to 1.13.5.
//! `--url URL --pid PID` measures any other gateway that runs and knows the models `mock/plain` and so on. Also: `--seconds S`
//! of each measurement, `--rate R` requests a second, `--streams N`, `--only NAME`. Without a word all but the soak is done.
//! Linux only: CPU time and memory come from `/proc`, CPU time in ticks of 10 ms.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "what cannot be measured ends the run")]

mod contestants;
mod cost;
mod http;
mod latency;
mod load;
#[path = "../shared/process.rs"]
mod process;
mod report;
mod saturation;
mod soak;
mod streams;
mod workloads;

use std::time::Duration;

/// The command line.
pub struct Options {
    args: Vec<String>,
}

impl Options {
    /// The value after `--name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.args.iter().position(|it| it == name).and_then(|at| self.args.get(at + 1)).map(String::as_str)
    }

    /// The same as a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.text(name).map(|it| it.parse().unwrap_or_else(|_| panic!("{name} `{it}` is no number")))
    }

    /// How long each measurement takes.
    pub fn duration(&self, default_s: u32) -> Duration {
        Duration::from_secs(self.number("--seconds").unwrap_or(default_s).into())
    }

    /// Whether a word is there.
    pub fn has(&self, name: &str) -> bool {
        self.args.iter().any(|it| it == name)
    }
}

fn main() {
    let options = Options { args: std::env::args().skip(1).collect() };
    contestants::raise_file_limit();
    // One thread: what is measured needs the processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(&options));
}

async fn run(options: &Options) {
    let field = contestants::start(options).await;
    let all = !["cost", "latency", "saturation", "streams", "soak"].iter().any(|it| options.has(it));
    if all || options.has("cost") {
        cost::run(&field, options).await;
    }
    if all || options.has("latency") {
        latency::run(&field, options).await;
    }
    if all || options.has("saturation") {
        saturation::run(&field, options).await;
    }
    if all || options.has("streams") {
        streams::run(&field, options).await;
    }
    if options.has("soak") {
        soak::run(&field, options).await;
    }
}
