//! What all benchmarks share: processes started and measured from outside.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A started process, killed at the end.
pub struct Process {
    child: Child,
    pub pid: Pid,
}

/// A process to be measured, started here or not.
#[derive(Clone, Copy)]
pub struct Pid(pub u32);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("the process starts");
        let pid = Pid(child.id());
        Self { child, pid }
    }

    /// The first line of an output that is a pipe.
    pub fn first_line(&mut self) -> String {
        let stdout = self.child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Pid {
    /// CPU time of the process itself, user and system, ms. Resolution: one clock tick, 10 ms.
    pub fn cpu_ms(self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("Linux has /proc");
        let after_name = stat.rsplit_once(')').expect("the name ends").1;
        let fields: Vec<f64> = after_name.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        // Fields 14 and 15 of proc(5); one non-number (the state) and the first two are gone here.
        10.0 * (fields[10] + fields[11])
    }

    /// Resident memory, MB.
    pub fn rss_mb(self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).expect("Linux has /proc");
        let line = status.lines().find(|it| it.starts_with("VmRSS")).expect("a resident set");
        let kb: f64 = line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).expect("a number of kB");
        kb / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

/// The release binaries, built before with `cargo build --release --workspace`; they lie in the folder above this program's.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let path = own.parent().and_then(|it| it.parent()).expect("target/release").join(name);
    assert!(path.exists(), "{} is missing; run `cargo build --release --workspace`", path.display());
    path
}
