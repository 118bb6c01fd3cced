//! An upstream that is a child process speaking on stdin and stdout (both revisions, "stdio").

use std::{process::Stdio, sync::Arc};

use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{ChildStderr, Command},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    exit::{Exit, Orders},
    group::Group,
    lines::LineLink,
    mux::{About, Link, LinkError, Mux},
};
use crate::mcp::jsonrpc::Message;

/// Longer lines of a child's stderr are logged in pieces of this many bytes.
const STDERR_LINE_BYTES: usize = 8 << 10;

pub struct ChildLink {
    lines: LineLink,
    orders: Orders,
    gone: CancellationToken,
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
    /// Starts the child and its pumps. `children` counts it until its whole process group is gone.
    ///
    /// # Errors
    /// That the command could not be started, with the remedy.
    pub fn start(
        spawn: Spawn<'_>,
        mux: &Arc<Mux>,
        max_line_bytes: usize,
        children: &TaskTracker,
    ) -> Result<Self, String> {
        let mut child = command(spawn).spawn().map_err(|error| cannot_start(spawn, &error))?;
        let group = Group::of(&child);
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("`{}` has no stdin, stdout or stderr", spawn.command));
        };
        let stderr = tokio::spawn(log_stderr(stderr, Arc::clone(mux)));
        let (lines, ends) = LineLink::start(stdout, stdin, mux, max_line_bytes);
        let (orders, gone) = (Orders::default(), CancellationToken::new());
        let exit = Exit { child, group, ends, stderr, mux: Arc::clone(mux), orders: orders.clone() };
        let announce = gone.clone().drop_guard();
        children.spawn(async move {
            exit.watch().await;
            drop(announce);
        });
        Ok(Self { lines, orders, gone })
    }
}

impl Drop for ChildLink {
    fn drop(&mut self) {
        self.orders.end.cancel();
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
        self.orders.leave.cancel();
        self.lines.shut();
        Box::pin(self.gone.cancelled())
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

/// A server's stderr is its log, whatever it says (2026-07-28, stdio).
async fn log_stderr(stderr: ChildStderr, mux: Arc<Mux>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, STDERR_LINE_BYTES as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => note_stderr(&mux, &String::from_utf8_lossy(&line)),
        }
    }
}

fn note_stderr(mux: &Mux, line: &str) {
    tracing::info!(target: "tollgate::stderr", upstream = %mux.upstream(), "{}", line.trim_end());
    mux.note_stderr(line);
}
