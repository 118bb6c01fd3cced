//! A simulated model (`sim:boolq-gpt4`): a batch can be tried from end to end, and costs nothing.

use futures_util::future::{BoxFuture, FutureExt};

use super::{drive::Answers, send::Sent};
use tollgate_benchmarks::sim::{Message, Role, Simulator};
use tollgate_planners::batch::{Item, Prompt};

/// How names of simulated models begin.
pub const PREFIX: &str = "sim:";

/// Its vocabulary.
pub const TOKENIZER: &str = "o200k_base";

/// A model of published measurements.
pub struct Simulated(Simulator);

impl Simulated {
    /// The model of this name. Of items with a known answer it knows the answer too.
    ///
    /// # Errors
    /// The names that there are.
    pub fn new(name: &str, seed: u64, items: &[Item]) -> Result<Self, String> {
        let mut simulator = Simulator::by_name(name, seed).map_err(|error| error.to_string())?;
        for item in items {
            if let Some(expected) = &item.expected {
                simulator.tell(&item.text, expected);
            }
        }
        Ok(Self(simulator))
    }
}

impl Answers for Simulated {
    fn send<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Sent> {
        let message = |role, text: &str| Message { role, text: text.to_owned() };
        let turns = prompt
            .turns
            .iter()
            .flat_map(|(question, answer)| [message(Role::User, question), message(Role::Assistant, answer)]);
        let messages: Vec<Message> = [message(Role::System, &prompt.system)]
            .into_iter()
            .chain(turns)
            .chain([message(Role::User, &prompt.user)])
            .collect();
        let reply = self.0.answer(&messages, Some(prompt.max_output_tokens));
        async move { Sent::Answered { text: reply.text, usage: reply.usage } }.boxed()
    }
}
