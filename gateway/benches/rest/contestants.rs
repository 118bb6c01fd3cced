//! Who is measured: the provider itself as the floor, Tollgate, its peers, and whatever runs already.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::Options;
use crate::http::Connection;
use crate::process::{Pid, Process, binary, free_port};
use crate::workloads::{self, PLANNED_MODEL, TOOLS_BUDGET, Workload};

const START: Duration = Duration::from_secs(180);
/// A server that listens may still be loading.
const REFUSES: Duration = Duration::from_secs(5);
const KEY: &str = "test-key";
const TOLLGATE: &str = "tollgate";

/// All of them, and the provider behind them.
pub struct Field {
    pub provider: String,
    /// The provider comes first.
    pub contestants: Vec<Contestant>,
    /// Files of configuration, there as long as this is.
    _folder: tempfile::TempDir,
}

/// One.
pub struct Contestant {
    pub name: String,
    pub address: String,
    pub pid: Pid,
    prefix: &'static str,
    headers: String,
    /// Keeps it running.
    _process: Option<Process>,
}

impl Contestant {
    /// Whether it knows this kind of work.
    pub fn can(&self, workload: &Workload) -> bool {
        !workload.is_planned || self.name == TOLLGATE
    }

    /// The bytes of a request.
    pub fn request(&self, workload: &Workload) -> Vec<u8> {
        let body = workload.body(self.prefix);
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer \
             {KEY}\r\n{}content-length: {}\r\n\r\n{body}",
            self.address,
            self.headers,
            body.len(),
        )
        .into_bytes()
    }

    fn new(name: &str, address: String, process: Process) -> Self {
        let pid = process.pid;
        Self { name: name.into(), address, pid, prefix: "mock/", headers: String::new(), _process: Some(process) }
    }

    /// Waits until it answers; fails with what it answers instead.
    async fn is_up(&self) -> Result<(), String> {
        let (request, begun) = (self.request(&workloads::SMALL), Instant::now());
        let mut listened = None;
        loop {
            let said = match Connection::open(&self.address).await {
                Err(error) => error.to_string(),
                Ok(mut connection) => {
                    let listened = listened.get_or_insert_with(Instant::now).elapsed();
                    match connection.exchange(&request).await {
                        Ok(answer) if answer.status == 200 => return Ok(()),
                        Ok(answer) if listened > REFUSES => return Err(tail(&answer.bytes)),
                        Ok(answer) => answer.status.to_string(),
                        Err(error) => error.to_string(),
                    }
                }
            };
            if begun.elapsed() > START {
                return Err(said);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn tail(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let status = text.lines().next().unwrap_or_default();
    format!("{status} {}", text.lines().last().unwrap_or_default())
}

/// As many open files as the system lets this process have; its children inherit it.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit is allowed");
}

/// Starts them; one that does not answer is left out, and it is said why.
pub async fn start(options: &Options) -> Field {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary("tollgate-fixture"));
    command.args(["provider", "--listen", "127.0.0.1:0", "--keep", "0"]).stdout(Stdio::piped());
    let mut process = Process::start(&mut command);
    let provider = process.first_line().trim_start_matches("http://").to_owned();
    let mut entered = vec![Contestant::new("direct", provider.clone(), process)];
    entered.push(tollgate(folder.path(), &provider));
    entered.extend(options.text("--peers").map(|venv| litellm(Path::new(venv), folder.path(), &provider)));
    entered.extend(options.text("--portkey").map(|node_dir| portkey(Path::new(node_dir), &provider)));
    entered.extend(options.text("--url").map(|url| other(url, options)));
    let mut contestants = Vec::new();
    for it in entered {
        let is_wanted = it.name == "direct" || options.text("--only").is_none_or(|only| it.name.starts_with(only));
        match if is_wanted { it.is_up().await } else { continue } {
            Ok(()) => contestants.push(it),
            Err(said) => eprintln!("{} is left out, since it answers: {said}", it.name),
        }
    }
    Field { provider, contestants, _folder: folder }
}

/// Its configuration: the provider, the same without the bound on requests at a time, and a route that plans tools.
fn configuration(provider: &str) -> String {
    let entry = |name: &str, more: &str| {
        format!(
            "[providers.{name}]\nbase_url = \"http://{provider}/v1\"\nprotocols = [\"openai-chat\", \"openai-responses\", \
             \"anthropic\"]\napi_key = \"{KEY}\"\n{more}\n"
        )
    };
    let route = |model: &str, target: &str, more: &str| {
        format!("[routes.\"mock/{model}\"]\ntargets = [\"{target}\"]\n{more}\n")
    };
    let idle = workloads::IDLE.model;
    [
        entry("mock", ""),
        entry("wide", "max_in_flight = 100000"),
        route(PLANNED_MODEL, "mock/plain", &format!("tools_budget_tokens = {TOOLS_BUDGET}")),
        route(idle, &format!("wide/{idle}"), ""),
    ]
    .concat()
}

fn tollgate(folder: &Path, provider: &str) -> Contestant {
    let file = write(folder, "tollgate.toml", &configuration(provider));
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(binary("tollgate"));
    command.arg("serve").arg("--config").arg(file).args(["--listen", &address]).stdout(Stdio::null());
    Contestant::new(TOLLGATE, address, Process::start(&mut command))
}

/// One worker, no keys of its own, no database, no logs, no callbacks.
fn litellm(venv: &Path, folder: &Path, provider: &str) -> Contestant {
    let mut config = String::from("model_list:\n");
    for model in workloads::ALL.iter().chain([&workloads::IDLE]).map(|it| it.model) {
        let _ = writeln!(
            config,
            "  - {{model_name: \"mock/{model}\", litellm_params: {{model: \"openai/{model}\", api_base: \
             \"http://{provider}/v1\", api_key: \"{KEY}\"}}}}"
        );
    }
    let file = write(folder, "litellm.yaml", &config);
    let port = free_port();
    let mut command = Command::new(venv.join("bin/litellm"));
    command.arg("--config").arg(file).args(["--host", "127.0.0.1", "--port", &port.to_string(), "--num_workers", "1"]);
    command.args(["--telemetry", "False"]).env("LITELLM_LOG", "ERROR").env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    command.env("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true");
    let process = Process::start(command.stdout(Stdio::null()));
    Contestant::new("LiteLLM proxy", format!("127.0.0.1:{port}"), process)
}

fn portkey(node_dir: &Path, provider: &str) -> Contestant {
    let port = free_port();
    let script = node_dir.join("node_modules/@portkey-ai/gateway/build/start-server.js");
    let mut command = Command::new("node");
    command.arg(script).arg(format!("--port={port}")).arg("--headless").stdout(Stdio::null());
    let headers = format!("x-portkey-provider: openai\r\nx-portkey-custom-host: http://{provider}/v1\r\n");
    let address = format!("127.0.0.1:{port}");
    Contestant { prefix: "", headers, ..Contestant::new("Portkey gateway", address, Process::start(&mut command)) }
}

fn other(url: &str, options: &Options) -> Contestant {
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let pid = Pid(options.number("--pid").expect("--pid PID of the gateway at --url"));
    Contestant { name: url.to_owned(), address, pid, prefix: "mock/", headers: String::new(), _process: None }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path
}
