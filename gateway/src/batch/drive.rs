//! Drives a batch to its end: prompts out, answers in, and what changed handed over before anything more is sent.

use std::{
    pin::pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use tokio_util::sync::CancellationToken;

use super::send::Sent;
use tollgate_planners::batch::{BatchPrompt, Prompt};

/// Whoever answers prompts: a model behind the gate, or a simulated one.
pub trait Answers: Send + Sync {
    /// Sends a prompt until it is answered, or cannot be.
    fn send<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Sent>;
}

/// Milliseconds since 1970, the clock of deadlines.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How a run ended besides what its report says.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the last call that failed was told.
    pub last_failure: Option<String>,
}

/// Asks until every item has its answer. `step` is called with what each step changed, before the prompts of the next are
/// sent: a job that is stored there can go on from there. When `cancel` comes, what is on its way is awaited.
///
/// # Errors
/// Why nothing can be answered, or what `step` says.
pub async fn run(
    batch: &mut BatchPrompt,
    answers: &dyn Answers,
    cancel: &CancellationToken,
    mut step: impl FnMut(&mut BatchPrompt) -> Result<(), String>,
) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    let mut under_way = FuturesUnordered::new();
    let mut cancelled = pin!(cancel.cancelled().fuse());
    loop {
        let prompts = batch.next_prompts(now_ms());
        // Kept before it is sent, so that whatever was paid for is known.
        step(batch)?;
        for prompt in prompts {
            under_way.push(async move {
                let sent = answers.send(&prompt).await;
                (prompt.id, sent)
            });
        }
        let answered = futures_util::future::select(under_way.next(), &mut cancelled).await;
        match answered {
            futures_util::future::Either::Left((Some((id, sent)), _)) => take(batch, id, sent, &mut outcome)?,
            futures_util::future::Either::Left((None, _)) if batch.is_done() => return Ok(outcome),
            // A wave without a prompt: the next one is planned when it is asked for again.
            futures_util::future::Either::Left((None, _)) => {}
            futures_util::future::Either::Right(_) => batch.cancel(),
        }
    }
}

fn take(batch: &mut BatchPrompt, id: u64, sent: Sent, outcome: &mut Outcome) -> Result<(), String> {
    match sent {
        Sent::Answered { text, usage } => batch.record(id, &text, usage).map(drop).map_err(|error| error.to_string()),
        Sent::Failed { failure, usage, told } => {
            tracing::debug!(prompt = id, %told, "a prompt of a batch failed");
            outcome.last_failure = Some(told);
            batch.fail(id, failure, usage).map_err(|error| error.to_string())
        }
        Sent::Fatal(told) => Err(told),
    }
}
