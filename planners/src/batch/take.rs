//! Taking one answer apart: what it is charged, what it says of each item, what happens to those it leaves out.

use super::{
    BatchError, BatchPrompt, Usage, early_stop,
    labels::Word,
    limits,
    parse::Said,
    state::{Cast, Planned, Standing, Unanswered},
};

/// How much smaller the prompts of items are after one that failed as a whole.
const SHRINK: usize = 4;
/// The most items of the prompt that is an item's last attempt.
const LAST_ATTEMPT: u32 = 4;

impl BatchPrompt {
    pub(super) fn finish_prompt(&mut self, id: u64) -> Result<Planned, BatchError> {
        if !self.sent.remove(&id) {
            return Err(BatchError::UnknownPrompt(id));
        }
        self.drop_prompt(id).ok_or(BatchError::UnknownPrompt(id))
    }

    pub(super) fn drop_prompt(&mut self, id: u64) -> Option<Planned> {
        if !self.new_prompts.remove(&id) {
            self.done_prompts.push(id);
        }
        self.planned.remove(&id)
    }

    /// Each item bears its own line, and the same part of the rest.
    pub(super) fn charge(&mut self, planned: &Planned, usage: Usage) {
        self.head.usage.add(usage);
        self.head.calls += 1;
        self.head.first_calls += u64::from(planned.wave == 0);
        self.head.asked += planned.items.len() as u64;
        let surcharge = limits::surcharge(planned.input_tokens, usage.input_tokens);
        self.head.surcharge = self.head.surcharge.max(surcharge);
        let lines: u64 = planned.items.iter().map(|item| self.costs.line(*item)).sum();
        let rest = (usage.input_tokens + usage.output_tokens).saturating_sub(lines);
        let part = rest * 1_000 / planned.items.len().max(1) as u64;
        for item in &planned.items {
            let own = self.costs.line(*item) * 1_000;
            self.state(*item).charged_milli += own + part;
        }
    }

    pub(super) fn take(&mut self, planned: &Planned, place: usize, said: Option<Said>, others_answered: bool) {
        let item = planned.items[place];
        let Some(said) = said else {
            self.go_without(item, planned.items.len(), others_answered);
            return;
        };
        let label = self.label_index(item, said.word);
        let (wave, size) = (planned.wave, planned.items.len() as u32);
        let vote = Cast { label, confident: said.confident, wave, size, place: place as u32 };
        let group = planned.id as u32;
        let state = self.state(item);
        state.votes.push(vote);
        if wave == 0 {
            state.group = group;
        }
        let labels = self.task.labels.len();
        let votes = &self.states[item as usize].votes;
        if early_stop::is_settled(&self.policy, votes, labels, &self.head.reliability) {
            self.stand(item, Standing::Settled);
        }
    }

    /// An answer left the item out. It is asked again, the last time beside few others.
    fn go_without(&mut self, item: u32, n_items: usize, others_answered: bool) {
        if !others_answered && n_items > 1 {
            return;
        }
        self.count_failure(item, Unanswered::NoUsableAnswer);
        if self.states[item as usize].failures + 1 >= self.policy.attempts {
            self.state(item).at_most = LAST_ATTEMPT;
        }
    }

    pub(super) fn count_failure(&mut self, item: u32, reason: Unanswered) {
        let attempts = self.policy.attempts;
        let state = self.state(item);
        state.failures += 1;
        if state.failures >= attempts {
            // What other prompts said of it stands.
            let standing = if state.votes.is_empty() { Standing::Unanswered(reason) } else { Standing::Undecided };
            self.stand(item, standing);
        }
    }

    pub(super) fn separate(&mut self, planned: &Planned) {
        let at_most = (planned.items.len() / SHRINK).max(1) as u32;
        for item in &planned.items {
            self.state(*item).at_most = at_most;
        }
    }

    fn label_index(&mut self, item: u32, word: Word) -> u32 {
        let text = match word {
            Word::Label(index) => return index,
            Word::Free(text) => text,
        };
        let texts = &mut self.state(item).texts;
        let known = texts.iter().position(|it| *it == text);
        if known.is_none() {
            texts.push(text);
        }
        known.unwrap_or(texts.len() - 1) as u32
    }
}
