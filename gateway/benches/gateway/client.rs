//! What is measured, started, and one client for all of it.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::process::{Process, binary, free_port};

pub fn start_fixture() -> (Process, String) {
    let mut command = Command::new(binary("tollgate-fixture"));
    command.args(["http", "--port", "0"]).stdout(Stdio::piped());
    let mut process = Process::start(&mut command);
    let url = process.first_line();
    (process, url)
}

/// The gateway over a configuration; returns its URL.
pub fn start_gateway(folder: &Path, name: &str, config: &str) -> (Process, String) {
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, config).expect("the folder is writable");
    let port = free_port();
    let mut command = Command::new(binary("tollgate"));
    command.arg("serve").arg("--config").arg(&file).args(["--listen", &format!("127.0.0.1:{port}")]);
    command.stdout(Stdio::null());
    (Process::start(&mut command), format!("http://127.0.0.1:{port}/mcp"))
}

/// A client that keeps its connections, with TCP_NODELAY, in one session of 2025-11-25.
pub struct Client {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
    /// Ids are never used twice in a session, as the protocol wants it.
    next_id: AtomicU64,
}

impl Client {
    /// Opens a session, trying until the server is up.
    pub async fn open(url: &str) -> Self {
        // Installed once for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().tcp_nodelay(true).no_proxy().build().expect("a client");
        let mut client = Self { http, url: url.to_owned(), session: None, next_id: AtomicU64::new(1) };
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}});
        let deadline = Instant::now() + Duration::from_secs(60);
        let response = loop {
            match client.post(&initialize).send().await {
                Ok(response) if response.status().is_success() => break response,
                _ if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
                other => panic!("{url} does not start: {other:?}"),
            }
        };
        let session = response.headers().get("mcp-session-id").and_then(|it| it.to_str().ok());
        client.session = session.map(ToOwned::to_owned);
        client.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).send().await.expect("noticed");
        client
    }

    fn post(&self, message: &Value) -> reqwest::RequestBuilder {
        let mut request = self.http.post(&self.url).body(message.to_string());
        request = request.header("content-type", "application/json");
        request = request.header("accept", "application/json, text/event-stream");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
        }
        request
    }

    /// One `tools/call`, read to its end; its text.
    pub async fn call(&self, params: &Value) -> String {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        let response = self.post(&message).send().await.expect("an answer");
        response.text().await.expect("a whole answer")
    }

    pub async fn list_tools(&self) -> String {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": {}});
        self.post(&message).send().await.expect("an answer").text().await.expect("a whole answer")
    }
}

/// The middle value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
