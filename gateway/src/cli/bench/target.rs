//! Who answers: a script, or a model.

use futures_util::future::{BoxFuture, FutureExt};

use tollgate_benchmarks::{
    arm::Arm,
    episode::{Episode, Reply},
    random::Random,
    scripted::{Script, script},
};

/// How names of scripted models begin.
pub const SCRIPT: &str = "script:";

/// A model.
pub trait Target: Send + Sync {
    /// Its next words and calls. `trial` tells attempts at the same task apart.
    ///
    /// # Errors
    /// Why there is no answer, which says nothing about the model.
    fn reply<'a>(&'a self, episode: &'a Episode, arm: Arm, trial: u32) -> BoxFuture<'a, Result<Reply, String>>;
}

/// A script.
pub struct Scripted {
    script: &'static Script,
    seed: u64,
}

impl Scripted {
    /// The script of this name.
    ///
    /// # Errors
    /// The names that there are.
    pub fn new(name: &str, seed: u64) -> Result<Self, String> {
        Ok(Self { script: script(name)?, seed })
    }
}

impl Target for Scripted {
    fn reply<'a>(&'a self, episode: &'a Episode, _: Arm, trial: u32) -> BoxFuture<'a, Result<Reply, String>> {
        let draws = [episode.task.id.as_str(), &trial.to_string(), &episode.messages.len().to_string()];
        let reply = (self.script.reply)(episode, &mut Random::of(self.seed, &draws));
        async move { Ok(reply) }.boxed()
    }
}
