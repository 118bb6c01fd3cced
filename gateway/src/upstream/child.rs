//! An upstream that is a child process speaking on stdin and stdout (both revisions, "stdio").

use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};
use tokio_util::sync::CancellationToken;

use super::{
    lines::LineLink,
    mux::{About, Link, LinkError, Mux},
};
use crate::mcp::jsonrpc::Message;

/// After its input closed, a child has this long to exit before it is killed.
const EXIT_GRACE: Duration = Duration::from_secs(2);
/// Longer lines of a child's stderr are logged in pieces of this many bytes.
const STDERR_LINE_BYTES: usize = 8 << 10;

pub struct ChildLink {
    lines: LineLink,
    stop: CancellationToken,
    stopped: CancellationToken,
}

/// What to start.
#[derive(Clone, Copy, Debug)]
pub struct Spawn<'a> {
    pub command: &'a str,
    pub args: &'a [String],
    /// The whole environment of the child; nothing is inherited besides.
    pub env: &'a IndexMap<String, String>,
    pub cwd: Option<&'a std::path::Path>,
}

impl ChildLink {
    /// Starts the child and its pumps.
    ///
    /// # Errors
    /// That the command could not be started, with the remedy.
    pub fn start(spawn: Spawn<'_>, mux: &Arc<Mux>, max_line_bytes: usize) -> Result<Self, String> {
        let mut child = command(spawn).spawn().map_err(|error| cannot_start(spawn, &error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{}` has no stdin or stdout", spawn.command));
        };
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log_stderr(stderr, Arc::clone(mux.upstream())));
        }
        let lines = LineLink::start(stdout, stdin, mux, max_line_bytes);
        let link = Self { lines, stop: CancellationToken::new(), stopped: CancellationToken::new() };
        tokio::spawn(wait_for_exit(child, Arc::clone(mux), link.stop.clone(), link.stopped.clone()));
        Ok(link)
    }
}

impl Drop for ChildLink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Link for ChildLink {
    fn send(&self, message: Message, about: About) -> BoxFuture<'_, Result<(), LinkError>> {
        self.lines.send(message, about)
    }

    fn announces_cancel(&self) -> bool {
        true
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.lines.shut();
        self.stop.cancel();
        Box::pin(self.stopped.cancelled())
    }
}

fn command(spawn: Spawn<'_>) -> Command {
    let mut command = Command::new(spawn.command);
    command.args(spawn.args).env_clear().envs(spawn.env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if let Some(cwd) = spawn.cwd {
        command.current_dir(cwd);
    }
    // A group of its own: Ctrl-C in the terminal must reach the gateway alone, which then ends running calls in order.
    #[cfg(unix)]
    command.process_group(0);
    command
}

fn cannot_start(spawn: Spawn<'_>, error: &std::io::Error) -> String {
    let what = format!("`{}` could not be started ({error})", spawn.command);
    match error.kind() {
        std::io::ErrorKind::NotFound if spawn.cwd.is_some_and(|it| !it.is_dir()) => {
            format!("{what}; its `cwd` is no directory")
        }
        std::io::ErrorKind::NotFound => {
            format!("{what}; install it, or give its full path in `command`, or put its folder into `env.PATH`")
        }
        _ => what,
    }
}

/// Waits for the child to exit by itself, or ends it when told to.
async fn wait_for_exit(mut child: Child, mux: Arc<Mux>, stop: CancellationToken, stopped: CancellationToken) {
    let reason = tokio::select! {
        status = child.wait() => exit_reason(status),
        () = stop.cancelled() => {
            end(&mut child).await;
            "was stopped".to_owned()
        }
    };
    mux.end(&reason);
    stopped.cancel();
}

async fn end(child: &mut Child) {
    if tokio::time::timeout(EXIT_GRACE, child.wait()).await.is_err() {
        kill_group(child);
        // Killed or already gone: either way there is nothing left to end.
        let _ = child.kill().await;
    }
}

/// Launchers such as `npx` and `uvx` leave the server in a child of their own, so the whole group goes.
#[cfg(unix)]
fn kill_group(child: &Child) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // The group may be gone by now.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_child: &Child) {}

fn exit_reason(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("exited ({status})"),
        Err(error) => format!("could not be waited for ({error})"),
    }
}

/// A server's stderr is its log, whatever it says (2026-07-28, stdio).
async fn log_stderr(stderr: ChildStderr, upstream: Arc<str>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, STDERR_LINE_BYTES as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                tracing::info!(target: "tollgate::stderr", %upstream, "{}", String::from_utf8_lossy(&line).trim_end())
            }
        }
    }
}
