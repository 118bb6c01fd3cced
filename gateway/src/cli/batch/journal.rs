//! What a batch knows, kept beside its answers while it runs, so that the same command goes on where it was ended.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Job;
use crate::cli::Failure;
use tollgate_planners::batch::{Changes, ItemState, Policy, Progress};

/// Appended to, a line for each step; a line that was cut by the end of the process counts as not written.
pub struct Journal {
    path: PathBuf,
    file: File,
    progress: Option<Progress>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Of task, items, policy and model.
    job: String,
}

impl Journal {
    /// Opens the journal beside `out`, and reads what it says.
    ///
    /// # Errors
    /// That it is of another job, or cannot be read or written.
    pub fn open(out: &Path, model: &str, job: &Job) -> Result<Self, Failure> {
        let mut name = out.as_os_str().to_owned();
        name.push(".progress");
        let path = PathBuf::from(name);
        let io = |error: std::io::Error| Failure::from(format!("`{}` cannot be used ({error})", path.display()));
        let fingerprint = fingerprint(model, job)?;
        let (progress, length) = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, 0),
            Err(error) => return Err(io(error)),
            Ok(file) => read(file, &fingerprint, job.items.len()).map_err(|told| match told {
                Unread::Io(error) => io(error),
                Unread::Another => format!(
                    "`{}` is of another job (other items, task, policy or model); name another --out, or remove it",
                    path.display()
                )
                .into(),
            })?,
        };
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(io)?;
        file.set_len(length).map_err(io)?;
        if length == 0 {
            let header = serde_json::to_string(&Header { job: fingerprint }).map_err(|error| error.to_string())?;
            writeln!(file, "{header}").map_err(io)?;
        }
        Ok(Self { path, file, progress })
    }

    /// Where the job stood, if it was begun before.
    pub fn take_progress(&mut self) -> Option<Progress> {
        self.progress.take()
    }

    /// Adds a step.
    ///
    /// # Errors
    /// That the file cannot be written.
    pub fn add(&mut self, changes: &Changes) -> Result<(), String> {
        let mut line = serde_json::to_vec(changes).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| format!("`{}` cannot be written ({error})", self.path.display()))
    }

    /// Removes it, when all is done.
    ///
    /// # Errors
    /// That it cannot be removed.
    pub fn remove(self) -> Result<(), Failure> {
        let told = |error: std::io::Error| format!("`{}` cannot be removed ({error})", self.path.display());
        fs::remove_file(&self.path).map_err(told).map_err(Failure::from)
    }
}

enum Unread {
    Io(std::io::Error),
    Another,
}

/// What the lines say, and how long those are that are whole.
fn read(file: File, fingerprint: &str, n_items: usize) -> Result<(Option<Progress>, u64), Unread> {
    let (mut reader, mut line, mut length) = (BufReader::new(file), Vec::new(), 0);
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        reader.read_until(b'\n', line).map(|read| read > 0 && line.ends_with(b"\n")).map_err(Unread::Io)
    };
    if !next(&mut line)? {
        return Ok((None, 0));
    }
    let header: Header = serde_json::from_slice(&line).map_err(|_| Unread::Another)?;
    if header.job != fingerprint {
        return Err(Unread::Another);
    }
    length += line.len() as u64;
    let mut progress = Progress { items: vec![ItemState::default(); n_items], ..Progress::default() };
    let mut is_begun = false;
    while next(&mut line)? {
        let Ok(changes) = serde_json::from_slice::<Changes>(&line) else { break };
        progress.apply(changes);
        length += line.len() as u64;
        is_begun = true;
    }
    Ok((is_begun.then_some(progress), length))
}

/// When to end and how much to send at once may be another the next time.
fn fingerprint(model: &str, job: &Job) -> Result<String, Failure> {
    let policy = Policy { deadline_ms: None, in_flight: 1, budget: None, ..job.policy.clone() };
    let all = serde_json::to_vec(&(model, &job.task, &job.items, &policy)).map_err(|error| error.to_string())?;
    Ok(Sha256::digest(&all).iter().map(|byte| format!("{byte:02x}")).collect())
}
