//! Answers recorded once and replayed for ever: a request is known by its digest, and one that was not recorded is a
//! failure that says so.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};

use super::{model, target::Target, unusable};
use crate::sync::lock;
use tollgate_benchmarks::{
    arm::Arm,
    episode::{Episode, Reply, Wanted},
    random::digest,
    trace::Usage,
};

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Recorded {
    request: String,
    text: String,
    /// Id, name and arguments of each.
    calls: Vec<(String, String, String)>,
    #[serde(default)]
    usage: Option<Usage>,
}

/// Where answers are kept: only where each lies is held in memory.
struct Tape {
    path: PathBuf,
    file: File,
    places: HashMap<String, (u64, usize)>,
    end: u64,
}

/// Answers of a file, and of a model that is asked for the others.
pub struct Recordings {
    tape: Mutex<Tape>,
    /// Whom to ask; without one a miss is a failure.
    inner: Option<Box<dyn Target>>,
}

impl Recordings {
    /// Replays `path`, and records in it what `inner` answers.
    ///
    /// # Errors
    /// That the file cannot be used.
    pub fn open(path: &Path, inner: Option<Box<dyn Target>>) -> Result<Self, String> {
        let io = |error: std::io::Error| unusable(path, &error);
        let writes = inner.is_some();
        let file = OpenOptions::new().read(true).append(writes).create(writes).open(path).map_err(io)?;
        let mut tape = Tape { path: path.to_owned(), file, places: HashMap::new(), end: 0 };
        tape.index()?;
        Ok(Self { tape: Mutex::new(tape), inner })
    }
}

impl Target for Recordings {
    fn reply<'a>(&'a self, episode: &'a Episode, arm: Arm, trial: u32) -> BoxFuture<'a, Result<Reply, String>> {
        async move {
            let key = key(episode, arm, trial);
            if let Some(known) = lock(&self.tape).find(&key)? {
                return Ok(known);
            }
            let Some(inner) = &self.inner else {
                return Err(format!("no answer is recorded for request {key:.12}; record it with `--record`"));
            };
            let reply = inner.reply(episode, arm, trial).await?;
            lock(&self.tape).add(key, &reply)?;
            Ok(reply)
        }
        .boxed()
    }
}

/// Of everything that the model sees; trials of a task have answers of their own.
fn key(episode: &Episode, arm: Arm, trial: u32) -> String {
    let request = model::request(episode, "", &serde_json::Map::new()).to_string();
    // A gateway that holds the budget itself sees the same request as one that holds none.
    let served = if let Arm::Served(budget) = arm { budget } else { 0 };
    digest([request.as_bytes(), &trial.to_le_bytes(), &served.to_le_bytes()])
}

impl Tape {
    /// Finds out where each answer lies; a last line that was cut counts as not written.
    fn index(&mut self) -> Result<(), String> {
        let io = |error: std::io::Error| unusable(&self.path, &error);
        let (mut from, mut line) = (BufReader::new(self.file.try_clone().map_err(io)?), Vec::new());
        loop {
            line.clear();
            let read = from.read_until(b'\n', &mut line).map_err(io)?;
            if read == 0 || !line.ends_with(b"\n") {
                break;
            }
            let recorded: Recorded = serde_json::from_slice(&line).map_err(|error| {
                format!("`{}` has a line that is no recorded answer ({error})", self.path.display())
            })?;
            self.places.insert(recorded.request, (self.end, read));
            self.end += read as u64;
        }
        if self.file.metadata().map_err(io)?.len() > self.end {
            self.file.set_len(self.end).map_err(io)?;
        }
        Ok(())
    }

    fn find(&mut self, key: &str) -> Result<Option<Reply>, String> {
        let Some(&(at, length)) = self.places.get(key) else { return Ok(None) };
        let mut line = vec![0; length];
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut line));
        read.map_err(|error| unusable(&self.path, &error))?;
        let recorded: Recorded = serde_json::from_slice(&line).map_err(|error| error.to_string())?;
        let calls = recorded.calls.into_iter().map(|(id, name, arguments)| Wanted { id, name, arguments });
        Ok(Some(Reply { text: recorded.text, calls: calls.collect(), usage: recorded.usage, ms: 0 }))
    }

    fn add(&mut self, key: String, reply: &Reply) -> Result<(), String> {
        let calls = reply.calls.iter().map(|it| (it.id.clone(), it.name.clone(), it.arguments.clone()));
        let recorded = Recorded { request: key, text: reply.text.clone(), calls: calls.collect(), usage: reply.usage };
        let mut line = serde_json::to_vec(&recorded).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| unusable(&self.path, &error))?;
        self.places.insert(recorded.request, (self.end, line.len()));
        self.end += line.len() as u64;
        Ok(())
    }
}
