//! A job and a simulated model, until the job has ended.

use tollgate_planners::batch::{BatchError, BatchPrompt, Prompt};

use super::{
    faults::Injected,
    provider::{Message, Role, Simulator},
};

/// Answers all prompts of a job. Returns what was spoilt on the way.
///
/// # Errors
/// Those of [`BatchPrompt::record`].
pub fn drive(batch: &mut BatchPrompt, simulator: &Simulator) -> Result<Injected, BatchError> {
    let mut injected = Injected::default();
    while !batch.is_done() {
        for prompt in batch.next_prompts(0) {
            let reply = simulator.answer(&messages(&prompt), Some(prompt.max_output_tokens));
            injected.add(reply.injected);
            batch.record(prompt.id, &reply.text, reply.usage)?;
        }
    }
    Ok(injected)
}

fn messages(prompt: &Prompt) -> Vec<Message> {
    let message = |role: Role, text: &str| Message { role, text: text.to_owned() };
    let mut messages = vec![message(Role::System, &prompt.system)];
    for (question, answer) in &prompt.turns {
        messages.extend([message(Role::User, question), message(Role::Assistant, answer)]);
    }
    messages.push(message(Role::User, &prompt.user));
    messages
}
